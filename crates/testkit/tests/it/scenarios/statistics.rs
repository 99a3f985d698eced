//! Counting what an organization has and did.

use grantkeeper_domain::jobs::{JobKindName, JobRun, JobStatus, QueueStatsError, ViewJobError};
use grantkeeper_domain::providers::{ProviderUpdate, RequestedStatus, UpstreamError};
use grantkeeper_testkit::scripted_provider::Call;

use super::world::{World, new_provider};

#[tokio::test]
async fn a_job_counts_providers_authorizations_and_what_was_done() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let paused = world.register("Paused").await.id;
    world.connect(&world.member, paused, "mo").await;
    let update = ProviderUpdate { status: Some(RequestedStatus::Inactive), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, paused, update).await.unwrap();
    world.token(id).await;
    world.pass(3600);
    world.token(id).await;
    world.pass(3600);
    world
        .provider
        .fail_next(Call::Refresh, UpstreamError::Unavailable { reason: "connect", retry_after: None });
    assert!(world.lend(id).await.is_err());
    let stranger = world.stranger().await;
    world.app.register_provider.run(&stranger, new_provider("Theirs")).await.unwrap();

    let queued = world.app.queue_stats.run(&world.admin).await.unwrap();
    assert_eq!(queued.status, JobStatus::Pending);
    assert_eq!(world.app.run_next_job.run().await.unwrap(), JobRun::Ran(queued.id));
    let job = world.app.view_jobs.get(&world.admin, queued.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Completed);
    let details: Vec<(&str, &str)> =
        job.details.iter().map(|detail| (detail.name.as_str(), detail.value.as_str())).collect();
    assert_eq!(
        details,
        [
            ("providers_by_type", r#"{"oidc":2}"#),
            ("providers_by_status", r#"{"active":1,"inactive":1}"#),
            ("authorizations_by_status", r#"{"active":1,"invalidProviderState":1}"#),
            ("hand_outs", "2"),
            ("refreshes", "1"),
            ("refresh_failures", "1"),
        ]
    );
}

#[tokio::test]
async fn jobs_are_for_administrators_of_their_organization() {
    let world = World::new().await;
    let job = world.app.queue_stats.run(&world.admin).await.unwrap().id;
    assert!(matches!(world.app.queue_stats.run(&world.member).await, Err(QueueStatsError::Forbidden(_))));
    assert!(matches!(world.app.view_jobs.get(&world.member, job).await, Err(ViewJobError::Forbidden(_))));
    let listed = world.app.view_jobs.list(&world.member, None, None).await;
    assert!(matches!(listed, Err(ViewJobError::Forbidden(_))));
    let stranger = world.stranger().await;
    assert!(matches!(world.app.view_jobs.get(&stranger, job).await, Err(ViewJobError::NotFound)));
    assert!(world.app.view_jobs.list(&stranger, None, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn jobs_are_listed_newest_first_by_status_and_type() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let stats = world.app.queue_stats.run(&world.admin).await.unwrap().id;
    world.pass(1);
    let deletion = world.app.delete_provider.run(&world.admin, provider).await.unwrap().id;
    world.app.run_next_job.run().await.unwrap();
    let list = async |status, kind| -> Vec<_> {
        let jobs = world.app.view_jobs.list(&world.admin, status, kind).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    assert_eq!(list(None, None).await, [deletion, stats]);
    assert_eq!(list(Some(JobStatus::Pending), None).await, [deletion]);
    assert_eq!(list(Some(JobStatus::Completed), None).await, [stats]);
    assert_eq!(list(None, Some(JobKindName::DeleteProvider)).await, [deletion]);
    assert_eq!(list(Some(JobStatus::Error), None).await, []);
}
