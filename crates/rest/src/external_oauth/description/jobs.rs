//! Descriptions of `jobs/`.

use actix_web::http::StatusCode;
use grantkeeper_domain::jobs::JobKindName;
use utoipa::openapi::{Object, ObjectBuilder};

use super::super::wire::{Location, WireJob};
use super::failures::administrators_only;
use super::{examples, values};
use crate::openapi::{Operation, Tag, member, one_of};

pub(in super::super) fn list() -> Operation {
    Operation::new(Tag::Jobs, "listJobs", "List the jobs of the organization, newest first")
        .query("status", "Only those that stand so.", values::job_status())
        .query("type", "Only those of this type.", values::job_type())
        .gives_list_of::<WireJob<'_>>("The jobs.", &examples::job())
        .fails([administrators_only()])
}

pub(in super::super) fn create() -> Operation {
    Operation::new(Tag::Jobs, "startJob", "Start a job that counts what the organization has and did")
        .takes("NewJob", new_job(), [("statistics", examples::new_job())])
        .gives_a::<Location>(StatusCode::ACCEPTED, "The job.", examples::job_location())
        .with_header("Location", "The absolute URL of the job.", values::url())
        .fails([administrators_only()])
}

fn new_job() -> Object {
    let kind =
        one_of([JobKindName::Stats.as_str()]).description(Some("A provider is deleted by DELETE instead."));
    values::closed(member(ObjectBuilder::new().description(Some("A job to start.")), "type", kind))
}

pub(in super::super) fn show() -> Operation {
    Operation::new(Tag::Jobs, "getJob", "Get a job")
        .gives_a::<WireJob<'_>>(StatusCode::OK, "The job.", examples::job())
        .fails([administrators_only()])
}
