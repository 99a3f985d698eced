//! Deleting a provider, which is done by a job.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::authorize::{Telling, authorize};
use crate::demo::patience::until;
use crate::demo::walk::World;
use crate::failure::Failure;

/// An administrator deletes a provider with an authorization at it, and follows the job to its end.
pub(in crate::demo) async fn delete(world: &World<'_>, provider: &str) -> Result<(), Failure> {
    world
        .narrator
        .step("Delete by job: an administrator removes the provider, and all that was authorized there");
    world.narrator.note("First the member authorizes again, so that there is something to revoke.");
    authorize(world, provider, Telling::TheEnd).await?;
    let answer = world.admin.delete(&format!("providers/{provider}/")).await?.expect(StatusCode::ACCEPTED)?;
    answer.tell(world.narrator, &["/location"]);
    let path = job_path(answer.text("/location")?)?;
    world.narrator.asked("admin", format_args!("GET /api/v2/externalOAuth/{path}, until it has ended"));
    let job = until("the job has ended", async || {
        let job = world.admin.quietly(Method::GET, &path, None).await?.expect(StatusCode::OK)?;
        let has_ended = matches!(job.text("/status")?, "COMPLETED" | "ERROR");
        Ok(has_ended.then_some(job))
    })
    .await?;
    let mut fields = vec![("status", job.text("/status")?.to_owned())];
    fields.extend(details(&job.body));
    world.narrator.answered(job.status, &fields);
    if job.text("/status")? != "COMPLETED" {
        return Err(Failure::of("the job ended in an error"));
    }
    let gone = world.admin.get(&format!("providers/{provider}/")).await?.expect(StatusCode::NOT_FOUND)?;
    gone.tell(world.narrator, &["/message"]);
    Ok(())
}

/// The location is absolute; calls here are relative to the API.
fn job_path(location: &str) -> Result<String, Failure> {
    let at = location.find("/jobs/").ok_or_else(|| Failure::of("the location is not a job's"))?;
    Ok(location[at + 1..].to_owned())
}

fn details(job: &Value) -> impl Iterator<Item = (&str, String)> {
    job["details"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|detail| Some((detail["name"].as_str()?, detail["value"].as_str()?.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_called_relative_to_the_api() {
        let location = "http://127.0.0.1:8080/api/v2/externalOAuth/jobs/0199/";
        assert_eq!(job_path(location).expect("a job"), "jobs/0199/");
        assert!(job_path("http://127.0.0.1:8080/").is_err());
    }
}
