//! What becomes of a code.

use chrono::TimeDelta;
use grantkeeper_domain::audit::AuditAction;
use grantkeeper_domain::authorizations::{
    Authorization, AuthorizationStatus, AuthorizationStore as _, CompleteFlowError, GrantState, Scopes,
};
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::{ProviderStatus, ProviderUpdate, UpstreamError};
use grantkeeper_domain::revocations::{ClaimedRevocations, RevocationQueue as _};
use grantkeeper_domain::{Change, Secret};
use grantkeeper_testkit::scripted_provider::Call;
use tokio::task::JoinHandle;

use super::world::{World, callback};

fn refused<T>(result: Result<T, CompleteFlowError>) -> String {
    match result {
        Err(CompleteFlowError::Refused { reason }) => reason,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("an authorization"),
    }
}

/// A callback whose exchange the provider holds.
async fn held(
    world: &World,
    provider: ProviderId,
    person: &str,
) -> JoinHandle<Result<(), CompleteFlowError>> {
    let started = world.start(&world.member, provider).await;
    world.provider.hold(Call::Exchange);
    let (complete, member) = (world.app.complete_flow.clone(), world.member.clone());
    let sent = callback(provider, &started.state, &format!("code:{person}:held"));
    let before = world.provider.calls(Call::Exchange);
    let completing = tokio::spawn(async move { complete.for_caller(&member, sent).await.map(|_| ()) });
    world.provider.until_called(Call::Exchange, before + 1).await;
    completing
}

#[tokio::test]
async fn the_same_account_keeps_its_id_and_gets_new_tokens() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.pass(100);
    assert_eq!(world.connect(&world.member, provider, "mo").await, id);
    assert_eq!(world.stored_access_token(id).await, "access-2");
    assert_eq!(world.stored_refresh_token(id).await.as_deref(), Some("refresh-2"));
    let row = world.stored(id).await;
    assert_eq!(row.created_at, world.now() - TimeDelta::seconds(100));
    assert_eq!((row.grant_since, row.issued_at), (world.now(), world.now()));
    assert_eq!(world.app.view_authorizations.list(&world.member).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_account_is_a_second_authorization() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let second = world.connect(&world.member, provider, "mo at work").await;
    assert_ne!(second, id);
    assert_eq!(world.stored_access_token(id).await, "access-1", "the first one is untouched");
    assert_eq!(world.stored(id).await.subject, "mo");
}

#[tokio::test]
async fn one_account_at_the_provider_may_belong_to_two_users() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    assert_ne!(world.connect(&world.admin, provider, "mo").await, id);
}

#[tokio::test]
async fn authorizing_again_revives_a_dead_grant() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let row = world.stored(id).await;
    let grant = GrantState::Dead { reason: "invalid_grant".to_owned() };
    world.commit(vec![Change::update(Authorization { grant, refresh_token: None, ..row })]).await;
    world.provider.change(|state| state.gives_refresh_tokens = false);
    assert_eq!(world.connect(&world.member, provider, "mo").await, id);
    let row = world.stored(id).await;
    assert_eq!((row.grant, row.refresh_token), (GrantState::Live, None));
}

#[tokio::test]
async fn a_living_refresh_token_stays_where_no_new_one_comes() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.change(|state| state.gives_refresh_tokens = false);
    world.connect(&world.member, provider, "mo").await;
    assert_eq!(world.stored_refresh_token(id).await.as_deref(), Some("refresh-1"));
}

#[tokio::test]
async fn a_new_authorization_asks_for_the_scopes_of_its_time() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let scopes = Scopes::parse("openid profile email");
    let update = ProviderUpdate { scopes: Some(scopes.clone()), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    assert_eq!(world.stored(id).await.requested_scopes, Scopes::parse("openid offline_access"));
    world.connect(&world.member, provider, "mo").await;
    let row = world.stored(id).await;
    assert_eq!((&row.requested_scopes, &row.granted_scopes), (&scopes, &scopes));
}

#[tokio::test]
async fn the_life_of_a_token_counts_from_when_the_code_was_sent() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let sent_at = world.now();
    let completing = held(&world, provider, "mo").await;
    world.pass(3);
    world.provider.release(Call::Exchange);
    completing.await.unwrap().unwrap();
    let [(row, _)] = &world.store.authorizations_of(world.member.account_id).await.unwrap()[..] else {
        panic!("one authorization");
    };
    assert_eq!(row.issued_at, sent_at);
    assert_eq!(row.expires_at, Some(sent_at + TimeDelta::hours(1)));
}

#[tokio::test]
async fn tokens_of_nobody_in_particular_are_revoked() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    world.provider.fail_next(Call::Identify, UpstreamError::Untrusted { reason: "userinfo_subject_missing" });
    let result = world.complete(&world.member, provider, &started.state, "code:mo:1").await;
    assert!(matches!(result, Err(CompleteFlowError::Refused { .. })), "{result:?}");
    assert!(world.store.authorizations_of(world.member.account_id).await.unwrap().is_empty());
    world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-1", "access-1"]);
}

#[tokio::test]
async fn a_verified_id_token_is_enough_where_the_profile_cannot_be_had() {
    let world = World::new().await;
    world.provider.change(|state| state.gives_id_tokens = true);
    let provider = world.register("GitLab").await.id;
    world.provider.fail(Call::Identify, UpstreamError::Unavailable { reason: "connect", retry_after: None });
    let id = world.connect(&world.member, provider, "mo").await;
    assert_eq!(world.stored(id).await.subject, "mo");
}

#[tokio::test]
async fn a_profile_of_somebody_else_is_not_trusted() {
    let world = World::new().await;
    world.provider.change(|state| state.gives_id_tokens = true);
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    world.provider.fail_next(Call::Identify, UpstreamError::Untrusted { reason: "subject_mismatch" });
    let result = world.complete(&world.member, provider, &started.state, "code:mo:1").await;
    assert_eq!(refused(result), "subject_mismatch");
    assert_eq!(world.store.revocations_of(provider).await.unwrap().len(), 1);
}

#[tokio::test]
async fn tokens_that_come_while_the_provider_is_deleted_are_revoked() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let completing = held(&world, provider, "mo").await;
    world.app.delete_provider.run(&world.admin, provider).await.unwrap();
    world.provider.release(Call::Exchange);
    assert_eq!(refused(completing.await.unwrap()), "provider_deleted");
    assert!(world.store.authorizations_at(provider, None, 10).await.unwrap().is_empty());
    world.app.run_next_job.run().await.unwrap();
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-1", "access-1"]);
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn a_deletion_waits_for_codes_that_are_being_redeemed() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let completing = held(&world, provider, "mo").await;
    world.app.delete_provider.run(&world.admin, provider).await.unwrap();
    let run_next_job = world.app.run_next_job.clone();
    let deleting = tokio::spawn(async move { run_next_job.run().await });
    // The exchange's limit, its caller's patience, the job's look and its heartbeat.
    world.clock.until_sleeping(4).await;
    assert!(!deleting.is_finished());
    world.provider.release(Call::Exchange);
    assert_eq!(refused(completing.await.unwrap()), "provider_deleted");
    while !deleting.is_finished() {
        world.pass(1);
        tokio::task::yield_now().await;
    }
    deleting.await.unwrap().unwrap();
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-1", "access-1"]);
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn tokens_that_come_after_a_failed_deletion_are_revoked() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let completing = held(&world, provider, "mo").await;
    let mut row = world.stored_provider(provider).await.unwrap();
    row.status = ProviderStatus::DeletionFailed;
    world.commit(vec![Change::update(row)]).await;
    world.provider.release(Call::Exchange);
    assert_eq!(refused(completing.await.unwrap()), "provider_deleted");
    assert_eq!(world.store.revocations_of(provider).await.unwrap().len(), 1);
}

#[tokio::test]
async fn wrong_client_credentials_disable_the_provider() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let started = world.start(&world.member, provider).await;
    let error = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    world.provider.fail_next(Call::Exchange, error);
    let result = world.complete(&world.member, provider, &started.state, "code:mo:1").await;
    assert_eq!(refused(result), "invalid_client");
    assert_eq!(world.stored_provider(provider).await.unwrap().status, ProviderStatus::Disabled);
    let view = world.app.view_authorizations.get(&world.member, id).await.unwrap();
    assert_eq!(view.status, AuthorizationStatus::InvalidOauthClient);
}

#[tokio::test]
async fn credentials_that_were_replaced_meanwhile_are_not_blamed() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let error = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    world.provider.fail_next(Call::Exchange, error);
    let completing = held(&world, provider, "mo").await;
    let client_secret = Some(Secret::new("right".to_owned()));
    let update = ProviderUpdate { client_secret, ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    world.provider.release(Call::Exchange);
    assert_eq!(refused(completing.await.unwrap()), "invalid_client");
    assert_eq!(world.stored_provider(provider).await.unwrap().status, ProviderStatus::Active);
    assert!(world.audited(AuditAction::ProviderDisabled).await.is_empty());
}

#[tokio::test]
async fn two_flows_of_one_account_at_once_make_one_authorization() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    world.provider.hold(Call::Identify);
    let mut completing = Vec::new();
    for number in 0..8 {
        let started = world.start(&world.member, provider).await;
        let (complete, member) = (world.app.complete_flow.clone(), world.member.clone());
        let sent = callback(provider, &started.state, &format!("code:mo:{number}"));
        completing.push(tokio::spawn(async move { complete.for_caller(&member, sent).await }));
    }
    world.provider.until_called(Call::Identify, 8).await;
    world.provider.release(Call::Identify);
    let mut ids = Vec::new();
    for completing in completing {
        ids.push(completing.await.unwrap().unwrap().authorization.authorization.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.audited(AuditAction::AuthorizationGranted).await.len(), 8);
}
