//! Rules of claiming jobs, and of the claims' leases.

use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::Lease;
use grantkeeper_domain::ids::JobId;
use grantkeeper_domain::jobs::{Job, JobStatus};
use grantkeeper_domain::{Change, Store};

use super::tenant::{Refusal, Tenant, insert, minutes, of_mixed_age, refusal, update};
use crate::entities::{FRESH, START};

fn lease(holder: &str, until: i64) -> Lease {
    Lease { holder: holder.to_owned(), until: minutes(until) }
}

/// "The oldest job that is claimable", of whatever organization, until there is none.
pub async fn the_oldest_job_is_claimed_first(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let rows = [tenant.job(), other.job(), tenant.job(), other.job()];
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let mut claimed = Vec::new();
    for _ in &oldest_first {
        let job = store.claim(lease("worker", 60), minutes(30)).await.expect("a claim");
        claimed.extend(job.map(|job| job.id));
    }
    assert_eq!(claimed, oldest_first);
    let more = store.claim(lease("worker", 60), minutes(30)).await.expect("a claim");
    assert_eq!(more, None);
}

/// "Stores it as `Job::claimed`, which is returned."
pub async fn a_claim_is_stored(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.job();
    insert(store, row.clone()).await;
    let claimed = store.claim(lease("worker", 5), minutes(1)).await.expect("a claim");
    let expected = row.claimed(lease("worker", 5), minutes(1));
    assert_eq!(claimed.as_ref(), Some(&expected));
    assert_eq!(
        store.job(tenant.organization.id, expected.id).await.expect("a read").as_ref(),
        Some(&expected)
    );
    assert_eq!(store.claim(lease("worker", 9), minutes(1)).await.expect("a claim"), None);
    let finished = expected.finish(JobStatus::Completed, Vec::new(), minutes(2)).expect("it is running");
    update(store, finished).await;
}

/// From the end of the lease on, and the start of the first claim stays.
pub async fn a_lapsed_job_is_claimed_again(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, tenant.job()).await;
    let first = store.claim(lease("one", 5), minutes(1)).await.expect("a claim").expect("a job");
    let just = minutes(5) - TimeDelta::microseconds(1);
    assert_eq!(store.claim(lease("two", 20), just).await.expect("a claim"), None);
    let second = store.claim(lease("two", 20), minutes(5)).await.expect("a claim");
    let expected = first.clone().claimed(lease("two", 20), minutes(5));
    assert_eq!(expected.started_at, Some(minutes(1)));
    assert_eq!(second, Some(expected));
}

/// Neither a completed one nor one that ended in an error.
pub async fn a_finished_job_is_not_claimed(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for status in [JobStatus::Completed, JobStatus::Error] {
        insert(
            store,
            Job {
                status,
                finished_at: Some(START),
                // Left behind, and lapsed.
                lease: Some(lease("worker", 5)),
                ..tenant.job()
            },
        )
        .await;
    }
    assert_eq!(store.claim(lease("worker", 60), minutes(30)).await.expect("a claim"), None);
}

/// The version fences: the worker whose lease lapsed cannot write over the one that went on.
pub async fn an_overtaken_worker_commits_nothing(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, tenant.job()).await;
    let first = store.claim(lease("one", 5), minutes(1)).await.expect("a claim").expect("a job");
    let second = store.claim(lease("two", 20), minutes(6)).await.expect("a claim").expect("a job");
    let done = |job: Job| job.finish(JobStatus::Completed, Vec::new(), minutes(7)).expect("it is running");
    assert_eq!(refusal(store, Change::update(done(first))).await, Refusal::Conflict);
    update(store, done(second)).await;
}

/// "Does not change the version", also when the lease has lapsed and nobody else has taken it.
pub async fn a_holder_extends_its_lease(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, tenant.job()).await;
    let claimed = store.claim(lease("worker", 5), minutes(1)).await.expect("a claim").expect("a job");
    for until in [10, 20] {
        assert!(store.extend(claimed.id, lease("worker", until)).await.expect("a write"));
        let expected = Job { lease: Some(lease("worker", until)), ..claimed.clone() };
        assert_eq!(store.job(tenant.organization.id, claimed.id).await.expect("a read"), Some(expected));
    }
    assert_eq!(store.claim(lease("other", 60), minutes(19)).await.expect("a claim"), None);
    assert!(store.claim(lease("other", 60), minutes(20)).await.expect("a claim").is_some());
}

/// "`false` when it is another's by now."
pub async fn nobody_else_extends_a_lease(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, tenant.job()).await;
    let first = store.claim(lease("one", 5), minutes(1)).await.expect("a claim").expect("a job");
    assert!(!store.extend(first.id, lease("two", 60)).await.expect("a write"));
    let second = store.claim(lease("two", 20), minutes(6)).await.expect("a claim").expect("a job");
    assert!(!store.extend(first.id, lease("one", 60)).await.expect("a write"));
    assert_eq!(store.job(tenant.organization.id, first.id).await.expect("a read"), Some(second));
}

/// "`false` when the job has ended", has not begun, or is not there.
pub async fn a_lease_is_only_extended_on_a_running_job(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let worker = || lease("worker", 60);
    // Even a lease that was left behind does not make a job run.
    let left = Some(lease("worker", 5));
    for (status, lease) in
        [(JobStatus::Pending, None), (JobStatus::Completed, left.clone()), (JobStatus::Error, left)]
    {
        let row = Job { status, lease, ..tenant.job() };
        insert(store, row.clone()).await;
        assert!(!store.extend(row.id, worker()).await.expect("a write"), "{status:?}");
        assert_eq!(store.job(tenant.organization.id, row.id).await.expect("a read"), Some(row));
    }
    let unknown = JobId::generate(&FRESH, START);
    assert!(!store.extend(unknown, worker()).await.expect("a write"));
}
