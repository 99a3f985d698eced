//! The published Python SDK of the reference system, unchanged.

use std::process::Command;

use crate::installation::Installation;
use crate::stores::{StoreKind, on_either_store};
use crate::tools::installed;

on_either_store!(the_published_sdk_does_the_main_job);

async fn the_published_sdk_does_the_main_job(store: StoreKind) {
    let Some(python) = installed("venv/bin/python") else { return };
    let installation = Installation::with_simulator_on(store);
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let token = installation.token("member@acme.example", false);
    let _running = installation.serve().await;
    let provider = admin.register("test", None, ("any", "secret")).await;
    let endpoint = format!("{}/api/v2", installation.base_url);
    let output = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/sdk/main_job.py"))
            .args(["--provider-id", &provider])
            .env("DATAROBOT_ENDPOINT", endpoint)
            .env("DATAROBOT_API_TOKEN", token)
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("\"ok\": true"), "{told}");
}
