//! Deleting an authorization, and what becomes of its tokens.

use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::audit::{AuditAction, AuditOutcome};
use grantkeeper_domain::authorizations::{AuthorizationNotFound, DeleteAuthorizationError};
use grantkeeper_domain::ids::{AuthorizationId, ProviderId};
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_domain::revocations::{
    ClaimedRevocations, REVOCATION_PERIOD, Revocation, RevocationQueue as _, RevocationStatus,
};
use grantkeeper_testkit::scripted_provider::Call;

use super::world::World;

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connect", retry_after: None }
}

async fn delete(world: &World, id: AuthorizationId) {
    world.app.delete_authorization.run(&world.member, id).await.unwrap();
}

async fn receipt(world: &World, provider: ProviderId) -> Revocation {
    let mut receipts = world.store.revocations_of(provider).await.unwrap();
    assert_eq!(receipts.len(), 1);
    receipts.remove(0)
}

#[tokio::test]
async fn a_deleted_authorization_is_gone_at_once_and_revoked_soon() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    delete(&world, id).await;
    let found = world.app.view_authorizations.get(&world.member, id).await;
    assert!(matches!(found, Err(AuthorizationNotFound::NotFound)));
    assert_eq!(world.provider.calls(Call::Revoke), 0, "nobody waits for the provider");

    assert_eq!(world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(), 1);
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-1", "access-1"]);
    let receipt = receipt(&world, provider).await;
    assert_eq!((receipt.status, receipt.attempts), (RevocationStatus::Revoked, 1));
    assert_eq!((receipt.access_token, receipt.refresh_token), (None, None), "the tokens are destroyed");
    assert_eq!(receipt.authorization_id, id);
    assert_eq!(world.audited(AuditAction::AuthorizationDeleted).await.len(), 1);
    assert_eq!(world.audited(AuditAction::TokenRevoked).await.len(), 1);
    assert_eq!(world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(), 0);
}

#[tokio::test]
async fn only_its_user_deletes_an_authorization() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let stranger = world.stranger().await;
    let same_id_elsewhere = Caller { account_id: world.member.account_id, ..stranger.clone() };
    for other in [&world.admin, &stranger, &same_id_elsewhere] {
        let deleted = world.app.delete_authorization.run(other, id).await;
        assert!(matches!(deleted, Err(DeleteAuthorizationError::NotFound)));
    }
    delete(&world, id).await;
    let again = world.app.delete_authorization.run(&world.member, id).await;
    assert!(matches!(again, Err(DeleteAuthorizationError::NotFound)));
}

#[tokio::test]
async fn a_provider_that_cannot_revoke_gets_a_receipt_that_says_so() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.change(|state| state.can_revoke = false);
    delete(&world, id).await;
    world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
    let receipt = receipt(&world, provider).await;
    assert_eq!(receipt.status, RevocationStatus::NotSupported);
    assert!(receipt.access_token.is_none() && receipt.refresh_token.is_none());
}

#[tokio::test]
async fn what_the_provider_answers_decides() {
    let refused = |code: &str| UpstreamError::GrantRefused { code: code.to_owned() };
    let limited = UpstreamError::RateLimited { retry_after: None };
    for (answer, status) in [
        (refused("unsupported_token_type"), RevocationStatus::NotSupported),
        (refused("invalid_grant"), RevocationStatus::Revoked),
        (UpstreamError::TokenRefused, RevocationStatus::Revoked),
        (UpstreamError::ClientRefused { code: "invalid_client".to_owned() }, RevocationStatus::Pending),
        (limited, RevocationStatus::Pending),
        (down(), RevocationStatus::Pending),
    ] {
        let world = World::new().await;
        let (provider, id) = world.connected().await;
        delete(&world, id).await;
        world.provider.fail_next(Call::Revoke, answer.clone());
        world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
        let receipt = receipt(&world, provider).await;
        assert_eq!(receipt.status, status, "{answer:?}");
        assert_eq!(receipt.access_token.is_some(), status == RevocationStatus::Pending, "{answer:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_tried_again_ever_more_slowly() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    delete(&world, id).await;
    world.provider.fail(Call::Revoke, down());
    for wait in [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600] {
        assert_eq!(
            world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(),
            1,
            "due before {wait}"
        );
        let receipt = receipt(&world, provider).await;
        assert_eq!(receipt.next_attempt_at, world.now() + TimeDelta::seconds(wait));
        assert_eq!(receipt.last_error.as_deref(), Some("connect"));
        world.pass(u64::try_from(wait).unwrap() - 1);
        assert_eq!(
            world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(),
            0,
            "not due yet"
        );
        world.pass(1);
    }
    world.provider.recover(Call::Revoke);
    world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
    assert_eq!(receipt(&world, provider).await.status, RevocationStatus::Revoked);
}

#[tokio::test]
async fn after_seven_days_the_tokens_are_destroyed_and_the_receipt_says_so() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    delete(&world, id).await;
    let deadline = world.now() + REVOCATION_PERIOD;
    world.provider.fail(Call::Revoke, down());
    loop {
        world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
        let receipt = receipt(&world, provider).await;
        if receipt.status != RevocationStatus::Pending {
            break;
        }
        assert!(receipt.access_token.is_some() && receipt.refresh_token.is_some());
        world.clock.advance_to(receipt.next_attempt_at);
    }
    let receipt = receipt(&world, provider).await;
    assert_eq!((receipt.status, receipt.finished_at), (RevocationStatus::Failed, Some(deadline)));
    assert_eq!((receipt.access_token, receipt.refresh_token), (None, None));
    assert_eq!(receipt.last_error.as_deref(), Some("connect"));
    assert!(receipt.attempts > 170, "hourly for a week: {}", receipt.attempts);
    let entry = world.audited(AuditAction::TokenRevoked).await.pop().unwrap();
    assert_eq!((entry.outcome, entry.reason.as_deref()), (AuditOutcome::Failed, Some("connect")));
}

#[tokio::test]
async fn a_provider_that_names_a_time_is_tried_then_but_once_more_within_the_seven_days() {
    for (retry_after, next) in [
        (Duration::from_secs(7200), TimeDelta::hours(2)),
        (Duration::from_secs(30 * 24 * 3600), REVOCATION_PERIOD),
        (Duration::MAX, REVOCATION_PERIOD),
    ] {
        let world = World::new().await;
        let (provider, id) = world.connected().await;
        delete(&world, id).await;
        let retry_after = Some(retry_after);
        world.provider.fail_next(Call::Revoke, UpstreamError::RateLimited { retry_after });
        world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
        let first = receipt(&world, provider).await;
        assert_eq!((first.status, first.next_attempt_at), (RevocationStatus::Pending, world.now() + next));
        world.clock.advance_to(first.next_attempt_at);
        world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
        assert_eq!(receipt(&world, provider).await.status, RevocationStatus::Revoked);
    }
}

#[tokio::test]
async fn two_workers_share_the_work() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    for number in 0..12 {
        let id = world.connect(&world.member, provider, &format!("mo {number}")).await;
        delete(&world, id).await;
    }
    world.provider.hold(Call::Revoke);
    let run = || {
        let worker = world.app.run_due_revocations.clone();
        tokio::spawn(async move { worker.run(ClaimedRevocations::Due).await.unwrap() })
    };
    let (one, two) = (run(), run());
    world.provider.until_called(Call::Revoke, 12).await;
    world.provider.release(Call::Revoke);
    assert_eq!(one.await.unwrap() + two.await.unwrap(), 12);
    assert_eq!(world.provider.read(|state| state.revoked.len()), 24, "each token once");
}

#[tokio::test]
async fn a_revocation_whose_worker_died_is_taken_over_after_a_minute() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    delete(&world, id).await;
    world.provider.hold(Call::Revoke);
    let worker = world.app.run_due_revocations.clone();
    let dying = tokio::spawn(async move { worker.run(ClaimedRevocations::Due).await });
    world.provider.until_called(Call::Revoke, 1).await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    world.provider.release(Call::Revoke);
    world.pass(59);
    assert_eq!(world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(), 0);
    world.pass(1);
    assert_eq!(world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(), 1);
}

#[tokio::test]
async fn a_provider_has_thirty_seconds_for_a_revocation() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    delete(&world, id).await;
    world.provider.hold(Call::Revoke);
    let worker = world.app.run_due_revocations.clone();
    let running = tokio::spawn(async move { worker.run(ClaimedRevocations::Due).await });
    world.clock.until_sleeping(1).await;
    world.pass(30);
    assert_eq!(running.await.unwrap().unwrap(), 1);
    assert_eq!(receipt(&world, provider).await.last_error.as_deref(), Some("timeout"));
}
