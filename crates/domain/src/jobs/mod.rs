//! Background jobs: deleting providers, accounts and organizations, and counting.

mod delete_account_job;
mod delete_organization_job;
mod delete_provider_job;
mod erase_account;
mod job;
mod job_end;
mod move_to_revocations;
mod ports;
mod queue_stats;
mod revocation_report;
mod run_next_job;
mod stats_job;
mod view_jobs;

pub use delete_account_job::DeleteAccountJob;
pub use delete_organization_job::DeleteOrganizationJob;
pub use delete_provider_job::DeleteProviderJob;
pub use erase_account::EraseAccount;
pub use job::{Job, JobDetail, JobKind, JobKindName, JobStatus, NotRunning};
pub use job_end::JobEnd;
pub use move_to_revocations::MoveToRevocations;
pub use ports::*;
pub use queue_stats::{QueueStats, QueueStatsError};
pub use run_next_job::{JOB_LEASE, JobRun, RunNextJob};
pub use stats_job::StatsJob;
pub use view_jobs::{ViewJobError, ViewJobs};
