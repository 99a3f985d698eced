//! Proof Key for Code Exchange (RFC 7636).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::{ErrorCode, OAuthError};
use crate::settings::Pkce;

/// An S256 challenge is 32 bytes in base64url without padding (RFC 7636 section 4.2).
const CHALLENGE_LENGTH: usize = 43;

/// The challenge of an authorization request (RFC 7636 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The hash of the verifier.
    S256(String),
    /// The verifier itself.
    Plain(String),
}

impl Challenge {
    /// Reads and checks the challenge of an authorization request, with what the provider knows.
    pub(super) fn from_request(
        challenge: Option<&str>,
        method: Option<&str>,
        known: Pkce,
    ) -> Result<Option<Self>, OAuthError> {
        match (challenge, method) {
            _ if known == Pkce::Ignored => Ok(None),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(OAuthError::invalid_request("code_challenge_method without code_challenge"))
            }
            (Some(challenge), Some("S256")) if is_s256(challenge) => {
                Ok(Some(Self::S256(challenge.to_owned())))
            }
            (Some(_), Some("S256")) => {
                Err(OAuthError::invalid_request("code_challenge is not an S256 challenge"))
            }
            // A method left out means "plain" (RFC 7636 section 4.3).
            (Some(challenge), None | Some("plain")) if known == Pkce::S256AndPlain => {
                Ok(Some(Self::Plain(challenge.to_owned())))
            }
            (Some(_), _) => Err(OAuthError::invalid_request("code_challenge_method must be S256")),
        }
    }

    fn fits(&self, verifier: &str) -> bool {
        is_verifier(verifier)
            && match self {
                Self::S256(challenge) => s256(verifier) == *challenge,
                Self::Plain(challenge) => verifier == challenge,
            }
    }
}

/// Checks the verifier of a token request against the challenge of the authorization request (RFC 7636 section 4.6).
pub(super) fn check_verifier(
    challenge: Option<&Challenge>,
    verifier: Option<&str>,
) -> Result<(), OAuthError> {
    let refused = |description| Err(OAuthError::new(ErrorCode::InvalidCode, description));
    match (challenge, verifier) {
        (None, None) => Ok(()),
        // Without this a thief of a code could pretend that there was no challenge (RFC 9700 section 4.8.2).
        (None, Some(_)) => refused("code_verifier for a code without code_challenge"),
        (Some(_), None) => refused("code_verifier is missing"),
        (Some(challenge), Some(verifier)) if challenge.fits(verifier) => Ok(()),
        (Some(_), Some(_)) => refused("code_verifier does not match code_challenge"),
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

    fn challenge(method: &str, known: Pkce) -> Result<Option<Challenge>, OAuthError> {
        Challenge::from_request(Some(CHALLENGE), Some(method), known)
    }

    #[test]
    fn the_verifier_must_match_the_challenge() {
        let challenge = Challenge::S256(CHALLENGE.to_owned());
        assert_eq!(check_verifier(Some(&challenge), Some(VERIFIER)), Ok(()));
        assert!(check_verifier(Some(&challenge), Some(&VERIFIER.replace('d', "e"))).is_err());
        assert!(check_verifier(Some(&challenge), None).is_err());
        assert!(check_verifier(None, Some(VERIFIER)).is_err());
        assert_eq!(check_verifier(None, None), Ok(()));
    }

    #[test]
    fn a_plain_challenge_is_the_verifier_itself() {
        let challenge = Challenge::Plain(VERIFIER.to_owned());
        assert_eq!(check_verifier(Some(&challenge), Some(VERIFIER)), Ok(()));
        assert!(check_verifier(Some(&challenge), Some(CHALLENGE)).is_err());
    }

    #[test]
    fn a_verifier_too_short_does_not_count_even_if_it_matches() {
        assert!(check_verifier(Some(&Challenge::S256(s256("short"))), Some("short")).is_err());
    }

    #[test]
    fn only_the_methods_that_are_known_are_taken() {
        let s256 = Ok(Some(Challenge::S256(CHALLENGE.to_owned())));
        assert_eq!(challenge("S256", Pkce::S256), s256);
        assert_eq!(challenge("S256", Pkce::S256AndPlain), s256);
        assert!(challenge("plain", Pkce::S256).is_err() && challenge("S512", Pkce::S256AndPlain).is_err());
        let plain = Ok(Some(Challenge::Plain(CHALLENGE.to_owned())));
        assert_eq!(challenge("plain", Pkce::S256AndPlain), plain);
        assert_eq!(challenge("anything", Pkce::Ignored), Ok(None));
        for (challenge, method) in
            [(Some(CHALLENGE), None), (Some("short"), Some("S256")), (None, Some("S256"))]
        {
            assert!(
                Challenge::from_request(challenge, method, Pkce::S256).is_err(),
                "{challenge:?} {method:?}"
            );
        }
        assert_eq!(Challenge::from_request(None, None, Pkce::S256), Ok(None));
    }
}
