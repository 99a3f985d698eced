//! What goes over the wire: camelCase, times in RFC 3339 with `Z`, and what has no value is left out.

mod authorization;
mod job;
mod provider;
mod user_info;

use std::str::FromStr;

use actix_web::HttpRequest;
use chrono::{DateTime, SecondsFormat, Utc};
use grantkeeper_domain::jobs::Job;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use self::authorization::{WireAuthorization, WireCompletedFlow, WireStartedFlow, WireToken};
pub(super) use self::job::WireJob;
pub(super) use self::provider::WireProvider;
pub(super) use self::user_info::WireUserInfo;
use super::error::ApiError;
use crate::Api;

/// A list.
#[derive(Serialize)]
pub(super) struct Listing<T> {
    pub(super) data: Vec<T>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { data: Vec::new() }
    }
}

/// Where a job is.
#[derive(Serialize, ToSchema)]
#[schema(as = JobLocation)]
pub(super) struct Location {
    /// The absolute URL of the job, as in the header `Location`.
    #[schema(format = "uri")]
    location: String,
}

pub(super) fn location(location: String) -> Location {
    Location { location }
}

/// The absolute URL of a job, whichever way the caller came.
pub(super) fn job_location(api: &Api, job: &Job) -> String {
    format!("{}{}/jobs/{}/", api.settings.public_url, super::BASES[0], job.id)
}

/// Characters.
pub(super) const LONGEST_ID: usize = 128;

/// An id that a caller sent: `None` where it cannot be ours, an error where it is longer than any.
pub(super) fn checked_id<Id: FromStr>(name: &str, text: &str) -> Result<Option<Id>, ApiError> {
    if text.len() > LONGEST_ID {
        return Err(ApiError::invalid(name, format!("must not be longer than {LONGEST_ID} characters")));
    }
    Ok(text.parse().ok())
}

/// The id in the path.
pub(super) fn id_in_path<Id: FromStr>(request: &HttpRequest, not_found: &str) -> Result<Id, ApiError> {
    let text = request.match_info().get("id").unwrap_or_default();
    checked_id("id", text)?.ok_or_else(|| ApiError::not_found(not_found))
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
