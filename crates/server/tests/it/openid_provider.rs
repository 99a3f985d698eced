//! npm `oidc-provider`, a real OpenID provider with a scripted person in front of it.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::callers::client;
use crate::tools::installed;

pub(crate) struct OpenIdProvider {
    pub(crate) issuer: String,
    http: reqwest::Client,
    /// It ends when its standard input closes.
    _stdin: ChildStdin,
    _child: Child,
}

impl OpenIdProvider {
    /// With settings, as `idp.mjs` lists them. `None` where it is not installed.
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Option<Self> {
        let folder = installed("idp/node_modules")?.parent()?.to_owned();
        let mut child = Command::new("node")
            .arg("idp.mjs")
            .current_dir(folder)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        let issuer = ready["issuer"].as_str()?.to_owned();
        Some(Self { issuer, http: client(), _stdin: child.stdin.take()?, _child: child })
    }

    /// A person signs in as `account` and consents; returns where the browser is sent.
    pub(crate) async fn log_in(&self, url: &str, account: &str) -> String {
        let answer = self.control("login", &json!({ "url": url, "account": account })).await;
        answer["location"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub(crate) async fn control(&self, what: &str, body: &Value) -> Value {
        let url = format!("{}/test/{what}", self.issuer);
        let answer = self.http.post(url).body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// How often the token endpoint was asked with that grant type, and what it answered in all.
    pub(crate) async fn token_calls(&self, grant: &str) -> (u64, Value) {
        let stats = self.http.get(format!("{}/test/stats", self.issuer)).send().await.unwrap();
        let stats: Value = serde_json::from_str(&stats.text().await.unwrap()).unwrap();
        (stats["token"]["grants"][grant].as_u64().unwrap_or(0), stats["token"]["status"].clone())
    }

    /// Introspection (RFC 7662) by a resource server.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let request = self.http.post(format!("{}/token/introspection", self.issuer));
        let request = request.basic_auth("rs", Some("rs-secret"));
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["active"].as_bool().unwrap()
    }
}
