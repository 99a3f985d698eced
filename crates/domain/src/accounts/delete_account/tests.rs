use super::*;
use crate::MockUnitOfWork;
use crate::accounts::MockAccountStore;
use crate::audit::AuditOutcome;
use crate::fixtures::{Commits, CountingRandom, VirtualClock, account, caller, row, standing, unavailable};

fn deleting(accounts: Arc<MockAccountStore>, store: Arc<MockUnitOfWork>) -> DeleteAccount {
    DeleteAccount { accounts, store, clock: VirtualClock::start(), random: CountingRandom::shared() }
}

#[tokio::test(start_paused = true)]
async fn the_account_is_closed_in_the_commit_that_queues_the_job() {
    // Asking again is fine: the first job may have ended in an error.
    for before in [Standing::Active, Standing::Deleting] {
        let commits = Commits::default();
        let job = deleting(standing(Some(before)), commits.store()).run(caller().account_id).await.unwrap();
        assert_eq!(commits.count(), 1);
        let closed = row!(commits.last(), Update(Account));
        assert_eq!((closed.id, closed.standing), (caller().account_id, Standing::Deleting));
        assert_eq!(*row!(commits.last(), Insert(Job)), job);
        assert_eq!(job.kind, JobKind::DeleteAccount { account_id: caller().account_id });
        assert_eq!((job.organization_id, job.requested_by), (account().organization_id, None));
        assert!(!job.name.contains(account().email.as_str()));
        let done = |action| (action, AuditOutcome::Done, None);
        let expected = [AuditAction::AccountDeletionRequested, AuditAction::JobQueued].map(done);
        assert_eq!(commits.last_audited(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_written_at_the_same_time_is_read_again() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    deleting(standing(Some(Standing::Active)), store).run(caller().account_id).await.unwrap();
    assert_eq!(commits.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_there_is_not_deleted() {
    let deleted = deleting(standing(None), Commits::default().store()).run(caller().account_id).await;
    assert!(matches!(deleted, Err(DeleteAccountError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_deletes_nothing() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let deleted = deleting(standing(Some(Standing::Active)), store).run(caller().account_id).await;
    assert!(matches!(deleted, Err(DeleteAccountError::Store(StoreError::Unavailable(_)))));
}
