//! Organizations, accounts, their tokens and browser sessions.

use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::accounts::{
    ApiTokenStore as _, AuthenticateError, Caller, CreateAccountError, CreateOrganizationError,
    IssueApiTokenError, IssuedToken, OpenSessionError, Role, SetRedirectUrisError, TokenPurpose, TokenReach,
};
use grantkeeper_domain::audit::AuditAction;
use grantkeeper_domain::authorizations::{StartFlowError, StartFlowRequest};
use grantkeeper_domain::revocations::ClaimedRevocations;

use super::world::World;

const DAY: u64 = 24 * 3600;

async fn issue(world: &World, lifetime: Option<Duration>) -> IssuedToken {
    world.app.issue_api_token.run(world.member.account_id, TokenReach::Account, lifetime).await.ok().unwrap()
}

async fn authenticate(world: &World, token: &IssuedToken) -> Result<Caller, AuthenticateError> {
    world.app.authenticate.run(token.secret.expose(), Some("r".to_owned())).await
}

async fn open_session(world: &World, token: &IssuedToken) -> Result<IssuedToken, OpenSessionError> {
    world.app.open_session.run(token.secret.expose(), None).await.map(|(_, session)| session)
}

fn is_refused(authenticated: &Result<Caller, AuthenticateError>) -> bool {
    matches!(authenticated, Err(AuthenticateError::Unauthenticated))
}

#[tokio::test]
async fn a_token_makes_its_user_the_caller() {
    let world = World::new().await;
    let token = issue(&world, None).await;
    let caller = authenticate(&world, &token).await.unwrap();
    let expected = Caller {
        token_id: token.token.id,
        request_id: Some("r".to_owned()),
        purpose: TokenPurpose::Api,
        ..world.member.clone()
    };
    assert_eq!(caller, expected);
    assert_eq!(world.audited(AuditAction::ApiTokenIssued).await.len(), 1);
}

#[tokio::test]
async fn a_token_ends_at_its_time_or_by_its_revocation() {
    let world = World::new().await;
    let (short, long) = (issue(&world, Some(Duration::from_secs(60))).await, issue(&world, None).await);
    world.pass(59);
    authenticate(&world, &short).await.unwrap();
    world.pass(1);
    assert!(is_refused(&authenticate(&world, &short).await));
    authenticate(&world, &long).await.unwrap();
    let revoked = world.app.revoke_api_token.run(long.token.id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(world.now()));
    assert!(is_refused(&authenticate(&world, &long).await));
    world.pass(5);
    let again = world.app.revoke_api_token.run(long.token.id).await.unwrap();
    assert_eq!(again, revoked, "it was revoked when it was revoked");
    assert_eq!(world.audited(AuditAction::ApiTokenRevoked).await.len(), 1);
}

#[tokio::test]
async fn a_lifetime_is_neither_nothing_nor_beyond_the_calendar() {
    let world = World::new().await;
    for lifetime in [Duration::ZERO, Duration::MAX] {
        let issued =
            world.app.issue_api_token.run(world.member.account_id, TokenReach::Account, Some(lifetime)).await;
        assert!(matches!(issued, Err(IssueApiTokenError::Lifetime)), "{lifetime:?}");
    }
}

#[tokio::test]
async fn the_last_use_is_noted_to_the_minute() {
    let world = World::new().await;
    let token = issue(&world, None).await;
    let last_used = async || {
        world.tasks.drain().await;
        world.store.token(token.token.id).await.unwrap().unwrap().last_used_at
    };
    let first = world.now();
    authenticate(&world, &token).await.unwrap();
    world.pass(59);
    authenticate(&world, &token).await.unwrap();
    assert_eq!(last_used().await, Some(first));
    world.pass(1);
    authenticate(&world, &token).await.unwrap();
    assert_eq!(last_used().await, Some(first + TimeDelta::minutes(1)));
}

#[tokio::test]
async fn a_session_is_a_token_of_its_own_for_eight_hours() {
    let world = World::new().await;
    let token = issue(&world, None).await;
    let session = open_session(&world, &token).await.ok().unwrap();
    let caller = authenticate(&world, &session).await.unwrap();
    assert_eq!(caller.account_id, world.member.account_id);
    assert_eq!(caller.purpose, TokenPurpose::Session { opened_with: token.token.id });
    let listed = world.app.list_api_tokens.run(world.member.account_id).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [token.token.id]);
    world.pass(8 * 3600 - 1);
    authenticate(&world, &session).await.unwrap();
    world.pass(1);
    assert!(is_refused(&authenticate(&world, &session).await));
}

#[tokio::test]
async fn a_session_opens_no_other_session() {
    let world = World::new().await;
    let session = open_session(&world, &issue(&world, None).await).await.ok().unwrap();
    assert!(matches!(open_session(&world, &session).await, Err(OpenSessionError::Refused)));
}

#[tokio::test]
async fn a_session_ends_with_the_token_that_opened_it() {
    let world = World::new().await;
    let token = issue(&world, None).await;
    let session = open_session(&world, &token).await.ok().unwrap();
    world.app.revoke_api_token.run(token.token.id).await.unwrap();
    assert!(is_refused(&authenticate(&world, &session).await), "revoked");

    let token = issue(&world, Some(Duration::from_secs(60))).await;
    let session = open_session(&world, &token).await.ok().unwrap();
    world.pass(60);
    assert!(is_refused(&authenticate(&world, &session).await), "expired");
}

#[tokio::test]
async fn names_and_addresses_are_taken_once() {
    let world = World::new().await;
    let taken = world.app.create_organization.run(" Observatory ").await;
    assert!(matches!(taken, Err(CreateOrganizationError::NameTaken)));
    let other = world.app.create_organization.run("Elsewhere").await.unwrap();
    let taken = world.app.create_account.run(world.organization.id, "mo@EXAMPLE.com", Role::Admin).await;
    assert!(matches!(taken, Err(CreateAccountError::EmailTaken)));
    world.app.create_account.run(other.id, "mo@example.com", Role::Member).await.unwrap();
    assert!(world.app.create_account.run(other.id, "no address", Role::Member).await.is_err());
    let unknown = "019b76da-a87b-77fc-b32e-4e82d6400cff".parse().unwrap();
    let created = world.app.create_account.run(unknown, "a@example.com", Role::Member).await;
    assert!(matches!(created, Err(CreateAccountError::OrganizationNotFound)));
}

#[tokio::test]
async fn flows_return_only_where_the_organization_allows() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let start = async |uri: &str| {
        let request = StartFlowRequest {
            provider_id: provider,
            redirect_uri: Some(uri.to_owned()),
            state: None,
            skip_consent: None,
            return_to: None,
        };
        world.app.start_flow.run(&world.member, request).await
    };
    assert!(start("http://127.0.0.1:1234/any").await.is_ok());
    assert!(matches!(start("https://app.example/cb").await, Err(StartFlowError::RedirectNotAllowed)));
    assert!(matches!(start("https://app.example/cb?x=1").await, Err(StartFlowError::RedirectUri(_))));
    let uris = ["https://app.example/cb".to_owned()];
    world.app.set_redirect_uris.run(world.organization.id, &uris).await.unwrap();
    assert!(start("https://app.example/cb").await.is_ok());
    assert!(matches!(start("http://127.0.0.1:1234/any").await, Err(StartFlowError::RedirectNotAllowed)));

    let wrong = ["https://app.example/cb".to_owned(), "http://app.example/cb".to_owned()];
    match world.app.set_redirect_uris.run(world.organization.id, &wrong).await {
        Err(SetRedirectUrisError::Uri { uri, .. }) => assert_eq!(uri, wrong[1]),
        other => panic!("{other:?}"),
    }
    world.app.set_redirect_uris.run(world.organization.id, &[]).await.unwrap();
    assert!(start("http://127.0.0.1:1234/any").await.is_ok());
}

#[tokio::test]
async fn what_has_had_its_time_is_removed() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let token = issue(&world, Some(Duration::from_secs(DAY))).await;
    world.app.delete_authorization.run(&world.member, id).await.unwrap();
    world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
    assert_eq!(world.app.clean_up.run().await.unwrap(), 0);
    world.pass(600 + 3600 + 1);
    assert_eq!(world.app.clean_up.run().await.unwrap(), 1, "the flow");
    world.pass(32 * DAY);
    assert_eq!(world.app.clean_up.run().await.unwrap(), 1, "the token");
    assert!(world.store.token(token.token.id).await.unwrap().is_none());
    world.pass(60 * DAY);
    assert_eq!(world.app.clean_up.run().await.unwrap(), 1, "the receipt");
    assert!(world.stored_provider(provider).await.is_some());
}
