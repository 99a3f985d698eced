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
    /// The provider knows us and does not allow what we ask for: an operator's to mend, and nothing about the grant.
    Misconfigured,
    /// The person has to do something at the provider.
    Interaction,
    /// We ask too often.
    RateLimit,
    /// A bad moment: try again later.
    Transient,
}

/// One known code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorRow {
    code: &'static str,
    /// What the provider adds to the code, where that changes the meaning; it is then what travels on.
    subtype: Option<&'static str>,
    class: ErrorClass,
}

/// A code, whatever the provider adds to it.
pub(crate) const fn row(code: &'static str, class: ErrorClass) -> ErrorRow {
    ErrorRow { code, subtype: None, class }
}

/// A code with a certain addition.
pub(crate) const fn subtype_row(code: &'static str, subtype: &'static str, class: ErrorClass) -> ErrorRow {
    ErrorRow { code, subtype: Some(subtype), class }
}

/// An error as a provider sent it. It may be anything, therefore it has no `Debug` and never travels on.
pub(crate) struct SentError {
    /// `error` (RFC 6749, 5.2).
    pub(crate) code: String,
    /// What Google adds: `error_subtype`.
    pub(crate) subtype: Option<String>,
}

/// The codes that a type of provider is known to send. A code that is not in it counts as a bad moment: a guess must
/// never cost a user their grant.
#[derive(Clone, Copy)]
pub(crate) struct ErrorTable(&'static [ErrorRow]);

/// Any OpenID Connect provider.
pub(crate) const OPENID_ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_grant", ErrorClass::DeadGrant), // RFC 6749, 5.2
    row("invalid_client", ErrorClass::Client),   // RFC 6749, 5.2
    // RFC 6749, 5.2: we are known, and may not use this grant. It is not for one user's refresh to lock out everybody,
    // though Keycloak also means wrong credentials by it.
    row("unauthorized_client", ErrorClass::Misconfigured),
    row("unsupported_grant_type", ErrorClass::Misconfigured), // RFC 6749, 5.2
    row("invalid_scope", ErrorClass::Misconfigured),          // RFC 6749, 5.2
    row("temporarily_unavailable", ErrorClass::Transient),    // RFC 6749, 4.1.2.1
    row("server_error", ErrorClass::Transient),               // RFC 6749, 4.1.2.1
    row("interaction_required", ErrorClass::Interaction),     // OpenID Connect Core, 3.1.2.6
    row("login_required", ErrorClass::Interaction),           // OpenID Connect Core, 3.1.2.6
    row("consent_required", ErrorClass::Interaction),         // OpenID Connect Core, 3.1.2.6
]);

impl ErrorTable {
    /// A table of these rows.
    pub(crate) const fn new(rows: &'static [ErrorRow]) -> Self {
        Self(rows)
    }

    /// Whether an error is one that this type of provider is known to send.
    pub(crate) fn lists(&self, error: &SentError) -> bool {
        self.row(error).is_some()
    }

    /// The failure that an error stands for. Only words of the table travel on.
    pub(crate) fn failure(&self, error: &SentError, retry_after: Option<Duration>) -> UpstreamError {
        let Some(row) = self.row(error) else {
            tracing::warn!(
                code = printable(&error.code),
                "a provider sent an error code that is not in its table"
            );
            return unavailable("unknown_error");
        };
        let word = row.subtype.unwrap_or(row.code);
        let code = word.to_owned();
        match row.class {
            ErrorClass::DeadGrant => UpstreamError::GrantRefused { code },
            ErrorClass::Client => UpstreamError::ClientRefused { code },
            ErrorClass::Misconfigured => UpstreamError::Misconfigured { code },
            ErrorClass::Interaction => UpstreamError::InteractionRequired { code },
            ErrorClass::RateLimit => UpstreamError::RateLimited { retry_after },
            ErrorClass::Transient => UpstreamError::Unavailable { reason: word, retry_after },
        }
    }

    /// The row with just that addition, else the one for the code.
    fn row(&self, error: &SentError) -> Option<&'static ErrorRow> {
        let of_code = || self.0.iter().filter(|row| row.code == error.code);
        let exact = of_code().find(|row| row.subtype.is_some() && row.subtype == error.subtype.as_deref());
        exact.or_else(|| of_code().find(|row| row.subtype.is_none()))
    }

    /// Every row as code, addition and class.
    #[cfg(test)]
    pub(crate) fn rows(
        &self,
    ) -> impl Iterator<Item = (&'static str, Option<&'static str>, ErrorClass)> + use<> {
        self.0.iter().map(|row| (row.code, row.subtype, row.class))
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

    fn failure(table: ErrorTable, code: &str, subtype: Option<&str>) -> UpstreamError {
        let error = SentError { code: code.to_owned(), subtype: subtype.map(str::to_owned) };
        table.failure(&error, Some(Duration::from_secs(7)))
    }

    #[test]
    fn every_class_is_a_failure_of_its_own() {
        use ErrorClass::{Client, DeadGrant, Interaction, Misconfigured, RateLimit, Transient};
        const TABLE: ErrorTable = ErrorTable::new(&[
            row("dead", DeadGrant),
            row("client", Client),
            row("wrong", Misconfigured),
            row("person", Interaction),
            row("fast", RateLimit),
            row("moment", Transient),
        ]);
        let code = |code: &str| code.to_owned();
        let retry_after = Some(Duration::from_secs(7));
        for (found, expected) in [
            ("dead", UpstreamError::GrantRefused { code: code("dead") }),
            ("client", UpstreamError::ClientRefused { code: code("client") }),
            ("wrong", UpstreamError::Misconfigured { code: code("wrong") }),
            ("person", UpstreamError::InteractionRequired { code: code("person") }),
            ("fast", UpstreamError::RateLimited { retry_after }),
            ("moment", UpstreamError::Unavailable { reason: "moment", retry_after }),
            ("DEAD", unavailable("unknown_error")),
            ("", unavailable("unknown_error")),
        ] {
            assert_eq!(failure(TABLE, found, None), expected, "{found}");
        }
    }

    #[test]
    fn an_addition_may_change_the_meaning() {
        const TABLE: ErrorTable = ErrorTable::new(&[
            row("invalid_grant", ErrorClass::DeadGrant),
            subtype_row("invalid_grant", "session", ErrorClass::Interaction),
            subtype_row("only_with", "addition", ErrorClass::Interaction),
        ]);
        let interaction = |code: &str| UpstreamError::InteractionRequired { code: code.to_owned() };
        let dead = UpstreamError::GrantRefused { code: "invalid_grant".to_owned() };
        assert_eq!(failure(TABLE, "invalid_grant", Some("session")), interaction("session"));
        assert_eq!(failure(TABLE, "invalid_grant", Some("another")), dead);
        assert_eq!(failure(TABLE, "invalid_grant", None), dead);
        assert_eq!(failure(TABLE, "only_with", None), unavailable("unknown_error"));
        assert_eq!(failure(TABLE, "session", None), unavailable("unknown_error"));
    }

    #[test]
    fn the_codes_of_openid_connect_have_their_classes() {
        use ErrorClass::{Client, DeadGrant, Interaction, Misconfigured, Transient};
        let rows: Vec<_> = OPENID_ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
        let expected = [
            ("invalid_grant", DeadGrant),
            ("invalid_client", Client),
            ("unauthorized_client", Misconfigured),
            ("unsupported_grant_type", Misconfigured),
            ("invalid_scope", Misconfigured),
            ("temporarily_unavailable", Transient),
            ("server_error", Transient),
            ("interaction_required", Interaction),
            ("login_required", Interaction),
            ("consent_required", Interaction),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn only_plain_words_are_logged() {
        assert_eq!(printable("bad_thing-1.2"), "bad_thing-1.2");
        for odd in ["", "Bad", "a b", "a\nb", "\u{1b}[31m", "é", &"a".repeat(65)] {
            assert_eq!(printable(odd), "unlisted_error", "{odd:?}");
        }
    }
}
