//! Jobs on the wire.

use grantkeeper_domain::jobs::{Job, JobDetail};
use serde::Serialize;

use super::rfc3339;

/// A job.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct WireJob<'a> {
    id: String,
    name: &'a str,
    org_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
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
            started_at: job.started_at.map(rfc3339),
            finished_at: job.finished_at.map(rfc3339),
            details: &job.details,
        }
    }
}
