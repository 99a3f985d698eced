//! Handing out access tokens, and refreshing them once.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::accounts::{Caller, Role};
use grantkeeper_domain::audit::{AuditAction, AuditOutcome};
use grantkeeper_domain::authorizations::{Authorization, GrantState};
use grantkeeper_domain::providers::{ProviderStatus, ProviderUpdate, RequestedStatus, UpstreamError};
use grantkeeper_domain::revocations::{ClaimedRevocations, RevocationQueue as _};
use grantkeeper_domain::sealing::TokenSealer as _;
use grantkeeper_domain::tokens::{LendError, RefreshLeases as _, TakenLease};
use grantkeeper_domain::{Change, Secret, StoreError};
use grantkeeper_testkit::scripted_provider::Call;
use grantkeeper_testkit::{FixedClock, SeededRandom};
use tokio::task::JoinSet;

use super::world::{World, as_account};

const HOUR: u64 = 3600;

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connect", retry_after: None }
}

fn client_refused() -> UpstreamError {
    UpstreamError::ClientRefused { code: "invalid_client".to_owned() }
}

fn dead() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

fn unavailable<T>(result: Result<T, LendError>) -> String {
    match result {
        Err(LendError::Unavailable { reason }) => reason,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("a token"),
    }
}

fn grant_dead<T>(result: Result<T, LendError>) -> String {
    match result {
        Err(LendError::GrantDead { reason }) => reason,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("a token"),
    }
}

#[tokio::test]
async fn a_fresh_token_is_handed_out_without_asking_the_provider() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.provider.calls(Call::Refresh), 0);
}

#[tokio::test]
async fn every_hand_out_is_in_the_audit_log_by_its_fingerprint() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.token(id).await;
    let entries = world.audited(AuditAction::TokenHandedOut).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].authorization_id, Some(id));
    assert_eq!(entries[0].provider_id, Some(provider));
    assert_eq!(entries[0].token, Some(Secret::new("access-1".to_owned()).fingerprint()));
    assert_eq!(entries[0].request_id, world.member.request_id);
}

#[tokio::test]
async fn an_ageing_token_is_refreshed_early() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.pass(HOUR - 60);
    assert_eq!(world.token(id).await, "access-1", "a minute is enough");
    world.pass(1);
    assert_eq!(world.token(id).await, "access-2");
    let row = world.stored(id).await;
    assert_eq!(row.last_refreshed_at, Some(world.now()));
    assert_eq!(row.expires_at, Some(world.now() + TimeDelta::hours(1)));
    assert_eq!(world.stored_refresh_token(id).await.as_deref(), Some("refresh-2"));
}

#[tokio::test]
async fn a_short_lived_token_is_not_refreshed_at_every_call() {
    let world = World::new().await;
    world.provider.change(|state| state.expires_in = Some(Duration::from_secs(50)));
    let (_, id) = world.connected().await;
    world.pass(40);
    assert_eq!(world.token(id).await, "access-1", "a fifth of its life is left");
    world.pass(1);
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn a_token_without_expiry_is_never_refreshed() {
    let world = World::new().await;
    world.provider.change(|state| state.expires_in = None);
    let (_, id) = world.connected().await;
    world.pass(10_000 * HOUR);
    let lent = world.lend(id).await.ok().unwrap();
    assert_eq!((lent.access_token.expose(), lent.expires_at), ("access-1", None));
    assert_eq!(world.provider.calls(Call::Refresh), 0);
}

#[tokio::test]
async fn while_the_provider_is_down_a_valid_token_is_still_handed_out() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.fail(Call::Refresh, down());
    world.pass(HOUR - 30);
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    assert_eq!(world.stored(id).await.last_failure.as_deref(), Some("connect"));
    // It is left alone for a while, since nobody needs it yet.
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    world.pass(15);
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.provider.calls(Call::Refresh), 2);
    world.provider.recover(Call::Refresh);
    world.pass(15);
    assert_eq!(world.token(id).await, "access-2");
    let row = world.stored(id).await;
    assert_eq!((row.last_failure, row.next_attempt_at), (None, None));
}

#[tokio::test]
async fn nobody_waits_long_for_a_refresh_they_can_do_without() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR - 30);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    world.clock.until_sleeping(2).await;
    world.pass(1);
    assert_eq!(asking.await.unwrap().unwrap(), "access-1");
    world.provider.release(Call::Refresh);
    world.tasks.drain().await;
    assert_eq!(world.token(id).await, "access-2", "the refresh went on behind them");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
}

#[tokio::test]
async fn a_caller_can_ask_for_a_token_that_lives_longer() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let lend = async |min_ttl| {
        let min_ttl = Duration::from_secs(min_ttl);
        let lent = world.app.lend_access_token.run(&world.member, id, min_ttl).await;
        lent.ok().unwrap().access_token.expose().to_owned()
    };
    world.pass(600);
    assert_eq!(lend(HOUR - 600).await, "access-1");
    assert_eq!(lend(HOUR - 599).await, "access-2");
    world.provider.fail(Call::Refresh, down());
    world.pass(600);
    assert_eq!(lend(HOUR).await, "access-2", "what is still valid is better than nothing");
    assert_eq!(world.provider.calls(Call::Refresh), 2);
}

#[tokio::test]
async fn who_asks_for_a_longer_life_waits_for_it() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(600);
    let (lend, member) = (world.app.lend_access_token.clone(), world.member.clone());
    let asking = tokio::spawn(async move {
        let lent = lend.run(&member, id, Duration::from_secs(HOUR)).await;
        lent.ok().unwrap().access_token.expose().to_owned()
    });
    world.clock.until_sleeping(2).await;
    world.pass(3);
    world.provider.release(Call::Refresh);
    assert_eq!(asking.await.unwrap(), "access-2");
}

#[tokio::test]
async fn an_expired_token_and_a_provider_that_is_down_make_it_unavailable() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.fail(Call::Refresh, down());
    world.pass(HOUR);
    assert_eq!(unavailable(world.lend(id).await), "connect");
    let row = world.stored(id).await;
    assert_eq!(row.grant, GrantState::Live);
    assert!(row.refresh_token.is_some());
    let refused = world.audited(AuditAction::TokenHandedOut).await.pop().unwrap();
    assert_eq!((refused.outcome, refused.reason.as_deref()), (AuditOutcome::Refused, Some("connect")));
    // Whoever needs a token asks at once, whatever failed before.
    world.provider.recover(Call::Refresh);
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn a_caller_waits_four_seconds_and_the_next_call_gets_that_refresh() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    world.clock.until_sleeping(2).await;
    world.pass(4);
    assert_eq!(unavailable(asking.await.unwrap()), "slow");
    let again = world.spawn_lend(id);
    world.clock.until_sleeping(2).await;
    world.pass(3);
    world.provider.release(Call::Refresh);
    assert_eq!(again.await.unwrap().unwrap(), "access-2");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    let row = world.stored(id).await;
    assert_eq!(
        row.issued_at,
        world.now() - TimeDelta::seconds(7),
        "its life counts from when it was asked for"
    );
}

#[tokio::test]
async fn a_rotated_token_is_kept_when_its_caller_has_left() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    world.provider.release(Call::Refresh);
    world.tasks.drain().await;
    assert_eq!(world.stored_refresh_token(id).await.as_deref(), Some("refresh-2"));
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn a_provider_has_thirty_seconds_for_a_refresh() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    world.clock.until_sleeping(2).await;
    world.pass(4);
    assert_eq!(unavailable(asking.await.unwrap()), "slow");
    let begin = world.now() - TimeDelta::seconds(4);
    world.while_time_passes(Duration::from_millis(500), world.tasks.drain()).await;
    assert!((TimeDelta::seconds(30)..TimeDelta::seconds(35)).contains(&(world.now() - begin)));
    assert_eq!(world.stored(id).await.last_failure.as_deref(), Some("timeout"));
}

#[tokio::test]
async fn a_definite_refusal_kills_the_grant() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.fail_next(Call::Refresh, dead());
    world.pass(HOUR);
    assert_eq!(grant_dead(world.lend(id).await), "invalid_grant");
    let row = world.stored(id).await;
    assert_eq!(row.grant, GrantState::Dead { reason: "invalid_grant".to_owned() });
    assert_eq!((row.refresh_token, row.grant_since), (None, world.now()));
    assert_eq!(world.audited(AuditAction::AuthorizationExpired).await.len(), 1);
    assert_eq!(grant_dead(world.lend(id).await), "invalid_grant");
    assert_eq!(world.provider.calls(Call::Refresh), 1, "nobody asks again");
}

#[tokio::test]
async fn without_a_refresh_token_the_grant_ends_with_its_token() {
    let world = World::new().await;
    world.provider.change(|state| state.gives_refresh_tokens = false);
    let (_, id) = world.connected().await;
    world.pass(HOUR - 1);
    assert_eq!(world.token(id).await, "access-1");
    world.pass(1);
    assert_eq!(grant_dead(world.lend(id).await), "no_refresh_token");
    assert_eq!(world.provider.calls(Call::Refresh), 0);
}

#[tokio::test]
async fn wrong_client_credentials_disable_the_provider_and_cost_nobody_their_grant() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.fail(Call::Refresh, client_refused());
    world.pass(HOUR - 10);
    assert_eq!(world.token(id).await, "access-1", "what is still valid is handed out");
    assert_eq!(world.stored_provider(provider).await.unwrap().status, ProviderStatus::Disabled);
    assert_eq!(world.audited(AuditAction::ProviderDisabled).await.len(), 1);
    world.pass(10);
    assert!(matches!(world.lend(id).await, Err(LendError::ProviderNotActive)));
    assert_eq!(world.provider.calls(Call::Refresh), 1, "a disabled provider is not asked");
    let row = world.stored(id).await;
    assert!(row.grant == GrantState::Live && row.refresh_token.is_some());

    world.provider.recover(Call::Refresh);
    let update =
        ProviderUpdate { client_secret: Some(Secret::new("right".to_owned())), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn everybody_whose_refresh_meets_wrong_client_credentials_hears_so() {
    let world = World::new().await;
    let (provider, first) = world.connected().await;
    let second = world.connect(&world.member, provider, "another account of theirs").await;
    world.pass(HOUR);
    world.provider.fail(Call::Refresh, client_refused());
    world.provider.hold(Call::Refresh);
    let asking = [world.spawn_lend(first), world.spawn_lend(second)];
    world.provider.until_called(Call::Refresh, 2).await;
    world.provider.release(Call::Refresh);
    for asking in asking {
        assert!(matches!(asking.await.unwrap(), Err(LendError::ProviderNotActive)));
    }
    assert_eq!(world.audited(AuditAction::ProviderDisabled).await.len(), 1);
}

#[tokio::test]
async fn a_provider_that_limits_the_rate_is_left_alone_for_as_long_as_it_says() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let retry_after = Some(Duration::from_secs(120));
    world.provider.fail_next(Call::Refresh, UpstreamError::RateLimited { retry_after });
    world.pass(HOUR);
    assert_eq!(unavailable(world.lend(id).await), "rate_limited");
    world.pass(119);
    assert_eq!(unavailable(world.lend(id).await), "rate_limited");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    world.pass(1);
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn a_paused_provider_gives_no_token() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let update = ProviderUpdate { status: Some(RequestedStatus::Inactive), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    assert!(matches!(world.lend(id).await, Err(LendError::ProviderNotActive)));
}

#[tokio::test]
async fn what_is_another_users_is_not_there() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let stranger = world.stranger().await;
    let in_their_organization = as_account(&stranger, world.member.account_id);
    let admin = Caller { role: Role::Admin, ..world.admin.clone() };
    for other in [admin, stranger, in_their_organization] {
        let lent = world.app.lend_access_token.run(&other, id, Duration::ZERO).await;
        assert!(matches!(lent, Err(LendError::NotFound)));
    }
    assert!(world.audited(AuditAction::TokenHandedOut).await.is_empty());
}

#[tokio::test]
async fn a_token_that_was_copied_to_another_row_does_not_open() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    let other = world.connect(&world.admin, provider, "ada").await;
    let (row, other) = (world.stored(id).await, world.stored(other).await);
    world.commit(vec![Change::update(Authorization { access_token: other.access_token, ..row })]).await;
    assert!(matches!(world.lend(id).await, Err(LendError::Store(StoreError::Unexpected(_)))));
    let rejected = world.audited(AuditAction::SecretRejected).await;
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].authorization_id, Some(id));
    assert_eq!(rejected[0].reason.as_deref(), Some("authorizations.access_token"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_cause_one_refresh_and_get_one_token() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.pass(HOUR);
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        callers.spawn(world.spawn_lend(id));
    }
    for token in callers.join_all().await {
        assert_eq!(token.unwrap().unwrap(), "access-2");
    }
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    assert_eq!(world.audited(AuditAction::TokenRefreshed).await.len(), 1);
}

#[tokio::test]
async fn two_processes_cause_one_refresh() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let second = world.process("second", Arc::new(SeededRandom::new(2)));
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let here = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    // The caller's patience, the provider's limit, and the pause to the next sign of life.
    world.clock.until_sleeping(3).await;
    let (lend, member) = (second.lend_access_token.clone(), world.member.clone());
    let there = tokio::spawn(async move { lend.run(&member, id, Duration::ZERO).await });
    // The caller's patience there, and the pause between two looks.
    world.clock.until_sleeping(5).await;
    world.provider.release(Call::Refresh);
    assert_eq!(here.await.unwrap().unwrap(), "access-2");
    world.clock.until_sleeping(2).await;
    world.clock.advance(Duration::from_millis(200));
    assert_eq!(there.await.unwrap().ok().unwrap().access_token.expose(), "access-2");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
}

#[tokio::test]
async fn a_process_that_died_in_a_refresh_holds_up_the_others_until_its_silence_has_told() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.pass(HOUR);
    let taken = world.store.take_lease(id, "the dead one", None, world.now()).await.unwrap();
    assert!(matches!(taken, TakenLease::Taken(_)));
    let asking = world.spawn_lend(id);
    world.clock.until_sleeping(2).await;
    world.pass(4);
    assert_eq!(unavailable(asking.await.unwrap()), "slow");
    assert_eq!(world.provider.calls(Call::Refresh), 0);
    // Silence takes fifteen seconds; another thirty are for an answer that it may have had and could not store.
    let before = world.now();
    world.while_time_passes(Duration::from_millis(200), world.tasks.drain()).await;
    assert!(world.now() - before >= TimeDelta::seconds(40));
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn an_authorization_that_is_deleted_while_it_is_refreshed_has_its_new_tokens_revoked() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    world.app.delete_authorization.run(&world.member, id).await.unwrap();
    world.provider.release(Call::Refresh);
    assert!(matches!(asking.await.unwrap(), Err(LendError::NotFound)));
    assert_eq!(world.store.revocations_of(provider).await.unwrap().len(), 2);
    assert_eq!(world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(), 2);
    let mut revoked = world.provider.read(|state| state.revoked.clone());
    revoked.sort();
    assert_eq!(revoked, ["access-1", "access-2", "refresh-1", "refresh-2"]);
}

#[tokio::test]
async fn a_new_authorization_beats_the_refresh_of_the_old_one() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    assert_eq!(world.connect(&world.member, provider, "mo").await, id);
    world.provider.release(Call::Refresh);
    assert_eq!(asking.await.unwrap().unwrap(), "access-3");
    assert_eq!(world.stored_refresh_token(id).await.as_deref(), Some("refresh-3"));
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_beside_a_new_authorization_that_brought_none() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    world.provider.change(|state| state.gives_refresh_tokens = false);
    world.connect(&world.member, provider, "mo").await;
    assert_eq!(
        world.stored_refresh_token(id).await.as_deref(),
        Some("refresh-1"),
        "it has been rotated away"
    );
    world.provider.release(Call::Refresh);
    assert_eq!(asking.await.unwrap().unwrap(), "access-3");
    assert_eq!(world.stored_refresh_token(id).await.as_deref(), Some("refresh-2"));
    world.pass(HOUR);
    assert_eq!(world.token(id).await, "access-4", "the grant goes on");
}

#[tokio::test]
async fn a_refresh_that_lost_a_race_yields_the_winners_token() {
    let world = World::new().await;
    let (provider, id) = world.connected().await;
    world.provider.fail_next(Call::Refresh, dead());
    world.provider.hold(Call::Refresh);
    world.pass(HOUR);
    let asking = world.spawn_lend(id);
    world.provider.until_called(Call::Refresh, 1).await;
    world.connect(&world.member, provider, "mo").await;
    world.provider.release(Call::Refresh);
    assert_eq!(asking.await.unwrap().unwrap(), "access-2");
    assert_eq!(world.stored(id).await.grant, GrantState::Live);
}

#[tokio::test]
async fn tokens_that_come_after_another_process_gave_them_up_bring_the_grant_back_to_life() {
    for (lost_refresh, comes_back) in [(Some(1), true), (None, false)] {
        let world = World::new().await;
        let (_, id) = world.connected().await;
        world.provider.hold(Call::Refresh);
        world.pass(HOUR);
        let asking = world.spawn_lend(id);
        world.provider.until_called(Call::Refresh, 1).await;
        let row = world.stored(id).await;
        let grant = GrantState::Dead { reason: "rotation_lost".to_owned() };
        let dead = Authorization { grant, refresh_token: None, lost_refresh, ..row };
        world.commit(vec![Change::update(dead)]).await;
        world.provider.release(Call::Refresh);
        let lent = asking.await.unwrap();
        if comes_back {
            assert_eq!(lent.unwrap(), "access-2");
            assert_eq!(world.stored(id).await.grant, GrantState::Live);
        } else {
            assert_eq!(grant_dead(lent), "rotation_lost", "what killed it was another answer");
        }
    }
}

#[tokio::test]
async fn a_refresh_that_panics_is_taken_over_like_one_whose_process_died() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.panic_next(Call::Refresh);
    world.pass(HOUR);
    assert_eq!(unavailable(world.lend(id).await), "interrupted");
    let step = Duration::from_millis(200);
    let asking = world.while_time_passes(step, world.spawn_lend(id)).await;
    assert_eq!(unavailable(asking.unwrap()), "slow");
    world.while_time_passes(step, world.tasks.drain()).await;
    assert_eq!(world.token(id).await, "access-2");
}

#[tokio::test]
async fn a_refresh_takes_its_place_in_the_row_sealed() {
    let world = World::with_clock(FixedClock::new()).await;
    let (_, id) = world.connected().await;
    world.pass(HOUR);
    world.token(id).await;
    let row = world.stored(id).await;
    assert!(world.sealer.open(row.refresh_token_place(), &row.access_token).await.is_err());
    assert_eq!(world.stored_access_token(id).await, "access-2");
}
