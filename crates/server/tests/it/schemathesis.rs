//! The running service against its own description, by schemathesis: no 5xx, no status, content type or body that is
//! not described, nothing without a token, and nothing that is not valid is taken.

use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;
use serde_json::json;

use crate::callers::{Caller, answer, approve, client};
use crate::device::Device;
use crate::installation::Installation;
use crate::logins::client::{LoginClient, SignedIn};
use crate::stores::{StoreKind, on_either_store};
use crate::tools::installed;

on_either_store!(the_service_is_as_it_describes_itself);

/// What schemathesis asks for by id, so that not all of its calls end in 404: the lists that `schemathesis.toml` names.
struct Things {
    kept_providers: Vec<String>,
    lost_providers: Vec<String>,
    kept_authorizations: Vec<String>,
    lost_authorizations: Vec<String>,
    lost_links: Vec<String>,
    jobs: Vec<String>,
    codes: Vec<String>,
    states: Vec<String>,
    device_codes: Vec<String>,
    sessions: Vec<String>,
    login_states: Vec<String>,
    access_tokens: Vec<String>,
}

impl Things {
    async fn made_by(caller: &Caller, logins: &LoginClient, simulator: &str) -> Self {
        let kept_providers = vec![register_with_repositories(caller).await];
        let device_codes = vec![device_code(caller, &kept_providers[0]).await];
        let (mut lost_providers, mut lost_authorizations, mut lost_links) =
            (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            lost_providers.push(register(caller).await);
            // A provider of its own: the same account at the same provider would be the same authorization.
            lost_authorizations.push(caller.authorize_unattended(&register(caller).await).await);
            let linked = register(caller).await;
            caller.authorize_unattended(&linked).await;
            lost_links.push(linked);
        }
        let kept_authorizations = vec![caller.authorize_unattended(&kept_providers[0]).await];
        let jobs = vec![caller.count_things().await.split('/').nth(2).unwrap().to_owned()];
        let location = approve(&caller.http, &caller.start_flow(&kept_providers[0]).await).await;
        let brought = |name: &str| {
            let location = url::Url::parse(&location).unwrap();
            location
                .query_pairs()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
                .collect()
        };
        let (codes, states) = (brought("code"), brought("state"));
        Self {
            kept_providers,
            lost_providers,
            kept_authorizations,
            lost_authorizations,
            lost_links,
            jobs,
            codes,
            states,
            device_codes,
            sessions: vec![session(logins).await],
            login_states: vec![logins.start(None).await.state],
            access_tokens: vec![access_token(simulator).await],
        }
    }

    fn write_to(&self, folder: &Path) {
        for (name, list) in [
            ("kept_providers", &self.kept_providers),
            ("lost_providers", &self.lost_providers),
            ("kept_authorizations", &self.kept_authorizations),
            ("lost_authorizations", &self.lost_authorizations),
            ("lost_links", &self.lost_links),
            ("jobs", &self.jobs),
            ("codes", &self.codes),
            ("states", &self.states),
            ("device_codes", &self.device_codes),
            ("sessions", &self.sessions),
            ("login_states", &self.login_states),
            ("access_tokens", &self.access_tokens),
        ] {
            let lines: Vec<String> = list.iter().map(|item| format!("\"{item}\"")).collect();
            std::fs::write(folder.join(name), lines.join("\n")).unwrap();
        }
    }
}

/// The one code has to be good for as long as schemathesis takes to come to it.
async fn outlive_a_slow_machine(simulator: &str) {
    let settings = json!({ "codeLifetime": 3600 }).to_string();
    let request = client().post(format!("{simulator}/control/settings")).body(settings);
    let answer = request.header("content-type", "application/json").send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

async fn register(caller: &Caller) -> String {
    caller.register("test", None, ("any", "secret")).await
}

/// One whose repositories are where the remotes of `schemathesis.toml` are.
async fn register_with_repositories(caller: &Caller) -> String {
    let id = register(caller).await;
    let hosts = json!({ "gitHosts": ["git.example"] });
    let (status, patched) = caller.patch_json(&format!("/providers/{id}/"), &hosts).await;
    assert_eq!(status, StatusCode::OK, "{patched}");
    id
}

/// Switches the device flow on and goes through one, so that its code is good for as many polls as come.
async fn device_code(caller: &Caller, provider: &str) -> String {
    let (status, patched) =
        caller.patch_json(&format!("/providers/{provider}/"), &json!({ "deviceFlow": true })).await;
    assert_eq!(status, StatusCode::OK, "{patched}");
    let device = Device::begin(caller, provider).await;
    device.linked().await;
    device.device_code
}

/// A login whose person has said yes.
async fn session(logins: &LoginClient) -> String {
    let device = logins.start_device().await;
    SignedIn::read(&logins.complete(&device.session).await);
    device.session
}

/// A token that somebody has given to us.
async fn access_token(simulator: &str) -> String {
    let order = json!({ "clientId": "any", "scope": "openid" }).to_string();
    let request = client().post(format!("{simulator}/control/grants")).body(order);
    let (_, given) = answer(request).await;
    given["grants"][0]["accessToken"].as_str().unwrap().to_owned()
}

/// The one of the slug that its name gives it.
fn people_sign_in_at_the_first_provider(installation: &mut Installation) {
    installation.set("LOGIN__DEVICE_PROVIDER", "github");
    installation.set("LOGIN__PROVIDERS__GITHUB__ORGANIZATION", "Acme");
    installation.set("LOGIN__PROVIDERS__GITHUB__PROVIDER", "e2e");
    installation.set("LOGIN__PROVIDERS__GITHUB__NEW_ACCOUNTS", "anyone");
}

async fn the_service_is_as_it_describes_itself(store: StoreKind) {
    let Some(schemathesis) = installed("schemathesis/bin/schemathesis") else { return };
    let mut installation = Installation::with_simulator_on(store);
    // It calls as fast as it can.
    for limit in [
        "FLOWS_PER_CALLER",
        "FLOWS_PER_ADDRESS",
        "CALLBACKS_PER_CALLER",
        "CALLBACKS_PER_ADDRESS",
        "WRONG_TOKENS_PER_ADDRESS",
    ] {
        installation.set(&format!("LIMITS__{limit}"), "0");
    }
    // Machines wait for links that nobody makes.
    installation.set("EXTERNAL_AUTH__LISTEN_LIMIT", "1");
    people_sign_in_at_the_first_provider(&mut installation);
    let token = installation.token("admin@acme.example", true);
    let running = installation.serve().await;
    outlive_a_slow_machine(&running.simulator()).await;
    let logins = LoginClient::at(&installation.base_url);
    let things = Things::made_by(&installation.caller(&token), &logins, &running.simulator()).await;
    things.write_to(installation.folder.path());
    let settings = include_str!("../e2e/schemathesis/schemathesis.toml");
    std::fs::write(installation.path("schemathesis.toml"), settings).unwrap();
    let mut command = Command::new(schemathesis);
    command
        .args(["--config-file", "schemathesis.toml", "run", "--no-color"])
        .arg(format!("{}/openapi.json", installation.base_url))
        .env("GRANTKEEPER_TOKEN", &token)
        .current_dir(installation.folder.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
}
