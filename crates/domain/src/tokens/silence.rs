//! Telling by a holder's silence that it does not live: no two clocks are ever compared.

use std::time::Duration;

use super::SignOfLife;

/// What somebody who wants a lease has seen of its holder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    period: Duration,
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    sign: SignOfLife,
    /// When this sign was seen first, and when it was looked at last.
    first: Duration,
    last: Duration,
}

impl Silence {
    /// Nothing has been seen yet. Who shows the same sign for `period` is taken for dead.
    pub(crate) fn lasting(period: Duration) -> Self {
        Self { period, seen: None }
    }

    /// Takes note of a sign of life; `now` is monotonic. Silence counts only while it is listened to: whoever could not
    /// look for a while (the store was away) begins anew, for the holder could not show a sign either.
    pub(crate) fn note(&mut self, sign: SignOfLife, now: Duration) {
        let first = match self.seen {
            Some(seen) if seen.sign == sign && now.saturating_sub(seen.last) <= self.period / 2 => seen.first,
            _ => now,
        };
        self.seen = Some(Seen { sign, first, last: now });
    }

    /// The store could be asked, though not about this holder (several replicas take turns to look). Nobody is taken for dead
    /// without another look all the same: that is what a lease is taken with.
    pub(crate) fn listen(&mut self, now: Duration) {
        self.seen = self.seen.filter(|seen| now.saturating_sub(seen.last) <= self.period / 2);
        if let Some(seen) = &mut self.seen {
            seen.last = now;
        }
    }

    /// The sign behind which nobody lives any more, if that is so.
    pub(crate) fn of_the_dead(&self) -> Option<SignOfLife> {
        self.seen.filter(|seen| seen.last.saturating_sub(seen.first) >= self.period).map(|seen| seen.sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(15);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sign(beat: i64) -> SignOfLife {
        SignOfLife { fence: 1, beat }
    }

    #[test]
    fn the_same_sign_for_the_whole_period_is_silence() {
        let mut silence = Silence::lasting(PERIOD);
        for second in (100..115).step_by(5) {
            silence.note(sign(3), seconds(second));
            assert_eq!(silence.of_the_dead(), None);
        }
        silence.note(sign(3), seconds(115));
        assert_eq!(silence.of_the_dead(), Some(sign(3)));
    }

    #[test]
    fn a_new_beat_or_another_lease_begins_anew() {
        let mut silence = Silence::lasting(PERIOD);
        for (second, seen) in
            [(0, sign(1)), (7, sign(1)), (14, sign(2)), (21, SignOfLife { fence: 2, beat: 2 })]
        {
            silence.note(seen, seconds(second));
        }
        silence.note(SignOfLife { fence: 2, beat: 2 }, seconds(28));
        assert_eq!(silence.of_the_dead(), None);
    }

    #[test]
    fn who_takes_turns_in_looking_listens_all_the_while() {
        let mut silence = Silence::lasting(PERIOD);
        silence.note(sign(1), seconds(0));
        for second in 1..15 {
            silence.listen(seconds(second));
            assert_eq!(silence.of_the_dead(), None);
        }
        silence.note(sign(1), seconds(15));
        assert_eq!(silence.of_the_dead(), Some(sign(1)));
        silence.listen(seconds(23));
        assert_eq!(silence.of_the_dead(), None, "nobody listened for too long");
    }

    #[test]
    fn time_in_which_nobody_could_look_does_not_count() {
        let mut silence = Silence::lasting(PERIOD);
        silence.note(sign(1), seconds(0));
        silence.note(sign(1), seconds(600));
        assert_eq!(silence.of_the_dead(), None);
        silence.note(sign(1), seconds(607));
        silence.note(sign(1), seconds(614));
        assert_eq!(silence.of_the_dead(), None);
        silence.note(sign(1), seconds(615));
        assert_eq!(silence.of_the_dead(), Some(sign(1)));
    }
}
