//! Background jobs: deleting a provider, counting.

mod delete_provider_job;
mod job;
mod ports;
mod queue_stats;
mod run_next_job;
mod stats_job;
mod view_jobs;

pub use delete_provider_job::DeleteProviderJob;
pub use job::{Job, JobDetail, JobKind, JobKindName, JobStatus, NotRunning};
pub use ports::*;
pub use queue_stats::{QueueStats, QueueStatsError};
pub use run_next_job::{JOB_LEASE, JobRun, RunNextJob};
pub use stats_job::StatsJob;
pub use view_jobs::{ViewJobError, ViewJobs};
