use std::sync::Mutex;

use chrono::{DateTime, Utc};

use super::*;
use crate::accounts::{MockAccountStore, MockDeletionStore};
use crate::audit::MockAuditLog;
use crate::authorizations::{
    DeleteAuthorization, MockAuthorizationStore, MockDeviceFlowStore, MockFlowStore,
};
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, caller, job, provider, row, sharing,
    unavailable,
};
use crate::jobs::{EraseAccount, JobStatus, MockJobQueue, MoveToRevocations};
use crate::providers::{MockProviderCatalog, MockProviderClients};
use crate::revocations::{MockRevocationQueue, RevocationAttempt, RevocationStatus, RunDueRevocations};
use crate::tokens::{MockRefreshLeases, TokenSettings};
use crate::{CommitError, MockUnitOfWork};

/// A worker over this queue; its deletions find what `revocations` has, and the store takes what `store` takes.
fn worker(
    queue: MockJobQueue,
    revocations: MockRevocationQueue,
    store: Arc<MockUnitOfWork>,
    clock: Arc<dyn Clock>,
) -> RunNextJob {
    let random = CountingRandom::shared();
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(|_, _| Ok(Some(provider())));
    catalog.expect_providers().returning(|_| Ok(Vec::new()));
    let catalog = Arc::new(catalog);
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorizations_at().returning(|_, _, _| Ok(Vec::new()));
    let authorizations = Arc::new(authorizations);
    let mut audit = MockAuditLog::new();
    audit.expect_tally().returning(|_| Ok(Vec::new()));
    let (queue, revocations) = (Arc::new(queue), Arc::new(revocations));
    let detach = Arc::new(DeleteAuthorization {
        authorizations: authorizations.clone(),
        sealer: LabelSealer::shared(),
        store: store.clone(),
        clock: clock.clone(),
        random: random.clone(),
    });
    let attempt = Arc::new(RevocationAttempt {
        catalog: catalog.clone(),
        grants: sharing(false),
        clients: Arc::new(MockProviderClients::new()),
        sealer: LabelSealer::shared(),
        store: store.clone(),
        clock: clock.clone(),
        random: random.clone(),
        settings: TokenSettings::default(),
    });
    let revoke = Arc::new(RunDueRevocations {
        queue: revocations.clone(),
        attempt,
        clock: clock.clone(),
        holder: "worker".to_owned(),
    });
    let mut flows = MockFlowStore::new();
    flows.expect_exchanges_under_way().returning(|_, _| Ok(0));
    let mut device_flows = MockDeviceFlowStore::new();
    device_flows.expect_polls_under_way().returning(|_, _| Ok(0));
    let mover = Arc::new(MoveToRevocations {
        leases: Arc::new(MockRefreshLeases::new()),
        detach,
        store: store.clone(),
        clock: clock.clone(),
        random: random.clone(),
        lease_silence: TokenSettings::default().lease_silence,
    });
    let end = Arc::new(JobEnd { store: store.clone(), clock: clock.clone(), random: random.clone() });
    let mut accounts = MockAccountStore::new();
    accounts.expect_account().returning(|_| Ok(None));
    accounts.expect_accounts_in().returning(|_| Ok(Vec::new()));
    let accounts = Arc::new(accounts);
    let erase = Arc::new(EraseAccount {
        accounts: accounts.clone(),
        deletions: Arc::new(MockDeletionStore::new()),
        mover: mover.clone(),
        store: store.clone(),
        clock: clock.clone(),
        random: random.clone(),
    });
    RunNextJob {
        queue: queue.clone(),
        delete_account: DeleteAccountJob {
            erase: erase.clone(),
            revocations: revocations.clone(),
            end: end.clone(),
        },
        delete_organization: DeleteOrganizationJob {
            accounts,
            catalog: catalog.clone(),
            erase,
            store: store.clone(),
            end: end.clone(),
            clock: clock.clone(),
        },
        delete_provider: DeleteProviderJob {
            catalog: catalog.clone(),
            authorizations: authorizations.clone(),
            flows: Arc::new(flows),
            device_flows: Arc::new(device_flows),
            mover,
            revoke,
            revocations,
            queue,
            store,
            clock: clock.clone(),
            random,
        },
        stats: StatsJob {
            catalog,
            authorizations,
            audit: Arc::new(audit),
            end: end.clone(),
            clock: clock.clone(),
        },
        end,
        clock,
        holder: "worker".to_owned(),
    }
}

/// Has this job for whoever comes.
fn offering(job: Option<Job>) -> MockJobQueue {
    let mut queue = MockJobQueue::new();
    queue.expect_claim().times(1).returning(move |lease, now| {
        assert_eq!((lease.holder.as_str(), lease.until), ("worker", now + JOB_LEASE));
        Ok(job.clone().map(|job| job.claimed(lease, now)))
    });
    queue.expect_jobs().returning(|_, _, _, _| Ok(Vec::new()));
    queue
}

fn deletion() -> Job {
    Job { kind: JobKind::DeleteProvider { provider_id: provider().id }, ..job() }
}

/// A revocation that another worker has in hand until then.
fn in_hand_until(until: DateTime<Utc>) -> MockRevocationQueue {
    let mut queue = MockRevocationQueue::new();
    queue.expect_revocations_of().returning(move |_| {
        let lease = Some(Lease { holder: "other".to_owned(), until });
        Ok(vec![crate::revocations::Revocation { lease, ..crate::fixtures::revocation() }])
    });
    queue.expect_claim_revocations().returning(|_, _, _, _| Ok(Vec::new()));
    queue
}

#[tokio::test(start_paused = true)]
async fn without_a_job_there_is_nothing_to_do() {
    let store = Commits::default().store();
    let worker = worker(offering(None), MockRevocationQueue::new(), store, VirtualClock::start());
    assert_eq!(worker.run().await.unwrap(), JobRun::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_run_to_its_report() {
    let commits = Commits::default();
    let worker =
        worker(offering(Some(job())), MockRevocationQueue::new(), commits.store(), VirtualClock::start());
    assert_eq!(worker.run().await.unwrap(), JobRun::Ran(job().id));
    let ended = row!(commits.last(), Update(Job));
    assert_eq!((ended.status, ended.details.len()), (JobStatus::Completed, 6));
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_at_the_end_of_counting_leaves_the_report_to_the_other() {
    let store = Commits::default().answering(|_| Err(CommitError::Conflict));
    let worker = worker(offering(Some(job())), MockRevocationQueue::new(), store, VirtualClock::start());
    assert_eq!(worker.run().await.unwrap(), JobRun::Ran(job().id));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_leaves_the_job_for_later() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let worker = worker(offering(Some(job())), MockRevocationQueue::new(), store, VirtualClock::start());
    assert!(worker.run().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_worker_shows_every_ten_seconds_that_it_lives() {
    let clock = VirtualClock::start();
    let beats = Arc::new(Mutex::new(Vec::new()));
    let mut queue = offering(Some(deletion()));
    let beaten = Arc::clone(&beats);
    queue.expect_extend().returning(move |_, lease| {
        beaten.lock().unwrap().push((lease.until - JOB_LEASE - START).num_seconds());
        Ok(true)
    });
    let commits = Commits::default();
    let worker = worker(queue, in_hand_until(START + TimeDelta::seconds(35)), commits.store(), clock);
    assert_eq!(worker.run().await.unwrap(), JobRun::Ran(deletion().id));
    assert_eq!(*beats.lock().unwrap(), [10, 20, 30]);
    assert_eq!(row!(commits.last(), Update(Job)).status, JobStatus::Error, "one is pending still");
    assert_eq!(crate::fixtures::revocation().status, RevocationStatus::Pending);
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_lease_stops() {
    let mut queue = offering(Some(deletion()));
    queue.expect_extend().times(1).returning(|_, _| Ok(false));
    let commits = Commits::default();
    let in_hand = in_hand_until(START + TimeDelta::days(1));
    let worker = worker(queue, in_hand, commits.store(), VirtualClock::start());
    assert_eq!(worker.run().await.unwrap(), JobRun::Overtaken(deletion().id));
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_would_fail_the_same_way_for_ever_ends_in_an_error() {
    // A deletion tries its end ten times, counting once.
    let account = Job { kind: JobKind::DeleteAccount { account_id: caller().account_id }, ..job() };
    let organization = Job { kind: JobKind::DeleteOrganization, ..job() };
    for (job, tries, lines) in [(job(), 1, 1), (deletion(), 10, 4), (account, 1, 1), (organization, 1, 1)] {
        let commits = Commits::default();
        let broken = || Err(StoreError::Unexpected("broken".into()).into());
        let store = commits.answering(move |commit| if commit < tries { broken() } else { Ok(()) });
        let mut nothing_left = MockRevocationQueue::new();
        nothing_left.expect_revocations_of().returning(|_| Ok(Vec::new()));
        nothing_left.expect_newest_revocations().returning(|_, _, _, _| Ok(Vec::new()));
        let worker = worker(offering(Some(job.clone())), nothing_left, store, VirtualClock::start());
        assert_eq!(worker.run().await.unwrap(), JobRun::Ran(job.id));
        let ended = row!(commits.last(), Update(Job));
        assert_eq!(
            (ended.status, ended.details.len(), commits.count()),
            (JobStatus::Error, lines, tries + 1)
        );
        let error = ended.details.last().unwrap();
        assert_eq!((error.name.as_str(), error.value.as_str()), ("error", "internal_error"));
    }
}
