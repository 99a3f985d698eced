//! Rules of jobs, except for claiming them.

use std::sync::Arc;

use grantkeeper_domain::Lease;
use grantkeeper_domain::Store;
use grantkeeper_domain::ids::JobId;
use grantkeeper_domain::jobs::{Job, JobDetail, JobKind, JobKindName, JobStatus};

use super::tenant::{Tenant, UNICODE, expect_states, insert, minutes, of_mixed_age};
use crate::entities::{FRESH, START};

/// Every field of a job is kept, in every status, of every type.
pub async fn jobs_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let details = vec![JobDetail::new("authorizations", 2), JobDetail::new(UNICODE, "[\"a\", \"b\"]")];
    let states = |base: Job| {
        [
            base.clone(),
            Job { kind: JobKind::DeleteProvider { provider_id: tenant.provider.id }, ..base.clone() },
            Job {
                kind: JobKind::DeleteAccount { account_id: tenant.account.id },
                requested_by: None,
                ..base.clone()
            },
            Job { kind: JobKind::DeleteOrganization, ..base.clone() },
            Job {
                status: JobStatus::Running,
                started_at: Some(minutes(1)),
                lease: Some(Lease { holder: UNICODE.to_owned(), until: minutes(2) }),
                ..base.clone()
            },
            Job { status: JobStatus::Completed, finished_at: Some(minutes(3)), ..base.clone() },
            Job { status: JobStatus::Error, details: details.clone(), ..base.clone() },
            Job { name: UNICODE.to_owned(), created_at: minutes(4), ..base },
        ]
    };
    expect_states(store, states(tenant.job())).await;
    expect_states(store, states(tenant.job()).into_iter().rev()).await;
}

/// For another organization it does not exist.
pub async fn a_job_of_another_organization_is_not_there(store: &Arc<dyn Store>) {
    let (tenant, stranger) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let row = tenant.job();
    insert(store, row.clone()).await;
    assert_eq!(store.job(stranger.organization.id, row.id).await.expect("a read"), None);
    assert_eq!(store.jobs(stranger.organization.id, None, None, 10).await.expect("a read"), []);
    let unknown = JobId::generate(&FRESH, START);
    assert_eq!(store.job(tenant.organization.id, unknown).await.expect("a read"), None);
}

/// "With that status and type (`None`: any), newest first, at most `limit`."
pub async fn jobs_are_filtered_and_listed_newest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let delete = JobKind::DeleteProvider { provider_id: tenant.provider.id };
    let rows = [
        tenant.job(),
        Job { kind: delete.clone(), ..tenant.job() },
        Job { kind: delete, status: JobStatus::Completed, ..tenant.job() },
        Job { status: JobStatus::Completed, ..tenant.job() },
    ];
    let (rows, mut newest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    newest_first.reverse();
    for row in &rows {
        insert(store, row.clone()).await;
    }
    for (status, kind, limit) in [
        (None, None, 10),
        (None, None, 3),
        (None, None, 0),
        (Some(JobStatus::Pending), None, 10),
        (Some(JobStatus::Completed), None, 1),
        (Some(JobStatus::Running), None, 10),
        (None, Some(JobKindName::DeleteProvider), 10),
        (None, Some(JobKindName::Stats), 10),
        (Some(JobStatus::Completed), Some(JobKindName::DeleteProvider), 10),
    ] {
        let matches = |job: &Job| {
            status.is_none_or(|status| job.status == status)
                && kind.is_none_or(|kind| job.kind.name() == kind)
        };
        let matching = |id: &JobId| rows.iter().any(|row| row.id == *id && matches(row));
        let expected: Vec<_> = newest_first.iter().copied().filter(matching).take(limit as usize).collect();
        let listed = store.jobs(tenant.organization.id, status, kind, limit).await.expect("a read");
        assert_eq!(
            listed.into_iter().map(|job| job.id).collect::<Vec<_>>(),
            expected,
            "{status:?} {kind:?} {limit}"
        );
    }
}
