//! The job queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::Lease;
use grantkeeper_domain::ids::{JobId, OrganizationId};
use grantkeeper_domain::jobs::{Job, JobDetail, JobKind, JobKindName, JobQueue, JobStatus};
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::locked::Locked;
use crate::rows::{FromRow, Versioned, versioned};
use crate::schema::jobs;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct JobRow {
    id: Id,
    organization_id: Id,
    requested_by: Option<Id>,
    kind: String,
    provider_id: Option<Id>,
    name: String,
    status: String,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    details: Json<Vec<JobDetail>>,
    lease_holder: Option<String>,
    lease_until: Option<Time>,
    version: i64,
    account_id: Option<Id>,
}

impl JobRow {
    fn of(job: &Job, version: Version) -> Self {
        let (provider_id, account_id) = match job.kind {
            JobKind::DeleteProvider { provider_id } => (Some(provider_id.into()), None),
            JobKind::DeleteAccount { account_id } => (None, Some(account_id.into())),
            JobKind::DeleteOrganization | JobKind::Stats => (None, None),
        };
        Self {
            id: job.id.into(),
            organization_id: job.organization_id.into(),
            requested_by: job.requested_by.map(Into::into),
            kind: job.kind.name().as_str().to_owned(),
            provider_id,
            name: job.name.clone(),
            status: job.status.as_str().to_owned(),
            created_at: job.created_at.into(),
            started_at: job.started_at.map(Time),
            finished_at: job.finished_at.map(Time),
            details: Json::Value(job.details.clone()),
            lease_holder: job.lease.as_ref().map(|lease| lease.holder.clone()),
            lease_until: job.lease.as_ref().map(|lease| Time(lease.until)),
            version: version.get(),
            account_id,
        }
    }
}

impl FromRow for Job {
    type Row = JobRow;

    fn from_row(row: JobRow) -> Result<Self, Unreadable> {
        let kind = match (JobKindName::from_name(&row.kind), row.provider_id, row.account_id) {
            (Some(JobKindName::DeleteProvider), Some(id), None) => {
                JobKind::DeleteProvider { provider_id: id.into() }
            }
            (Some(JobKindName::DeleteAccount), None, Some(id)) => {
                JobKind::DeleteAccount { account_id: id.into() }
            }
            (Some(JobKindName::DeleteOrganization), None, None) => JobKind::DeleteOrganization,
            (Some(JobKindName::Stats), None, None) => JobKind::Stats,
            _ => return Err(Unreadable("jobs.kind")),
        };
        let lease = row.lease_holder.zip(row.lease_until);
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            requested_by: row.requested_by.map(Into::into),
            kind,
            name: row.name,
            status: JobStatus::from_name(&row.status).ok_or(Unreadable("jobs.status"))?,
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Into::into),
            finished_at: row.finished_at.map(Into::into),
            details: row.details.read("jobs.details")?,
            lease: lease.map(|(holder, Time(until))| Lease { holder, until }),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Job, JobRow in jobs);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    jobs::table.filter(jobs::id.eq(id))
}

#[auto_type]
pub(crate) fn newest_first(organization: Id, limit: i64) -> _ {
    jobs::table
        .filter(jobs::organization_id.eq(organization))
        .order((jobs::created_at.desc(), jobs::id.desc()))
        .limit(limit)
}

/// [`Job::is_claimable`], oldest first.
#[auto_type]
pub(crate) fn claimable(now: Time) -> _ {
    let pending: &'static str = JobStatus::Pending.as_str();
    let running: &'static str = JobStatus::Running.as_str();
    let left = jobs::lease_until.is_null().or(jobs::lease_until.le(now));
    jobs::table
        .filter(jobs::status.eq(pending).or(jobs::status.eq(running).and(left)))
        .order((jobs::created_at, jobs::id))
        .limit(1_i64)
}

async fn claim(lease: Lease, now: DateTime<Utc>, c: &mut Connection<'_>) -> Result<Option<Job>, Failure> {
    let Some(job) = c.one::<Job>(Locked::skipping(claimable(Time(now)))).await? else {
        return Ok(None);
    };
    let read = job.version;
    let job = job.claimed(lease, now);
    job.replace(read, c).await?;
    Ok(Some(job))
}

#[async_trait]
impl JobQueue for DieselStore {
    async fn job(&self, organization: OrganizationId, id: JobId) -> Result<Option<Job>, StoreError> {
        let theirs = jobs::organization_id.eq(Id::from(organization));
        self.one(by_id(id.into()).filter(theirs)).await
    }

    async fn jobs(
        &self,
        organization: OrganizationId,
        status: Option<JobStatus>,
        kind: Option<JobKindName>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let newest = newest_first(organization.into(), limit.into());
        match (status, kind) {
            (None, None) => self.all(newest).await,
            (Some(status), None) => self.all(newest.filter(jobs::status.eq(status.as_str()))).await,
            (None, Some(kind)) => self.all(newest.filter(jobs::kind.eq(kind.as_str()))).await,
            (Some(status), Some(kind)) => {
                let newest = newest.filter(jobs::status.eq(status.as_str()));
                self.all(newest.filter(jobs::kind.eq(kind.as_str()))).await
            }
        }
    }

    async fn claim(&self, lease: Lease, now: DateTime<Utc>) -> Result<Option<Job>, StoreError> {
        // Most often there is nothing to do, which is found without a transaction.
        if self.one::<Job>(claimable(Time(now))).await?.is_none() {
            return Ok(None);
        }
        self.write(move |c| Box::pin(claim(lease, now, c))).await
    }

    async fn extend(&self, id: JobId, lease: Lease) -> Result<bool, StoreError> {
        let held = diesel::update(by_id(id.into()))
            .filter(jobs::status.eq(JobStatus::Running.as_str()))
            .filter(jobs::lease_holder.eq(lease.holder))
            .set(jobs::lease_until.eq(Time(lease.until)));
        Ok(self.execute(held).await? == 1)
    }
}
