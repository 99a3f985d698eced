//! Contenders in turns, so that whatever else the machine does slows all of them alike.

use crate::contender::Contender;
use crate::failure::Failure;
use crate::figures::Measured;
use crate::options::Effort;

/// Warms all of them up, then measures them in turns.
pub(crate) fn compare(
    mut contenders: Vec<Box<dyn Contender>>,
    effort: Effort,
) -> Result<Vec<Measured>, Failure> {
    for contender in &mut contenders {
        say(&format!("warming up: {}", contender.name()));
        contender.round(0, effort.warm_up)?;
    }
    let mut rounds = vec![Vec::new(); contenders.len()];
    for number in 1..=effort.rounds {
        say(&format!("round {number} of {}", effort.rounds));
        for (contender, rounds) in contenders.iter_mut().zip(&mut rounds) {
            rounds.push(contender.round(number, effort.length)?);
        }
    }
    let measured = contenders.iter().zip(rounds).map(|(contender, rounds)| Measured {
        contender: contender.name(),
        rounds,
        peak_memory: contender.peak_memory(),
    });
    Ok(measured.collect())
}

/// Tells whoever waits what is being done.
pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;
    use crate::figures::Round;

    type Turns = RefCell<Vec<(&'static str, u32, Duration)>>;

    struct Noted(&'static str, Rc<Turns>);

    impl Contender for Noted {
        fn name(&self) -> &'static str {
            self.0
        }

        fn round(&mut self, number: u32, length: Duration) -> Result<Round, Failure> {
            self.1.borrow_mut().push((self.0, number, length));
            let time = Duration::from_secs(1);
            Ok(Round { requests: 1, elapsed: time, p50: time, p99: time, cpu: None, database_cpu: None })
        }

        fn peak_memory(&self) -> Option<u64> {
            None
        }
    }

    #[test]
    fn all_are_warmed_up_and_then_take_turns() {
        let notes: Rc<Turns> = Rc::default();
        let contender = |name| Box::new(Noted(name, Rc::clone(&notes))) as Box<dyn Contender>;
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(5));
        let effort = Effort { rounds: 2, length: long, warm_up: short };
        let measured = compare(vec![contender("a"), contender("b")], effort).unwrap();
        let expected = [
            ("a", 0, short),
            ("b", 0, short),
            ("a", 1, long),
            ("b", 1, long),
            ("a", 2, long),
            ("b", 2, long),
        ];
        assert_eq!(*notes.borrow(), expected);
        assert_eq!((measured[1].contender, measured[1].rounds.len()), ("b", 2));
    }
}
