//! GitLab's tables.

use super::*;

#[test]
fn every_error_has_its_class() {
    use ErrorClass::{Client, DeadGrant, Misconfigured, Transient};
    let rows: Vec<_> = ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
    let expected = [
        ("invalid_grant", DeadGrant),
        ("invalid_client", Client),
        ("unauthorized_client", Misconfigured),
        ("invalid_scope", Misconfigured),
        ("unsupported_grant_type", Misconfigured),
        ("temporarily_unavailable", Transient),
        ("server_error", Transient),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_revocation_tells_wrong_credentials_by_a_word_of_its_own() {
    use ErrorClass::{Client, Transient};
    let rows: Vec<_> = REVOCATION_ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
    let expected = [
        ("invalid_client", Client),
        ("unauthorized_client", Client),
        ("temporarily_unavailable", Transient),
        ("server_error", Transient),
    ];
    assert_eq!(rows, expected);
}
