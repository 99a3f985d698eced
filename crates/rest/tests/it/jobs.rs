//! Jobs.

use std::time::Duration;

use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use serde_json::json;

use crate::service::Service;

#[actix_web::test]
async fn statistics() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    service.post(&service.member, &format!("/authorizedProviders/{id}/accessToken/")).await;
    let queued = service.call(&service.admin, "POST", "/jobs/", Some(json!({ "type": "STATS" }))).await;
    let job = queued.text("location").rsplit('/').nth(1).unwrap().to_owned();
    let path = format!("/jobs/{job}/");
    let mut told = vec![service.told(&service.admin, "GET", &path, None).await];
    service.run_workers().await;
    for path in [
        path.as_str(),
        "/jobs/?status=COMPLETED&type=STATS",
        "/jobs/?status=ERROR",
        "/jobs/?type=x",
        "/jobs/unknown/",
    ] {
        told.push(service.told(&service.admin, "GET", path, None).await);
    }
    told.push(service.told(&service.member, "GET", &path, None).await);
    told.push(service.told(&service.stranger, "GET", &path, None).await);
    told.push(service.told(&service.member, "GET", "/jobs/", None).await);
    told.push(service.told(&service.member, "POST", "/jobs/", Some(json!({ "type": "STATS" }))).await);
    told.push(
        service.told(&service.admin, "POST", "/jobs/", Some(json!({ "type": "DELETE_PROVIDER" }))).await,
    );
    told.push(service.told(&service.admin, "POST", "/jobs/", Some(json!({ "type": "STATS" }))).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn a_deletion_that_the_provider_does_not_let_us_finish() {
    let service = Service::start().await;
    let provider = service.register().await;
    service.authorize(&service.member, &provider).await;
    for _ in 0..3 {
        let error = UpstreamError::Unavailable { reason: "connection", retry_after: None };
        service.provider.fail_next(Call::Revoke, error);
    }
    let path = format!("/providers/{provider}/");
    service.call(&service.admin, "DELETE", &path, None).await;
    let time_passes = async {
        loop {
            service.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        ran = service.use_cases.run_next_job.run() => assert!(ran.is_ok()),
        () = time_passes => {}
    }
    let mut told = vec![
        service.told(&service.admin, "GET", "/jobs/?type=DELETE_PROVIDER", None).await,
        service.told(&service.member, "GET", &path, None).await,
        service.told(&service.admin, "PATCH", &path, Some(json!({ "status": "active" }))).await,
        service.told(&service.member, "POST", &format!("/providers/{provider}/authorize/"), None).await,
        service.told(&service.admin, "DELETE", &path, None).await,
    ];
    service.run_workers().await;
    told.push(service.told(&service.admin, "GET", "/jobs/?status=COMPLETED", None).await);
    told.push(service.told(&service.member, "GET", &path, None).await);
    insta::assert_snapshot!(told.join("\n"));
}
