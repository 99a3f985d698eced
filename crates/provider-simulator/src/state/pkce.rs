//! Proof Key for Code Exchange, method S256 only (RFC 7636).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::OAuthError;

/// An S256 challenge is 32 bytes in base64url without padding (RFC 7636 section 4.2).
const CHALLENGE_LENGTH: usize = 43;

/// Checks the challenge of an authorization request (RFC 7636 section 4.3).
pub(super) fn check_challenge(challenge: Option<&str>, method: Option<&str>) -> Result<(), OAuthError> {
    match (challenge, method) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(OAuthError::invalid_request("code_challenge_method without code_challenge")),
        (Some(challenge), Some("S256")) if is_s256(challenge) => Ok(()),
        (Some(_), Some("S256")) => {
            Err(OAuthError::invalid_request("code_challenge is not an S256 challenge"))
        }
        // A method left out means "plain" (RFC 7636 section 4.3), which protects nobody.
        (Some(_), _) => Err(OAuthError::invalid_request("code_challenge_method must be S256")),
    }
}

/// Checks the verifier of a token request against the challenge of the authorization request (RFC 7636 section 4.6).
pub(super) fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), OAuthError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        // Without this a thief of a code could pretend that there was no challenge (RFC 9700 section 4.8.2).
        (None, Some(_)) => Err(OAuthError::invalid_grant("code_verifier for a code without code_challenge")),
        (Some(_), None) => Err(OAuthError::invalid_grant("code_verifier is missing")),
        (Some(challenge), Some(verifier)) if is_verifier(verifier) && s256(verifier) == challenge => Ok(()),
        (Some(_), Some(_)) => Err(OAuthError::invalid_grant("code_verifier does not match code_challenge")),
    }
}

/// The challenge of a verifier (RFC 7636 section 4.2).
pub(super) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn is_s256(challenge: &str) -> bool {
    challenge.len() == CHALLENGE_LENGTH
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// 43 to 128 unreserved characters (RFC 7636 section 4.1).
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_must_match_the_challenge() {
        assert_eq!(check_verifier(Some(CHALLENGE), Some(VERIFIER)), Ok(()));
        assert!(check_verifier(Some(CHALLENGE), Some(&VERIFIER.replace('d', "e"))).is_err());
        assert!(check_verifier(Some(CHALLENGE), None).is_err());
        assert!(check_verifier(None, Some(VERIFIER)).is_err());
        assert_eq!(check_verifier(None, None), Ok(()));
    }

    #[test]
    fn a_verifier_too_short_does_not_count_even_if_it_matches() {
        assert!(check_verifier(Some(&s256("short")), Some("short")).is_err());
    }

    #[test]
    fn only_s256_challenges_are_taken() {
        assert_eq!(check_challenge(Some(CHALLENGE), Some("S256")), Ok(()));
        assert_eq!(check_challenge(None, None), Ok(()));
        for (challenge, method) in [
            (Some(CHALLENGE), None),
            (Some(CHALLENGE), Some("plain")),
            (Some("short"), Some("S256")),
            (None, Some("S256")),
        ] {
            assert!(check_challenge(challenge, method).is_err(), "{challenge:?} {method:?}");
        }
    }
}
