//! Jobs: Pending → Running → Completed or Error.

use chrono::{DateTime, Utc};

use crate::Lease;
use crate::Version;
use crate::accounts::Caller;
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::{AccountId, JobId, OrganizationId, ProviderId};
use crate::services::Random;

/// Work that a worker does later, and its report.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Who asked for it; `None`: the operator.
    pub requested_by: Option<AccountId>,
    /// What is to be done.
    pub kind: JobKind,
    /// A line for people.
    pub name: String,
    /// Where it stands.
    pub status: JobStatus,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The report.
    pub details: Vec<JobDetail>,
    /// Who works on it; a lapsed lease lets another worker go on.
    pub lease: Option<Lease>,
    /// How often it was written. It fences: a worker that was overtaken commits nothing more.
    pub version: Version,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Revoke upstream what can be revoked, then remove the authorizations and the provider.
    DeleteProvider {
        /// The provider.
        provider_id: ProviderId,
    },
    /// End an account's flows and revoke upstream what it was granted, then remove it.
    DeleteAccount {
        /// The account.
        account_id: AccountId,
    },
    /// The same for every account of the organization. What is left of it goes when its revocations have ended.
    DeleteOrganization,
    /// Count what the organization has and did.
    Stats,
}

/// The type of a job, without its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKindName {
    /// [`JobKind::DeleteProvider`]
    DeleteProvider,
    /// [`JobKind::DeleteAccount`]
    DeleteAccount,
    /// [`JobKind::DeleteOrganization`]
    DeleteOrganization,
    /// [`JobKind::Stats`]
    Stats,
}

impl JobKind {
    /// Its type.
    pub const fn name(&self) -> JobKindName {
        match self {
            Self::DeleteProvider { .. } => JobKindName::DeleteProvider,
            Self::DeleteAccount { .. } => JobKindName::DeleteAccount,
            Self::DeleteOrganization => JobKindName::DeleteOrganization,
            Self::Stats => JobKindName::Stats,
        }
    }
}

impl JobKindName {
    /// Every one.
    pub const ALL: [Self; 4] =
        [Self::DeleteProvider, Self::DeleteAccount, Self::DeleteOrganization, Self::Stats];

    /// As the API and the stores name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeleteProvider => "DELETE_PROVIDER",
            Self::DeleteAccount => "DELETE_ACCOUNT",
            Self::DeleteOrganization => "DELETE_ORGANIZATION",
            Self::Stats => "STATS",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Nobody has taken it yet.
    Pending,
    /// A worker has it.
    Running,
    /// It is done.
    Completed,
    /// It could not be done; the report says what is left.
    Error,
}

impl JobStatus {
    /// As the API and the stores name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Completed, Self::Error]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// One line of a job's report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JobDetail {
    /// What it tells.
    pub name: String,
    /// Text; a list is JSON in it.
    pub value: String,
}

impl JobDetail {
    /// A line of the report.
    pub fn new(name: &str, value: impl std::fmt::Display) -> Self {
        Self { name: name.to_owned(), value: value.to_string() }
    }
}

/// Only a running job can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job is not running")]
pub struct NotRunning;

impl Job {
    /// A job that the caller asks for, and its audit entry.
    pub(crate) fn queued(
        caller: &Caller,
        kind: JobKind,
        name: String,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> (Self, AuditEntry) {
        let job = Self::new(caller.organization_id, Some(caller.account_id), kind, name, random, now);
        let audit = AuditEntry::by(caller, AuditAction::JobQueued, random, now).about(job.id);
        (job, audit)
    }

    /// A job that the operator asks for, and its audit entry.
    pub(crate) fn queued_by_operator(
        organization: OrganizationId,
        kind: JobKind,
        name: String,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> (Self, AuditEntry) {
        let job = Self::new(organization, None, kind, name, random, now);
        let action = AuditAction::JobQueued;
        let audit = AuditEntry::new(organization, Actor::Operator, action, random, now).about(job.id);
        (job, audit)
    }

    fn new(
        organization_id: OrganizationId,
        requested_by: Option<AccountId>,
        kind: JobKind,
        name: String,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: JobId::generate(random, now),
            organization_id,
            requested_by,
            kind,
            name,
            status: JobStatus::Pending,
            created_at: now,
            started_at: None,
            finished_at: None,
            details: Vec::new(),
            lease: None,
            version: Version::FIRST,
        }
    }

    /// In whose name a worker does it.
    pub(crate) fn actor(&self) -> Actor {
        self.requested_by.map_or(Actor::Service, |account_id| Actor::ServiceFor { account_id })
    }

    /// Whether a worker may take it now: new, or left by a worker whose lease lapsed.
    pub fn is_claimable(&self, now: DateTime<Utc>) -> bool {
        match self.status {
            JobStatus::Pending => true,
            JobStatus::Running => self.lease.as_ref().is_none_or(|lease| lease.until <= now),
            JobStatus::Completed | JobStatus::Error => false,
        }
    }

    /// The claim that [`JobQueue::claim`](super::JobQueue::claim) stores.
    #[must_use]
    pub fn claimed(mut self, lease: Lease, now: DateTime<Utc>) -> Self {
        self.status = JobStatus::Running;
        self.started_at.get_or_insert(now);
        self.lease = Some(lease);
        self.version = self.version.next();
        self
    }

    /// Ends a running job with its report.
    pub fn finish(
        mut self,
        status: JobStatus,
        details: Vec<JobDetail>,
        now: DateTime<Utc>,
    ) -> Result<Self, NotRunning> {
        if self.status != JobStatus::Running {
            return Err(NotRunning);
        }
        self.status = status;
        self.details = details;
        self.finished_at = Some(now);
        self.lease = None;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
