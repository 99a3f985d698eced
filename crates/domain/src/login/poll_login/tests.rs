use chrono::TimeDelta;
use futures_util::FutureExt as _;

use super::*;
use crate::accounts::{ApiTokenStore as _, SuspendAccount, TokenPurpose};
use crate::audit::{AuditAction, AuditOutcome};
use crate::login::MockLoginStore;
use crate::login::fixtures::{Browser, Installation, issued, told, with_code};
use crate::{CommitError, MockUnitOfWork, UnitOfWork};

/// Polls that release tokens over another store.
fn polling_over(at: &Installation, store: Arc<dyn UnitOfWork>) -> PollLogin {
    let logins = Arc::clone(&at.cases.poll_login.logins);
    PollLogin { logins, release: at.releasing_over(store), clock: Arc::clone(&at.clock) }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_nobody_was_given_is_unknown() {
    let at = Installation::new().await;
    at.start().await;
    let sent = at.idp.script().asked[0].state.clone();
    for state in ["", "state", &sent] {
        let polled = at.cases.poll_login.run(&Secret::new(state.to_owned()), None).await;
        assert_eq!(told(&polled), "unknown", "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_handle_of_a_device_is_no_state() {
    let at = Installation::new().await;
    let begun = at.cases.begin_device_login.run().await.ok().unwrap();
    assert_eq!(told(&at.cases.poll_login.run(&begun.handle, None).await), "unknown");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_a_random_uuid_for_the_configured_time_and_only_its_hash_is_stored() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    assert!(at.good_tokens().await.is_empty(), "it is made when it is asked for");
    let issued = at.token(&started).await;
    let uuid = uuid::Uuid::parse_str(issued.secret.expose()).unwrap();
    assert_eq!(uuid.get_version_num(), 4);
    let [stored] = <[_; 1]>::try_from(at.good_tokens().await).unwrap();
    assert_eq!(stored, issued.token);
    assert_eq!((stored.hash.clone(), stored.purpose), (issued.secret.hash(), TokenPurpose::Api));
    assert_eq!(stored.expires_at, Some(stored.created_at + TimeDelta::days(90)));
    assert!(!format!("{stored:?}").contains(issued.secret.expose()));
    assert_eq!(at.audited(AuditAction::ApiTokenIssued).await, [(AuditOutcome::Done, None)]);
    at.clock.sleep(TimeDelta::days(90).to_std().unwrap()).await;
    assert!(!at.opens(&issued).await);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_can_be_asked_for_again_and_the_first_token_is_dead() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let lost = at.token(&started).await;
    assert!(at.opens(&lost).await);
    at.sleep(30).await;
    let again = at.token(&started).await;
    assert!(at.opens(&again).await && !at.opens(&lost).await);
    assert_ne!(again.token.id, lost.token.id);
    assert_eq!(at.good_tokens().await.len(), 1);
    assert_eq!(at.audited(AuditAction::ApiTokenRevoked).await, [(AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn thirty_seconds_after_the_first_answer_the_state_is_unknown() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    at.token(&started).await;
    at.sleep(20).await;
    // Asking again gives nobody more time.
    let last = at.token(&started).await;
    at.sleep(11).await;
    assert_eq!(at.told(&started).await, "unknown");
    assert!(at.opens(&last).await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_asked_for_again_beyond_the_end_of_the_login() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.sleep(590).await;
    at.approve(&started, "ada").await;
    at.sleep(9).await;
    at.token(&started).await;
    at.sleep(20).await;
    assert_eq!(at.told(&started).await, "token");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_signed_out_does_not_come_in_again_by_asking_again() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let issued = at.token(&started).await;
    let caller = at.cases.authenticate.run(issued.secret.expose(), None).await.unwrap();
    at.cases.revoke_api_token.of_caller(&caller, caller.token_id).await.unwrap();
    assert_eq!(at.told(&started).await, "unknown");
    assert!(at.good_tokens().await.is_empty());
}

/// The store; before its commit of that number somebody else polls with the same state.
fn racing(at: &Installation, started: &Secret, before: usize) -> Arc<dyn UnitOfWork> {
    let (store, rival) = (Arc::clone(&at.store), Arc::clone(&at.cases.poll_login));
    let state = Secret::new(started.expose().to_owned());
    let mut commits = 0;
    let mut racing = MockUnitOfWork::new();
    racing.expect_commit().returning(move |changes| {
        if commits == before {
            assert_eq!(told(&rival.run(&state, None).now_or_never().unwrap()), "token");
        }
        commits += 1;
        store.commit(changes).now_or_never().unwrap()
    });
    Arc::new(racing)
}

#[tokio::test(start_paused = true)]
async fn two_simultaneous_polls_get_one_good_token() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let polling = polling_over(&at, racing(&at, &started.state, 0));
    let last = issued(polling.run(&started.state, None).await);
    assert!(at.opens(&last).await);
    let good = at.good_tokens().await;
    assert_eq!(good.iter().map(|token| token.id).collect::<Vec<_>>(), [last.token.id]);
}

#[tokio::test(start_paused = true)]
async fn two_simultaneous_repeats_get_one_good_token() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    at.token(&started).await;
    let polling = polling_over(&at, racing(&at, &started.state, 0));
    let last = issued(polling.run(&started.state, None).await);
    let good = at.good_tokens().await;
    assert_eq!(good.iter().map(|token| token.id).collect::<Vec<_>>(), [last.token.id]);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_read_the_login_just_before_another_one_is_no_sign_out() {
    let at = Installation::new().await;
    let started = at.start().await;
    let id = at.approve(&started, "ada").await;
    at.token(&started).await;
    let before = at.stored(id).await;
    let rival = at.token(&started).await;
    let mut stale = MockLoginStore::new();
    stale.expect_login_by_handle().returning(move |_| Ok(Some(before.clone())));
    let known = &at.cases.poll_login;
    let polling = PollLogin {
        logins: Arc::new(stale),
        release: Arc::clone(&known.release),
        clock: Arc::clone(&known.clock),
    };
    let last = issued(polling.run(&started.state, None).await);
    assert!(at.opens(&last).await && !at.opens(&rival).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_revoked_at_the_same_moment_is_decided_anew() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let first = at.token(&started).await;
    let (store, revoke, mut commits) = (Arc::clone(&at.store), Arc::clone(&at.cases.revoke_api_token), 0);
    let mut racing = MockUnitOfWork::new();
    racing.expect_commit().returning(move |changes| {
        commits += 1;
        if commits == 1 {
            revoke.run(first.token.id).now_or_never().unwrap().unwrap();
        }
        store.commit(changes).now_or_never().unwrap()
    });
    let polling = polling_over(&at, Arc::new(racing));
    assert_eq!(told(&polling.run(&started.state, None).await), "unknown");
    assert!(at.good_tokens().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_gets_nothing_and_what_it_has_is_dead() {
    let at = Installation::new().await;
    let before = at.sign_in("ada").await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let suspend: &SuspendAccount = &at.cases.suspend_account;
    suspend.suspend(before.token.account_id).await.unwrap();
    assert_eq!(at.told(&started).await, "not allowed: account_closed");
    assert!(!at.opens(&before).await);
    // Its next login ends before it is asked anything.
    let next = at.start().await;
    let mut browser = Browser::default();
    let id = browser.back(&at, with_code(&next.url, "ada")).await.unwrap();
    assert_eq!(browser.sees(&at, id).await, "ended, not allowed: account_closed");

    suspend.resume(before.token.account_id).await.unwrap();
    assert!(at.opens(&before).await);
    assert_eq!(at.told(&started).await, "token");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_costs_nobody_their_token() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let polling = polling_over(&at, at.store_away_at(&[0]));
    assert_eq!(told(&polling.run(&started.state, None).await), "store");
    assert_eq!(told(&polling.run(&started.state, None).await), "token");
    let away = PollLogin {
        logins: at.logins_that(|_| true, |_| true),
        release: Arc::clone(&at.cases.poll_login.release),
        clock: Arc::clone(&at.clock),
    };
    assert_eq!(told(&away.run(&started.state, None).await), "store");
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_is_refused_for_another_reason_is_an_error_and_no_endless_loop() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let twice = |_| Some(CommitError::Duplicate(crate::Unique::TokenHash));
    let polling = polling_over(&at, at.store_that(twice));
    assert_eq!(told(&polling.run(&started.state, None).await), "store");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_removed_since_gets_nothing() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.approve(&started, "ada").await;
    let account = at.accounts().await.remove(0);
    let removed = crate::accounts::DeletionStore::remove_belongings(&*at.store, account.id).await;
    assert!(removed.unwrap() > 0);
    assert_eq!(at.told(&started).await, "unknown", "its logins went with it");
    assert!(at.store.tokens_of(account.id).await.unwrap().is_empty());
}
