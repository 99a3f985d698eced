//! The ids of requests.

use std::cell::Cell;
use std::fmt;

use grantkeeper_domain::services::Random;

/// The id of a request: sixteen hexadecimal digits. A name to find log lines and audit entries by, and no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 16]);

/// Makes ids: a random beginning, and from there `SplitMix64` (Steele, Lea and Flood, 2014), which gives every number of
/// 64 bits once before one comes again. To ask the generator of secrets for each would cost more than all else that is
/// done to log a request.
pub(crate) struct RequestIds(Cell<u64>);

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl RequestIds {
    /// Begins anywhere.
    pub(crate) fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        Self(Cell::new(u64::from_le_bytes(bytes)))
    }

    /// The next one.
    pub(crate) fn next(&self) -> RequestId {
        let state = self.0.get().wrapping_add(GOLDEN_GAMMA);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        RequestId::of(mixed ^ (mixed >> 31))
    }
}

impl RequestId {
    fn of(number: u64) -> Self {
        let mut digits = [0; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
            let [high, low] = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
            pair.copy_from_slice(&[high, low]);
        }
        Self(digits)
    }

    /// Its digits.
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_sixteen_digits() {
        assert_eq!(RequestId::of(0x0123_4567_89ab_cdef).to_string(), "0123456789abcdef");
        assert_eq!(RequestId::of(7).to_string(), "0000000000000007");
    }

    #[test]
    fn ids_go_on_as_splitmix64_does() {
        // The first outputs of the reference implementation for this seed.
        let ids = RequestIds(Cell::new(1_234_567));
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973].map(RequestId::of);
        assert_eq!([ids.next(), ids.next()], expected);
    }
}
