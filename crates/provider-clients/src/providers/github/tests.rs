//! GitHub's tables and what a registration asks for.

use super::*;

#[test]
fn every_error_has_its_class() {
    use ErrorClass::{Client, DeadGrant, Interaction, Misconfigured};
    let rows: Vec<_> = ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
    let expected = [
        ("bad_refresh_token", DeadGrant),
        ("bad_verification_code", DeadGrant),
        ("incorrect_client_credentials", Client),
        ("redirect_uri_mismatch", Misconfigured),
        ("unsupported_grant_type", Misconfigured),
        ("device_flow_disabled", Misconfigured),
        ("unverified_user_email", Interaction),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn an_app_has_permissions_in_the_place_of_scopes() {
    let scopes = |app_slug: Option<&str>, scopes: Option<&str>| {
        registered_scopes(&Registration {
            client_id: "client".to_owned(),
            host: None,
            app_slug: app_slug.map(str::to_owned),
            scopes: scopes.map(Scopes::parse),
        })
    };
    assert_eq!(scopes(None, None), Ok(Scopes::parse("offline_access read:user user:email")));
    assert_eq!(scopes(None, Some("repo")), Ok(Scopes::parse("repo")));
    assert_eq!(scopes(Some("app"), None), Ok(Scopes::default()));
    assert_eq!(scopes(Some("app"), Some("")), Ok(Scopes::default()));
    assert_eq!(scopes(Some("app"), Some("repo")).unwrap_err().field, "scopes");
}
