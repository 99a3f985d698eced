//! What the error codes of token endpoints mean: a closed table per type of provider.

use std::time::Duration;

use grantkeeper_domain::providers::UpstreamError;

use crate::failure::unavailable;

/// What an error code says about the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// The code or the refresh token is gone for good.
    DeadGrant,
    /// Our client credentials are refused; it says nothing about the grant.
    Client,
    /// The person has to do something at the provider.
    Interaction,
    /// A bad moment, or a fault of the registration that an operator can mend: try again later.
    Transient,
}

/// The codes that a type of provider is known to send. A code that is not in it counts as a bad moment: a guess must
/// never cost a user their grant.
pub(crate) struct ErrorTable(&'static [(&'static str, ErrorClass)]);

/// Any OpenID Connect provider.
pub(crate) const OPENID_ERRORS: ErrorTable = ErrorTable(&[
    ("invalid_grant", ErrorClass::DeadGrant),           // RFC 6749, 5.2
    ("invalid_client", ErrorClass::Client),             // RFC 6749, 5.2
    ("unauthorized_client", ErrorClass::Client),        // RFC 6749, 5.2
    ("unsupported_grant_type", ErrorClass::Transient),  // RFC 6749, 5.2: wrong, but not our credentials
    ("invalid_scope", ErrorClass::Transient),           // RFC 6749, 5.2: the same
    ("temporarily_unavailable", ErrorClass::Transient), // RFC 6749, 4.1.2.1
    ("server_error", ErrorClass::Transient),            // RFC 6749, 4.1.2.1
    ("interaction_required", ErrorClass::Interaction),  // OpenID Connect Core, 3.1.2.6
    ("login_required", ErrorClass::Interaction),        // OpenID Connect Core, 3.1.2.6
    ("consent_required", ErrorClass::Interaction),      // OpenID Connect Core, 3.1.2.6
]);

impl ErrorTable {
    /// The failure that a code stands for. Only codes of the table travel on.
    pub(crate) fn failure(&self, code: &str, retry_after: Option<Duration>) -> UpstreamError {
        let Some(&(code, class)) = self.0.iter().find(|(known, _)| *known == code) else {
            tracing::warn!(code = printable(code), "a provider sent an error code that is not in its table");
            return unavailable("unknown_error");
        };
        let owned = code.to_owned();
        match class {
            ErrorClass::DeadGrant => UpstreamError::GrantRefused { code: owned },
            ErrorClass::Client => UpstreamError::ClientRefused { code: owned },
            ErrorClass::Interaction => UpstreamError::InteractionRequired { code: owned },
            ErrorClass::Transient => UpstreamError::Unavailable { reason: code, retry_after },
        }
    }
}

/// A code as it may be logged: whatever is not a plain word may be anything, a token or a terminal's escape codes.
fn printable(code: &str) -> &str {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=64).contains(&code.len()) && code.bytes().all(plain) { code } else { "unlisted_error" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_has_its_class() {
        let text = |code: &str| code.to_owned();
        for (code, expected) in [
            ("invalid_grant", UpstreamError::GrantRefused { code: text("invalid_grant") }),
            ("invalid_client", UpstreamError::ClientRefused { code: text("invalid_client") }),
            ("unauthorized_client", UpstreamError::ClientRefused { code: text("unauthorized_client") }),
            ("unsupported_grant_type", unavailable("unsupported_grant_type")),
            ("invalid_scope", unavailable("invalid_scope")),
            ("temporarily_unavailable", unavailable("temporarily_unavailable")),
            ("server_error", unavailable("server_error")),
            (
                "interaction_required",
                UpstreamError::InteractionRequired { code: text("interaction_required") },
            ),
            ("login_required", UpstreamError::InteractionRequired { code: text("login_required") }),
            ("consent_required", UpstreamError::InteractionRequired { code: text("consent_required") }),
            ("invalid_request", unavailable("unknown_error")),
            ("INVALID_GRANT", unavailable("unknown_error")),
            ("", unavailable("unknown_error")),
        ] {
            assert_eq!(OPENID_ERRORS.failure(code, None), expected, "{code}");
        }
        assert_eq!(OPENID_ERRORS.0.len(), 10);
    }

    #[test]
    fn only_plain_words_are_logged() {
        assert_eq!(printable("bad_thing-1.2"), "bad_thing-1.2");
        for odd in ["", "Bad", "a b", "a\nb", "\u{1b}[31m", "é", &"a".repeat(65)] {
            assert_eq!(printable(odd), "unlisted_error", "{odd:?}");
        }
    }
}
