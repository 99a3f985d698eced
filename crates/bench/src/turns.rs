//! Every authorization in its turn, at a pace.

use std::time::{Duration, Instant};

use crate::load::Asking;

/// The turns of one connection: every so-manieth request of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// Which request of all is the next one.
    number: u64,
    connections: u64,
    /// When it is due, and how long after it the next one of this connection is.
    due: Instant,
    pause: Duration,
}

/// So many requests are between the first ones of two rounds: a round finds what the last one has not just read.
const ROUND: u64 = 1 << 20;

impl Turns {
    /// Those of the connection with that number in that round.
    pub(crate) fn of(
        connection: usize,
        connections: usize,
        start: Instant,
        round: u64,
        asking: Asking,
    ) -> Self {
        let pause = match asking {
            Asking::AtRandom(_) => Duration::ZERO,
            Asking::InTurns(a_second) => Duration::from_secs_f64(1.0 / f64::from(a_second.max(1))),
        };
        let [connection, connections] =
            [connection, connections].map(|number| u32::try_from(number).unwrap_or(1));
        Self {
            number: round * ROUND + u64::from(connection),
            connections: connections.into(),
            due: start + pause * connection,
            pause: pause * connections,
        }
    }

    /// The next authorization of so many, when its time has come. One that is late is asked for at once.
    pub(crate) async fn next(&mut self, authorizations: u64) -> u64 {
        tokio::time::sleep_until(self.due.into()).await;
        let turn = in_turn(self.number, authorizations);
        self.number += self.connections;
        self.due += self.pause;
        turn
    }
}

/// Numbers below `end`, each once before any comes again, and far from each other: steps of the golden ratio.
fn in_turn(number: u64, end: u64) -> u64 {
    let mut step = (end / 1_000 * 618).max(1);
    while greatest_common_divisor(step, end) > 1 {
        step += 1;
    }
    let product = u128::from(number) * u128::from(step) % u128::from(end);
    u64::try_from(product).expect("it is below a number of 64 bits")
}

fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::stopwatch::now;

    #[test]
    fn each_comes_once_before_any_comes_again() {
        for end in [1, 2, 50, 1_000, 10_007] {
            let turns: BTreeSet<u64> = (7..7 + end).map(|number| in_turn(number, end)).collect();
            assert_eq!(turns, (0..end).collect(), "{end}");
        }
    }

    #[test]
    fn neighbours_are_far_from_each_other() {
        let [one, other] = [5, 6].map(|number| in_turn(number, 5_000_000));
        assert!(one.abs_diff(other) > 1_000_000, "{one} {other}");
    }

    #[tokio::test]
    async fn connections_share_the_turns() {
        let start = now();
        let mut connections = [0, 1].map(|number| Turns::of(number, 2, start, 0, Asking::AtRandom(1)));
        let mut all = Vec::new();
        for _ in 0..2 {
            for turns in &mut connections {
                all.push(turns.next(1_000).await);
            }
        }
        assert_eq!(all, [0, 1, 2, 3].map(|number| in_turn(number, 1_000)));
    }

    #[test]
    fn they_share_the_pace() {
        let start = now();
        let turns = Turns::of(1, 4, start, 0, Asking::InTurns(10));
        assert_eq!(turns.due - start, Duration::from_millis(100));
        assert_eq!(turns.pause, Duration::from_millis(400));
    }
}
