//! What is measured: rounds, and what they come to.

use std::time::Duration;

use serde::Serialize;

/// What one round of one contender came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// How many requests were answered.
    pub(crate) requests: u64,
    /// How long that took.
    pub(crate) elapsed: Duration,
    /// Half of the answers took no longer than this.
    pub(crate) p50: Duration,
    /// Of a hundred answers, 99 took no longer than this.
    pub(crate) p99: Duration,
    /// The CPU time of the contender's processes; `None`: it has none, or cannot be known.
    pub(crate) cpu: Option<Duration>,
    /// The CPU time of the database's processes; `None`: it has none, or cannot be known.
    pub(crate) database_cpu: Option<Duration>,
}

impl Round {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.of_requests() / self.elapsed.as_secs_f64()
    }

    fn of_requests(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a round has far fewer than 2^52 requests")]
        let requests = self.requests as f64;
        requests
    }

    /// CPU microseconds of all processes for one request.
    fn all_cpu(&self) -> Option<f64> {
        match (self.cpu, self.database_cpu) {
            (None, None) => None,
            (own, database) => Some(self.each(own.unwrap_or_default() + database.unwrap_or_default())),
        }
    }

    fn each(&self, time: Duration) -> f64 {
        micros(time) / self.of_requests()
    }
}

/// As microseconds.
pub(crate) fn micros(time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^52 microseconds are 142 years")]
    let micros = time.as_micros() as f64;
    micros
}

/// The middle of what the rounds gave, and how far they were apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The middle one; of an even number, the upper of the two in the middle.
    pub(crate) median: f64,
    /// The lowest.
    pub(crate) lowest: f64,
    /// The highest.
    pub(crate) highest: f64,
}

impl Spread {
    /// What there is one figure of.
    pub(crate) const fn single(value: f64) -> Self {
        Self { median: value, lowest: value, highest: value }
    }

    /// In another unit.
    pub(crate) fn divided_by(self, divisor: f64) -> Self {
        let Self { median, lowest, highest } = self;
        Self { median: median / divisor, lowest: lowest / divisor, highest: highest / divisor }
    }

    /// `None` without values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let median = *values.get(values.len() / 2)?;
        Some(Self { median, lowest: *values.first()?, highest: *values.last()? })
    }
}

/// A contender and its rounds.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Who it is, in a word.
    pub(crate) contender: &'static str,
    /// In their order.
    pub(crate) rounds: Vec<Round>,
    /// The most memory that its process ever had, in bytes; `None`: it has none of its own, or cannot be known.
    pub(crate) peak_memory: Option<u64>,
}

/// What all rounds of a contender came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// The contender, in a word.
    pub(crate) contender: &'static str,
    /// Of all rounds.
    pub(crate) requests: u64,
    /// Requests a second.
    pub(crate) requests_per_second: Spread,
    /// The median latency in microseconds.
    pub(crate) p50_micros: Spread,
    /// The latency that one of a hundred exceeds, in microseconds.
    pub(crate) p99_micros: Spread,
    /// CPU time of the contender's processes for one request, in microseconds.
    pub(crate) cpu_micros: Option<Spread>,
    /// CPU time of the database's processes for one request, in microseconds.
    pub(crate) database_cpu_micros: Option<Spread>,
    /// The most memory that the contender's process ever had, in bytes.
    pub(crate) peak_memory_bytes: Option<u64>,
}

impl Figures {
    /// `None` without rounds.
    pub(crate) fn of(measured: &Measured) -> Option<Self> {
        let rounds = &measured.rounds;
        let spread = |value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
        let cpu = |time: fn(&Round) -> Option<Duration>| {
            Spread::of(rounds.iter().filter_map(|round| Some(round.each(time(round)?))))
        };
        Some(Self {
            contender: measured.contender,
            requests: rounds.iter().map(|round| round.requests).sum(),
            requests_per_second: spread(Round::rate)?,
            p50_micros: spread(|round| micros(round.p50))?,
            p99_micros: spread(|round| micros(round.p99))?,
            cpu_micros: cpu(|round| round.cpu),
            database_cpu_micros: cpu(|round| round.database_cpu),
            peak_memory_bytes: measured.peak_memory,
        })
    }
}

/// One contender beside another, round by round: what slowed the machine for a while is in both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// What is divided.
    pub(crate) of: &'static str,
    /// By what.
    pub(crate) to: &'static str,
    /// Of requests a second: more is better.
    pub(crate) requests_per_second: Spread,
    /// Of median latencies: less is better.
    pub(crate) p50: Spread,
    /// Of the latencies that one of a hundred exceeds: less is better.
    pub(crate) p99: Spread,
    /// Of the CPU time of all processes for one request, the database's included: less is better.
    pub(crate) cpu: Option<Spread>,
}

impl Ratio {
    /// `None` without rounds.
    pub(crate) fn between(of: &Measured, to: &Measured) -> Option<Self> {
        let pairs = || of.rounds.iter().zip(&to.rounds);
        let ratio = |value: fn(&Round) -> f64| Spread::of(pairs().map(|(a, b)| value(a) / value(b)));
        Some(Self {
            of: of.contender,
            to: to.contender,
            requests_per_second: ratio(Round::rate)?,
            p50: ratio(|round| micros(round.p50))?,
            p99: ratio(|round| micros(round.p99))?,
            cpu: Spread::of(pairs().filter_map(|(a, b)| Some(a.all_cpu()? / b.all_cpu()?)))
                .filter(|spread| spread.median.is_finite()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(requests: u64, p50: u64, cpu: Option<u64>) -> Round {
        Round {
            requests,
            elapsed: Duration::from_secs(2),
            p50: Duration::from_micros(p50),
            p99: Duration::from_micros(3 * p50),
            cpu: cpu.map(Duration::from_millis),
            database_cpu: None,
        }
    }

    fn measured(contender: &'static str, rounds: &[Round]) -> Measured {
        Measured { contender, rounds: rounds.to_owned(), peak_memory: Some(30_000_000) }
    }

    fn spread(median: f64, lowest: f64, highest: f64) -> Spread {
        Spread { median, lowest, highest }
    }

    #[test]
    fn figures_are_medians_with_their_spread() {
        let rounds = [round(100, 5, Some(10)), round(300, 4, Some(15)), round(200, 9, Some(30))];
        let figures = Figures::of(&measured("service", &rounds)).unwrap();
        assert_eq!(figures.requests, 600);
        assert_eq!(figures.requests_per_second, spread(100.0, 50.0, 150.0));
        assert_eq!(figures.p50_micros, spread(5.0, 4.0, 9.0));
        assert_eq!(figures.p99_micros, spread(15.0, 12.0, 27.0));
        assert_eq!(figures.cpu_micros, Some(spread(100.0, 50.0, 150.0)));
        assert_eq!(figures.database_cpu_micros, None);
        assert_eq!(figures.peak_memory_bytes, Some(30_000_000));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let service = [round(50, 10, Some(10)), round(20, 10, Some(4)), round(10, 10, None)];
        let peer = [round(100, 5, Some(5)), round(40, 5, Some(2)), round(40, 5, Some(1))];
        let ratio = Ratio::between(&measured("service", &service), &measured("peer", &peer)).unwrap();
        assert_eq!(ratio.requests_per_second, spread(0.5, 0.25, 0.5));
        assert_eq!(ratio.p50, spread(2.0, 2.0, 2.0));
        assert_eq!(ratio.cpu.map(|cpu| cpu.median), Some(4.0));
    }

    #[test]
    fn nothing_comes_of_no_rounds() {
        let nothing = measured("service", &[]);
        assert_eq!(Figures::of(&nothing), None);
        assert_eq!(Ratio::between(&nothing, &nothing), None);
    }
}
