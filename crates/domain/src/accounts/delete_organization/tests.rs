use std::sync::Mutex;

use super::*;
use crate::accounts::{Account, MockAccountStore};
use crate::audit::AuditOutcome;
use crate::fixtures::{Commits, CountingRandom, VirtualClock, account, organization, row, unavailable, uuid};
use crate::ids::AccountId;
use crate::{MockUnitOfWork, Row};

/// An organization with so many accounts, all of them in use, and a store that writes down who was closed.
struct Ground {
    accounts: Arc<Mutex<Vec<Account>>>,
    /// How many changes each commit had.
    commits: Arc<Mutex<Vec<usize>>>,
}

impl Ground {
    fn with(count: u128) -> Self {
        let row = |number| Account { id: AccountId::from_uuid(uuid(1000 + number)), ..account() };
        let accounts = Arc::new(Mutex::new((0..count).map(row).collect()));
        Self { accounts, commits: Arc::default() }
    }

    /// Every commit is made but the one of that number.
    fn deleting(&self, refused: Option<usize>) -> DeleteOrganization {
        let mut reading = MockAccountStore::new();
        reading.expect_organization().returning(|_| Ok(Some(organization())));
        let rows = Arc::clone(&self.accounts);
        reading.expect_accounts_in().returning(move |_| Ok(rows.lock().unwrap().clone()));
        let mut store = MockUnitOfWork::new();
        let (rows, commits) = (Arc::clone(&self.accounts), Arc::clone(&self.commits));
        store.expect_commit().returning(move |changes| {
            let mut commits = commits.lock().unwrap();
            commits.push(changes.len());
            if Some(commits.len() - 1) == refused {
                return Err(CommitError::Conflict);
            }
            for change in changes {
                if let Change::Update(Row::Account(closed)) = change {
                    let mut rows = rows.lock().unwrap();
                    let row = rows.iter_mut().find(|row| row.id == closed.id).expect("a known account");
                    *row = closed;
                }
            }
            Ok(())
        });
        DeleteOrganization {
            accounts: Arc::new(reading),
            store: Arc::new(store),
            clock: VirtualClock::start(),
            random: CountingRandom::shared(),
        }
    }

    fn are_all_closed(&self) -> bool {
        self.accounts.lock().unwrap().iter().all(|account| account.standing == Standing::Deleting)
    }
}

#[tokio::test(start_paused = true)]
async fn the_organization_is_closed_in_the_commit_that_queues_the_job() {
    let commits = Commits::default();
    let deleting = DeleteOrganization { store: commits.store(), ..Ground::with(0).deleting(None) };
    let job = deleting.run(organization().id).await.unwrap();
    assert_eq!(commits.count(), 1);
    assert_eq!(row!(commits.last(), Update(Organization)).standing, Standing::Deleting);
    assert_eq!(*row!(commits.last(), Insert(Job)), job);
    assert_eq!((job.kind, job.requested_by), (JobKind::DeleteOrganization, None));
    let done = |action| (action, AuditOutcome::Done, None);
    let expected = [AuditAction::OrganizationDeletionRequested, AuditAction::JobQueued].map(done);
    assert_eq!(commits.last_audited(), expected);
}

#[tokio::test(start_paused = true)]
async fn every_account_is_closed_when_the_command_returns_a_hundred_at_a_time() {
    let ground = Ground::with(250);
    ground.deleting(None).run(organization().id).await.unwrap();
    assert!(ground.are_all_closed());
    assert_eq!(*ground.commits.lock().unwrap(), [4, 100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn accounts_that_were_written_at_the_same_time_are_closed_all_the_same() {
    let ground = Ground::with(150);
    ground.deleting(Some(1)).run(organization().id).await.unwrap();
    assert!(ground.are_all_closed());
    assert_eq!(*ground.commits.lock().unwrap(), [4, 100, 50, 100]);
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_is_not_there_is_not_deleted() {
    let mut nothing = MockAccountStore::new();
    nothing.expect_organization().returning(|_| Ok(None));
    let deleting = DeleteOrganization { accounts: Arc::new(nothing), ..Ground::with(0).deleting(None) };
    let deleted = deleting.run(organization().id).await;
    assert!(matches!(deleted, Err(DeleteOrganizationError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_deletes_nothing() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let deleting = DeleteOrganization { store, ..Ground::with(0).deleting(None) };
    let deleted = deleting.run(organization().id).await;
    assert!(matches!(deleted, Err(DeleteOrganizationError::Store(StoreError::Unavailable(_)))));
}
