//! Handlers of `jobs/`.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::jobs::{JobKindName, JobStatus};

use super::authentication::Authenticated;
use super::body::JsonObject;
use super::error::ApiError;
use super::wire::{Listing, WireJob, id_in_path, job_location, location};
use crate::Api;
use crate::query::Query;

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn show(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    caller.0.require_admin()?;
    let id = id_in_path(&request, "there is no such job")?;
    let job = api.use_cases.view_jobs.get(&caller.0, id).await?;
    Ok(HttpResponse::Ok().json(WireJob::of(&job)))
}

pub(super) async fn list(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    caller.0.require_admin()?;
    let query = Query::of(&request)?;
    let statuses = "PENDING, RUNNING, COMPLETED, ERROR";
    let status = choice(&query, "status", JobStatus::from_name, statuses)?;
    let kinds = JobKindName::ALL.map(JobKindName::as_str).join(", ");
    let kind = choice(&query, "type", JobKindName::from_name, &kinds)?;
    let jobs = api.use_cases.view_jobs.list(&caller.0, status, kind).await?;
    Ok(HttpResponse::Ok().json(Listing { data: jobs.iter().map(WireJob::of).collect() }))
}

pub(super) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    body: Result<JsonObject, ApiError>,
) -> Answer {
    caller.0.require_admin()?;
    let mut fields = body?.0;
    // A provider is deleted by DELETE; this starts what has no other call.
    let kind = fields.required_text("type", super::fields::NAME);
    if !kind.is_empty() && kind != JobKindName::Stats.as_str() {
        fields.refuse("type", "must be STATS");
    }
    fields.finish()?;
    let job = api.use_cases.queue_stats.run(&caller.0).await?;
    let url = job_location(&api, &job);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, url.clone())).json(location(url)))
}

fn choice<T>(
    query: &Query,
    name: &str,
    choose: impl FnOnce(&str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, ApiError> {
    let wrong = || ApiError::invalid(name, format!("must be one of {expected}, and given once"));
    match query.one(name) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => choose(text).map(Some).ok_or_else(wrong),
        Err(_) => Err(wrong()),
    }
}
