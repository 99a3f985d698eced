//! The published Python SDK of the reference system, unchanged.

use std::path::Path;
use std::process::Command;

use crate::installation::Installation;
use crate::stores::{StoreKind, on_either_store};
use crate::tools::installed;

on_either_store!(the_published_sdk_does_the_main_job);

async fn the_published_sdk_does_the_main_job(store: StoreKind) {
    let Some(python) = installed("venv/bin/python") else { return };
    does_the_main_job_with(&python, Installation::with_simulator_on(store), &["test"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_sdk_does_the_main_job_with_every_type_that_it_knows() {
    let Some(python) = installed("venv/bin/python") else { return };
    let mut installation = Installation::with_simulator();
    installation.set("SIMULATOR__PLAYS_EVERYONE", "true");
    let kinds = ["github", "gitlab", "bitbucket", "google", "box", "microsoft"];
    does_the_main_job_with(&python, installation, &kinds).await;
}

async fn does_the_main_job_with(python: &Path, mut installation: Installation, kinds: &[&str]) {
    // The job counts refreshes: none but its own.
    installation.set("TOKENS__IN_USE_DAYS", "0");
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let token = installation.token("member@acme.example", false);
    let running = installation.serve().await;
    for kind in kinds {
        // The simulator's own dialect is its plain provider.
        let site = if *kind == "test" { "oidc" } else { kind };
        let control = format!("{}/control/sites/{site}", running.simulator());
        let provider = admin.register(kind, None, ("any", "secret")).await;
        let mut command = Command::new(python);
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/sdk/main_job.py"))
            .args(["--provider-id", &provider, "--control", &control])
            .env("DATAROBOT_ENDPOINT", format!("{}/api/v2", installation.base_url))
            .env("DATAROBOT_API_TOKEN", &token);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kind}: {told}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.contains("\"ok\": true"), "{kind}: {told}");
    }
}
