//! Everything unguessable starts here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Letters of a user code: no vowels, so that no words arise (RFC 8628 section 6.1).
const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters in each half of a user code.
const USER_CODE_HALF: usize = 4;

/// Fills an array with random bytes.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws randomness")]
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("aws-lc ends the process itself when it has no entropy");
    bytes
}

/// A fresh secret of 256 random bits in base64url letters, 43 of them.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A fresh user code such as `BDWP-HQPK`, for people to read and type (RFC 8628 section 6.1).
pub(crate) fn user_code() -> String {
    let mut letters = String::new();
    while letters.len() < 2 * USER_CODE_HALF {
        // 240 is the last multiple of 20 in a byte: what lies above would favour the first letters.
        let even = bytes::<16>().into_iter().filter(|byte| *byte < 240);
        letters.extend(even.map(|byte| char::from(USER_CODE_LETTERS[usize::from(byte) % 20])));
    }
    format!("{}-{}", &letters[..USER_CODE_HALF], &letters[USER_CODE_HALF..2 * USER_CODE_HALF])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        assert_eq!(secret().len(), 43);
        assert_ne!(secret(), secret());
    }

    #[test]
    fn user_codes_are_two_halves_of_consonants() {
        let code = user_code();
        let (left, right) = code.split_once('-').expect("a dash");
        assert_eq!((left.len(), right.len()), (4, 4));
        assert!(code.bytes().all(|letter| letter == b'-' || USER_CODE_LETTERS.contains(&letter)));
    }
}
