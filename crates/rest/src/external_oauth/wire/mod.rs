//! What goes over the wire: camelCase, times in RFC 3339 with `Z`, and what has no value is left out.

mod authorization;
mod job;
mod provider;
mod revocation;
mod scope_list;
mod text;
mod time;
mod user_info;
mod written_providers;

use std::error::Error;
use std::str::FromStr;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use grantkeeper_domain::ids::RevocationId;
use grantkeeper_domain::jobs::Job;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use self::authorization::{WireAuthorization, WireCompletedFlow, WireStartedFlow, WireToken};
pub(super) use self::job::WireJob;
pub(super) use self::provider::WireProvider;
pub(super) use self::revocation::{REVOCATION_STATUSES, WireRevocation};
pub(super) use self::user_info::WireUserInfo;
pub(crate) use self::written_providers::WrittenProviders;
use super::error::ApiError;
use crate::Api;

/// Bytes that nearly every hand-out has room in: a token of 2 KiB with its authorization.
const USUAL: usize = 4 * 1024;

/// An answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let mut text = Vec::with_capacity(USUAL);
    if let Err(error) = serde_json::to_writer(&mut text, body) {
        tracing::error!(error = &error as &dyn Error, "an answer cannot be written as JSON");
        return Err(ApiError::internal());
    }
    let json = HeaderValue::from_static("application/json");
    Ok(HttpResponse::build(status).insert_header((CONTENT_TYPE, json)).body(text))
}

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

/// The absolute URL of a receipt, whichever way the caller came.
pub(super) fn revocation_location(api: &Api, id: RevocationId) -> String {
    format!("{}{}/revocations/{id}/", api.settings.public_url, super::BASES[0])
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
