//! Who decides what happens next: a list of deviations from the plain course of things, or chance.

use grantkeeper_domain::services::Random as _;
use grantkeeper_testkit::SeededRandom;

/// At this step, that alternative instead of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deviation {
    pub(crate) step: usize,
    pub(crate) alternative: usize,
}

/// Decides, and remembers how many ways there were at each step.
pub(crate) struct Choices {
    source: Source,
    ways: Vec<usize>,
    made: Vec<Deviation>,
    is_over: bool,
}

enum Source {
    /// The first alternative, but for these.
    Deviations(Vec<Deviation>),
    /// At one step in `one_in` another than the first, whichever.
    Chance { random: SeededRandom, one_in: u64 },
}

impl Choices {
    pub(crate) fn deviating(deviations: Vec<Deviation>) -> Self {
        Self { source: Source::Deviations(deviations), ways: Vec::new(), made: Vec::new(), is_over: false }
    }

    pub(crate) fn by_chance(seed: u64) -> Self {
        let source = Source::Chance { random: SeededRandom::new(seed), one_in: 2 + seed % 15 };
        Self { source, ways: Vec::new(), made: Vec::new(), is_over: false }
    }

    /// One of that many alternatives, of which the first is the plain course of things.
    pub(crate) fn choose(&mut self, alternatives: usize) -> usize {
        if alternatives < 2 || self.is_over {
            return 0;
        }
        let step = self.ways.len();
        self.ways.push(alternatives);
        let alternative = match &self.source {
            Source::Deviations(deviations) => deviations
                .iter()
                .find(|deviation| deviation.step == step)
                .map_or(0, |deviation| deviation.alternative),
            Source::Chance { random, one_in } if below(random, *one_in) == 0 => {
                1 + usize::try_from(below(random, alternatives as u64 - 1)).unwrap()
            }
            Source::Chance { .. } => 0,
        };
        if alternative != 0 {
            self.made.push(Deviation { step, alternative });
        }
        alternative
    }

    /// Everything takes its plain course from here on.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// What was decided otherwise than plainly: it makes the same run again.
    pub(crate) fn made(&self) -> &[Deviation] {
        &self.made
    }
}

fn below(random: &SeededRandom, limit: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % limit
}

/// Makes a run for every set of at most `depth` deviations in its first `horizon` steps; returns how many there were.
pub(crate) fn every_run(depth: usize, horizon: usize, run: &dyn Fn(Choices) -> Choices) -> usize {
    runs_from(&[], depth, horizon, run)
}

fn runs_from(
    deviations: &[Deviation],
    depth: usize,
    horizon: usize,
    run: &dyn Fn(Choices) -> Choices,
) -> usize {
    let ways = run(Choices::deviating(deviations.to_vec())).ways;
    let mut runs = 1;
    if deviations.len() == depth {
        return runs;
    }
    let from = deviations.last().map_or(0, |last| last.step + 1);
    for (step, alternatives) in ways.into_iter().enumerate().take(horizon).skip(from) {
        for alternative in 1..alternatives {
            let further = [deviations, &[Deviation { step, alternative }]].concat();
            runs += runs_from(&further, depth, horizon, run);
        }
    }
    runs
}

#[test]
fn every_run_is_made_once() {
    let seen = std::sync::Mutex::new(Vec::new());
    let runs = every_run(2, 10, &|mut choices| {
        let course = [choices.choose(2), choices.choose(1), choices.choose(3), choices.choose(2)];
        seen.lock().unwrap().push(course);
        choices
    });
    let mut seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), runs);
    seen.sort_unstable();
    seen.dedup();
    // Of 12 courses in all, these two deviate thrice.
    assert_eq!((seen.len(), seen.contains(&[1, 0, 1, 1]), seen.contains(&[1, 0, 2, 1])), (10, false, false));
}
