//! What holds for any bytes that rest where a sealed secret should: the property that the fuzz target in `crates/fuzz`
//! tries to break.

use grantkeeper_domain::sealing::{SealError, SealedSecret};
use grantkeeper_domain::services::Random;
use zeroize::Zeroizing;

use crate::envelope::{Envelope, KEY_LENGTH, VERSION, cipher, seal};

/// Lengths in the published layout.
const NONCE: usize = 12;
const TAG: usize = 16;

const KEY: [u8; KEY_LENGTH] = [7; KEY_LENGTH];
const PLACE: &[u8] = b"a place";

/// Any bytes are either of no known format, or an envelope that has every one of these bytes in its place and does not
/// open; sealed, the bytes come back, and with any of it changed they do not.
///
/// # Panics
/// When that does not hold.
pub fn sealed_header(data: &[u8]) {
    // The header of a secret, and that of a data key or the canary.
    any_bytes::<16>(data);
    any_bytes::<8>(data);
    sealed_bytes(data);
}

fn any_bytes<const ID: usize>(data: &[u8]) {
    let sealed = SealedSecret::from_bytes(data.to_vec());
    let is_envelope = data.first() == Some(&VERSION) && data.len() >= 1 + ID + NONCE + TAG;
    match Envelope::<ID>::read(&sealed) {
        Ok(envelope) => {
            assert!(is_envelope);
            assert!(envelope.to_bytes() == data, "nothing is lost or moved");
            let opened = envelope.open(&cipher(&KEY), PLACE);
            assert!(opened.err().is_some_and(|error| says_only_tampered(&error)));
        }
        Err(error) => {
            assert!(!is_envelope);
            assert!(matches!(error, SealError::UnknownFormat));
            assert_eq!(error.to_string(), "the sealed secret has an unknown format");
        }
    }
}

fn sealed_bytes(data: &[u8]) {
    let key_id: [u8; 16] = std::array::from_fn(|at| data.get(at).copied().unwrap_or_default());
    let sealed = seal(&cipher(&KEY), key_id, &Repeated(data), PLACE, data);
    let sealed = sealed.as_bytes();
    assert_eq!(sealed.len(), 1 + 16 + NONCE + data.len() + TAG);
    assert!(opens(sealed, PLACE).is_some_and(|opened| *opened == data));
    assert!(opens(sealed, b"another place").is_none());

    let chosen = data.iter().fold(0, |sum: usize, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let at = chosen % sealed.len();
    assert!(opens(&sealed[..at], PLACE).is_none(), "cut at {at}");
    let mut changed = sealed.to_vec();
    changed[at] ^= 1 << (chosen % 8);
    // The id of the key is bound by whoever seals, as associated data; to the envelope it says which key to take.
    assert_eq!(opens(&changed, PLACE).is_some(), (1..=16).contains(&at), "a bit of byte {at}");
}

fn opens(bytes: &[u8], place: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let sealed = SealedSecret::from_bytes(bytes.to_vec());
    let opened = Envelope::<16>::read(&sealed).ok()?.open(&cipher(&KEY), place);
    opened.inspect_err(|error| assert!(says_only_tampered(error))).ok()
}

fn says_only_tampered(error: &SealError) -> bool {
    matches!(error, SealError::Tampered)
        && error.to_string() == "the sealed secret does not open in this place"
}

/// The same bytes over and over.
struct Repeated<'a>(&'a [u8]);

impl Random for Repeated<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, given) in bytes.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *given;
        }
    }
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_header_corpus() {
        replay::replay("sealed_header", sealed_header);
    }
}
