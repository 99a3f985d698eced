//! Jobs on the wire.

use grantkeeper_domain::jobs::{Job, JobDetail};
use serde::Serialize;
use utoipa::ToSchema;

use super::time::Time;
use crate::external_oauth::description::values;

/// A job.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub(in super::super) struct WireJob<'a> {
    /// Its id.
    id: String,
    /// A line for people.
    name: &'a str,
    /// The organization that it is about.
    org_id: String,
    #[serde(rename = "type")]
    #[schema(schema_with = values::job_type)]
    kind: &'static str,
    #[schema(schema_with = values::job_status)]
    status: &'static str,
    /// When a worker first took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Time>,
    #[schema(schema_with = values::job_details)]
    details: &'a [JobDetail],
}

impl<'a> WireJob<'a> {
    pub(in super::super) fn of(job: &'a Job) -> Self {
        Self {
            id: job.id.to_string(),
            name: &job.name,
            org_id: job.organization_id.to_string(),
            kind: job.kind.name().as_str(),
            status: job.status.as_str(),
            started_at: job.started_at.map(Time),
            finished_at: job.finished_at.map(Time),
            details: &job.details,
        }
    }
}
