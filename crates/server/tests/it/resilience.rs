//! Processes that are killed or told to stop while they work.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::callers::client;
use crate::installation::Installation;
use crate::waiting::eventually;

async fn control(simulator: &str, what: &str, body: &Value) {
    let request = client().post(format!("{simulator}/control/{what}")).body(body.to_string());
    let answer = request.header("content-type", "application/json").send().await.unwrap();
    assert!(answer.status().is_success(), "{what}: {}", answer.text().await.unwrap());
}

async fn stats(simulator: &str) -> Value {
    let answer = client().get(format!("{simulator}/control/stats")).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The simulated provider in a process of its own: it outlives the service that is killed.
async fn service_with_lasting_provider() -> (Installation, crate::installation::Running) {
    let upstream = Installation::with_simulator();
    let upstream_running = upstream.serve().await;
    let installation = Installation::new();
    // Keeps the folder of the upstream for the length of the test.
    std::mem::forget(upstream);
    (installation, upstream_running)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_goes_on_where_a_killed_worker_stopped() {
    let (installation, upstream) = service_with_lasting_provider().await;
    let simulator = upstream.simulator();
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let mut members = Vec::new();
    for name in ["a", "b", "c"] {
        members.push(installation.caller(&installation.token(&format!("{name}@acme.example"), false)));
    }
    let running = installation.serve().await;
    let provider = admin.register("oidc", Some(&simulator), ("any", "secret")).await;
    for member in &members {
        member.authorize_unattended(&provider).await;
    }
    control(&simulator, "faults", &json!({ "where": "revoke", "delayMs": 60_000, "times": -1 })).await;
    let (status, location) = admin.delete(&format!("/providers/{provider}/")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let path = location["location"].as_str().unwrap().split("/externalOAuth").nth(1).unwrap().to_owned();
    eventually("the job to run", async || (admin.get(&path).await.1["status"] == "RUNNING").then_some(()))
        .await;
    running.kill().await;
    control(&simulator, "faults", &json!({})).await;
    // The dead worker's leases are a minute's matter; an operator's clock would show the same after that minute.
    lapse_leases(&installation);
    let _running = installation.serve().await;
    let job = eventually("the job to end", async || {
        let (_, job) = admin.get(&path).await;
        job["finishedAt"].is_string().then_some(job)
    })
    .await;
    assert_eq!(job["status"], "COMPLETED", "{job}");
    let families = stats(&simulator).await["families"].clone();
    let families = families.as_object().unwrap();
    assert_eq!(families.len(), 3);
    assert!(families.values().all(|family| family["alive"] == false), "{families:?}");
}

/// Makes time pass for the leases of a killed process.
fn lapse_leases(installation: &Installation) {
    let database = installation.path("grantkeeper.db");
    let statements = "UPDATE jobs SET lease_until = 0 WHERE lease_until IS NOT NULL; \
                      UPDATE revocations SET lease_until = 0 WHERE lease_until IS NOT NULL;";
    let script = format!(
        "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript({statements:?}); c.commit()"
    );
    let status = std::process::Command::new("python3").args(["-c", &script]).arg(database).status().unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_under_way_is_saved_before_the_service_stops() {
    let (installation, upstream) = service_with_lasting_provider().await;
    let simulator = upstream.simulator();
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    let provider = admin.register("oidc", Some(&simulator), ("any", "secret")).await;
    let id = admin.authorize_unattended(&provider).await;
    // Connections to the provider that were opened by requests must not end with the threads that answered these.
    for _ in 0..8 {
        assert_eq!(admin.get(&format!("/authorizedProviders/{id}/userinfo/")).await.0, StatusCode::OK);
    }
    control(&simulator, "reset", &json!({})).await;
    control(&simulator, "faults", &json!({ "where": "token", "delayMs": 2000 })).await;
    let asking = {
        let (admin, id) = (admin.clone(), id.clone());
        tokio::spawn(async move { admin.access_token(&id, "?min_ttl=3600").await })
    };
    eventually("the refresh to begin", async || (stats(&simulator).await["maxInFlight"] == 1).then_some(()))
        .await;
    assert_eq!(running.terminate().await, Some(0));
    // The caller had an answer, or a closed connection: what counts is the row.
    let _ = asking.await;
    let _running = installation.serve().await;
    let (status, lent) = admin.access_token(&id, "").await;
    assert_eq!(status, StatusCode::CREATED, "{lent}");
    assert!(lent["authorizedOauthProvider"]["lastRefreshedAt"].is_string(), "{lent}");
    let again = admin.access_token(&id, "?min_ttl=3600").await;
    assert_eq!(again.0, StatusCode::CREATED, "the rotated token was not lost: {}", again.1);
}
