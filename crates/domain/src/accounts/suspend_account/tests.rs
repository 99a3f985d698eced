use super::*;
use crate::MockUnitOfWork;
use crate::accounts::{IssueApiToken, IssueApiTokenError, MockAccountStore, TokenReach};
use crate::audit::AuditOutcome;
use crate::fixtures::{Commits, CountingRandom, START, VirtualClock, account, row, unavailable};

/// The account as it is found; `None`: there is none.
fn finding(found: Option<Account>) -> Arc<MockAccountStore> {
    let mut accounts = MockAccountStore::new();
    accounts.expect_account().returning(move |_| Ok(found.clone()));
    Arc::new(accounts)
}

fn suspending(found: Option<Account>, store: Arc<MockUnitOfWork>) -> SuspendAccount {
    let (clock, random) = (VirtualClock::start(), CountingRandom::shared());
    SuspendAccount { accounts: finding(found), store, clock, random }
}

fn suspended() -> Account {
    Account { suspended_at: Some(START - chrono::TimeDelta::days(1)), ..account() }
}

#[tokio::test(start_paused = true)]
async fn an_account_is_suspended_and_resumed_and_both_are_on_record() {
    let commits = Commits::default();
    let done = |action| [(action, AuditOutcome::Done, None)];
    let answer = suspending(Some(account()), commits.store()).suspend(account().id).await.unwrap();
    let stored = row!(commits.last(), Update(Account));
    assert_eq!((stored.suspended_at, answer.suspended_at), (Some(START), Some(START)));
    assert!(!stored.may_act() && stored.standing == Standing::Active);
    assert_eq!(answer.version, account().version.next());
    assert_eq!(commits.last_audited(), done(AuditAction::AccountSuspended));

    let answer = suspending(Some(suspended()), commits.store()).resume(account().id).await.unwrap();
    assert!(row!(commits.last(), Update(Account)).may_act() && answer.may_act());
    assert_eq!(commits.last_audited(), done(AuditAction::AccountResumed));
}

#[tokio::test(start_paused = true)]
async fn what_is_so_already_stays_as_it_is() {
    let commits = Commits::default();
    let still = suspending(Some(suspended()), commits.store()).suspend(account().id).await.unwrap();
    assert_eq!(still, suspended(), "since when it was");
    let still = suspending(Some(account()), commits.store()).resume(account().id).await.unwrap();
    assert_eq!(still, account());
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_there_or_on_its_way_out_is_told_apart() {
    let closed = Account { standing: Standing::Deleting, ..account() };
    for suspend in [true, false] {
        let commits = Commits::default();
        let run = async |found| {
            let suspending = suspending(found, commits.store());
            if suspend {
                suspending.suspend(account().id).await
            } else {
                suspending.resume(account().id).await
            }
        };
        assert!(matches!(run(None).await, Err(SuspendAccountError::NotFound)));
        assert!(matches!(run(Some(closed.clone())).await, Err(SuspendAccountError::Deleting)));
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_race_and_a_store_that_is_away_suspend_nothing() {
    let raced = Commits::default().answering(|_| Err(CommitError::Conflict));
    let raced = suspending(Some(account()), raced).suspend(account().id).await;
    assert!(matches!(raced, Err(SuspendAccountError::Conflict)));
    let away = Commits::default().answering(|_| Err(unavailable().into()));
    let away = suspending(Some(account()), away).suspend(account().id).await;
    assert!(matches!(away, Err(SuspendAccountError::Store(StoreError::Unavailable(_)))));
}

#[tokio::test(start_paused = true)]
async fn no_token_is_issued_for_an_account_that_is_suspended() {
    let commits = Commits::default();
    let issuing = IssueApiToken {
        accounts: finding(Some(suspended())),
        store: commits.store(),
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    };
    let issued = issuing.run(account().id, TokenReach::Account, None).await;
    assert!(matches!(issued, Err(IssueApiTokenError::AccountSuspended)));
    assert_eq!(commits.count(), 0);
}
