//! Everything unguessable starts here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

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

/// So many random letters of an alphabet of at most 256.
pub(crate) fn letters(alphabet: &[u8], count: usize) -> String {
    // What lies above the last multiple of the size of the alphabet would favour its first letters.
    let even = 256 - 256 % alphabet.len();
    let mut letters = String::with_capacity(count);
    while letters.len() < count {
        let drawn = bytes::<64>().into_iter().map(usize::from).filter(|byte| *byte < even);
        letters.extend(
            drawn.take(count - letters.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    letters
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
    fn letters_come_from_the_alphabet_and_in_the_number_wanted() {
        for count in [0, 1, 63, 64, 65, 3000] {
            let drawn = letters(b"abc", count);
            assert_eq!(drawn.len(), count);
            assert!(drawn.bytes().all(|letter| b"abc".contains(&letter)));
        }
        assert!(letters(b"abc", 3000).contains('c'));
    }
}
