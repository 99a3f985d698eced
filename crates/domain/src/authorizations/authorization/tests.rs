use chrono::TimeDelta;

use super::*;
use crate::Secret;
use crate::fixtures::{LabelSealer, START, authorization, expired, new_tokens, opened, provider};

fn dead() -> GrantState {
    GrantState::Dead { reason: "invalid_grant".to_owned() }
}

#[test]
fn a_grant_is_dead_when_the_provider_said_so_or_nothing_is_left_to_refresh_with() {
    let without_refresh_token = |row: Authorization| Authorization { refresh_token: None, ..row };
    let refreshable_until = |end| Authorization { refresh_token_expires_at: Some(end), ..expired() };
    for (row, expected) in [
        (authorization(), None),
        (expired(), None),
        (without_refresh_token(authorization()), None),
        (without_refresh_token(expired()), Some("no_refresh_token")),
        (refreshable_until(START + TimeDelta::seconds(1)), None),
        (refreshable_until(START), Some("refresh_token_expired")),
        (Authorization { refresh_token_expires_at: Some(START), ..authorization() }, None),
        (Authorization { grant: dead(), ..authorization() }, Some("invalid_grant")),
        (without_refresh_token(Authorization { expires_at: None, ..authorization() }), None),
    ] {
        assert_eq!(row.dead_reason(START), expected, "{row:?}");
    }
}

#[test]
fn a_status_is_that_of_the_provider_first() {
    use AuthorizationStatus::{Active, Expired, InvalidOauthClient, InvalidProviderState};
    for (provider_status, grant, expected, reason) in [
        (ProviderStatus::Active, GrantState::Live, Active, None),
        (ProviderStatus::Active, dead(), Expired, Some("invalid_grant")),
        (ProviderStatus::Inactive, GrantState::Live, InvalidProviderState, Some("provider_inactive")),
        (ProviderStatus::Inactive, dead(), InvalidProviderState, Some("provider_inactive")),
        (ProviderStatus::Disabled, GrantState::Live, InvalidOauthClient, Some("client_refused")),
        (ProviderStatus::Disabled, dead(), InvalidOauthClient, Some("client_refused")),
        (ProviderStatus::DeletionFailed, GrantState::Live, InvalidProviderState, Some("provider_deleted")),
    ] {
        let provider = Provider { status: provider_status, ..provider() };
        let view = AuthorizationView::of(Authorization { grant, ..authorization() }, provider, START);
        assert_eq!((view.status, view.status_reason.as_deref()), (expected, reason), "{provider_status:?}");
    }
}

#[test]
fn an_active_authorization_tells_why_its_last_refresh_failed() {
    let row = Authorization { last_failure: Some("connect".to_owned()), ..authorization() };
    let view = AuthorizationView::of(row, provider(), START);
    assert_eq!((view.status, view.status_reason.as_deref()), (AuthorizationStatus::Active, Some("connect")));
}

#[test]
fn a_grant_that_ran_out_ended_with_its_last_token() {
    let row = Authorization { refresh_token: None, ..expired() };
    let view = AuthorizationView::of(row, provider(), START + TimeDelta::days(1));
    assert_eq!((view.status, view.status_since), (AuthorizationStatus::Expired, START));
}

#[test]
fn a_refresh_token_is_what_offline_access_asks_for() {
    let row = Authorization {
        requested_scopes: Scopes::parse("openid email offline_access"),
        granted_scopes: Scopes::parse("openid"),
        ..authorization()
    };
    assert_eq!(row.missing_scopes(), Scopes::parse("email"));
    let without = Authorization { refresh_token: None, ..row };
    assert_eq!(without.missing_scopes(), Scopes::parse("email offline_access"));
}

#[tokio::test]
async fn an_answer_replaces_what_is_in_it_and_nothing_else() {
    let before = Authorization {
        refresh_token_expires_at: Some(START + TimeDelta::days(1)),
        last_failure: Some("connect".to_owned()),
        next_attempt_at: Some(START),
        ..authorization()
    };
    let tokens = TokenSet { refresh_token: None, expires_in: None, ..new_tokens() };
    let after = before.clone().with_tokens(&tokens, START, &*LabelSealer::shared()).await.unwrap();
    assert_eq!(opened(after.access_token_place(), &after.access_token).as_deref(), Some("new access"));
    assert_eq!((after.expires_at, after.issued_at), (None, START));
    assert_eq!(after.refresh_token, before.refresh_token, "RFC 6749, 6: the old one stays");
    assert_eq!(after.refresh_token_expires_at, before.refresh_token_expires_at);
    assert_eq!(after.granted_scopes, before.granted_scopes);
    assert_eq!((after.last_failure, after.next_attempt_at), (None, None));
}

#[tokio::test]
async fn lives_count_from_the_question() {
    let asked = START + TimeDelta::seconds(5);
    let tokens = TokenSet {
        refresh_token_expires_in: Some(Duration::from_secs(600)),
        scopes: Some(Scopes::parse("openid")),
        ..new_tokens()
    };
    let after = authorization().with_tokens(&tokens, asked, &*LabelSealer::shared()).await.unwrap();
    assert_eq!(after.expires_at, Some(asked + TimeDelta::hours(1)));
    assert_eq!(after.refresh_token_expires_at, Some(asked + TimeDelta::minutes(10)));
    assert_eq!(after.granted_scopes, Scopes::parse("openid"));
    let sealed = after.refresh_token.as_ref().unwrap();
    assert_eq!(opened(after.refresh_token_place(), sealed).as_deref(), Some("new refresh"));
}

#[tokio::test]
async fn a_life_beyond_the_calendar_is_of_unknown_end() {
    let tokens = TokenSet {
        access_token: Secret::new("new".to_owned()),
        expires_in: Some(Duration::MAX),
        ..new_tokens()
    };
    let after = authorization().with_tokens(&tokens, START, &*LabelSealer::shared()).await.unwrap();
    assert_eq!(after.expires_at, None);
}
