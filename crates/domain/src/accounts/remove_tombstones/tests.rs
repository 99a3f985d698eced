use super::*;
use crate::Row;
use crate::accounts::{MockAccountStore, MockDeletionStore};
use crate::fixtures::{
    Commits, CountingRandom, VirtualClock, account, job, organization, provider, revocation, uuid,
};
use crate::jobs::{Job, MockJobQueue};
use crate::providers::MockProviderCatalog;
use crate::revocations::MockRevocationQueue;

/// What is there of the organization.
#[derive(Clone, Copy, Default)]
struct Left {
    job: Option<JobStatus>,
    accounts: usize,
    pending: usize,
}

fn removing(organizations: Vec<Organization>, left: Left, store: Arc<dyn UnitOfWork>) -> RemoveTombstones {
    let mut accounts = MockAccountStore::new();
    accounts.expect_organizations().returning(move || Ok(organizations.clone()));
    accounts.expect_accounts_in().returning(move |_| Ok(vec![account(); left.accounts]));
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_providers().returning(|_| Ok(vec![provider()]));
    let mut queue = MockJobQueue::new();
    queue.expect_jobs().returning(move |_, status, _, _| {
        let is_so = left.job.is_some() && left.job == status;
        Ok(left.job.filter(|_| is_so).map(|status| Job { status, ..job() }).into_iter().collect())
    });
    let mut revocations = MockRevocationQueue::new();
    revocations
        .expect_newest_revocations()
        .withf(|_, account, filter, _| account.is_none() && filter.status == Some(RevocationStatus::Pending))
        .returning(move |_, _, _, _| Ok(vec![revocation(); left.pending]));
    let mut deletions = MockDeletionStore::new();
    deletions.expect_remove_remains().returning(|_| Ok(2));
    RemoveTombstones {
        accounts: Arc::new(accounts),
        catalog: Arc::new(catalog),
        queue: Arc::new(queue),
        revocations: Arc::new(revocations),
        deletions: Arc::new(deletions),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    }
}

fn tombstone() -> Organization {
    Organization { standing: Standing::Deleting, ..organization() }
}

#[tokio::test(start_paused = true)]
async fn whatever_still_needs_a_tombstone_keeps_it() {
    for left in [
        Left { job: Some(JobStatus::Pending), ..Left::default() },
        Left { job: Some(JobStatus::Running), ..Left::default() },
        Left { accounts: 1, ..Left::default() },
        Left { pending: 1, ..Left::default() },
    ] {
        let commits = Commits::default();
        assert_eq!(removing(vec![tombstone()], left, commits.store()).run().await.unwrap(), 0);
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_that_nothing_needs_goes_and_an_organization_in_use_stays() {
    let used = Organization { id: OrganizationId::from_uuid(uuid(77)), ..organization() };
    let commits = Commits::default();
    let removing = removing(vec![used, tombstone()], Left::default(), commits.store());
    assert_eq!(removing.run().await.unwrap(), 1);
    // The provider, then the organization.
    assert_eq!(commits.count(), 2);
    let last = commits.last();
    assert!(matches!(&last[0], Change::Delete(Row::Organization(gone)) if gone.id == tombstone().id));
    assert_eq!(commits.last_audited()[0].0, AuditAction::OrganizationDeleted);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_at_the_same_time_waits_for_the_next_round() {
    for refused in [0, 1] {
        let commits = Commits::default();
        let store = commits
            .answering(move |commit| if commit == refused { Err(CommitError::Conflict) } else { Ok(()) });
        assert_eq!(removing(vec![tombstone()], Left::default(), store).run().await.unwrap(), 0);
        assert_eq!(commits.count(), refused + 1);
    }
}
