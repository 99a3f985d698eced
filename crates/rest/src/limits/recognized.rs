//! States and sessions of logins that are known to be right.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use grantkeeper_domain::secret::SecretHash;

/// Hashes in one generation.
const GENERATION: usize = 4_096;

/// What this process has handed out, or found to be right.
///
/// Many people may be behind one address, and whoever polls for a token of their own must not pay for a neighbour who
/// guesses: what is known is let through where the address is over its limit. Those used last are kept, in less than
/// 2 MiB.
#[derive(Default)]
pub(super) struct Recognized(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashSet<SecretHash>,
    old: HashSet<SecretHash>,
}

impl Recognized {
    pub(super) fn note(&self, secret: SecretHash) {
        let mut generations = self.lock();
        generations.old.remove(&secret);
        if generations.young.len() >= GENERATION && !generations.young.contains(&secret) {
            generations.old = mem::take(&mut generations.young);
        }
        generations.young.insert(secret);
    }

    pub(super) fn has(&self, secret: &SecretHash) -> bool {
        let generations = self.lock();
        generations.young.contains(secret) || generations.old.contains(secret)
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(number: usize) -> SecretHash {
        SecretHash::of(&number.to_string())
    }

    #[test]
    fn what_is_used_is_kept_and_what_is_not_is_forgotten() {
        let recognized = Recognized::default();
        for number in 0..10 * GENERATION {
            recognized.note(secret(number));
            if number % 1_000 == 0 {
                recognized.note(secret(0));
            }
        }
        assert!(recognized.has(&secret(0)), "used all the time");
        assert!(recognized.has(&secret(10 * GENERATION - 1)));
        assert!(!recognized.has(&secret(1)));
        let generations = recognized.lock();
        assert!(generations.young.len() <= GENERATION && generations.old.len() <= GENERATION);
    }
}
