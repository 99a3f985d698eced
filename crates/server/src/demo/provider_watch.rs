//! Behind the provider's back: what it was really asked, and how it behaves. Only a simulated one lets us.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::narrator::{Narrator, shortened};
use crate::failure::Failure;

/// The control plane of the simulated provider.
pub(super) struct ProviderWatch<'a> {
    pub(super) http: reqwest::Client,
    pub(super) url: &'a str,
    pub(super) narrator: &'a Narrator,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    token_calls: Vec<TokenCall>,
}

#[derive(Deserialize)]
struct TokenCall {
    grant: Option<String>,
}

impl ProviderWatch<'_> {
    /// How long the access tokens live that it issues from now on, in seconds.
    pub(super) async fn set_access_token_lifetime(&self, seconds: u32) -> Result<(), Failure> {
        self.control("settings", &json!({ "accessTokenLifetime": seconds })).await
    }

    /// How long devices wait between two polls at a site of the simulator, in seconds.
    pub(super) async fn set_device_interval(&self, site: &str, seconds: u32) -> Result<(), Failure> {
        self.control(&format!("sites/{site}/settings"), &json!({ "deviceInterval": seconds })).await
    }

    /// The person types the user code at the provider, and agrees.
    pub(super) async fn approve_device(&self, user_code: &str) -> Result<(), Failure> {
        self.control("device", &json!({ "userCode": user_code, "decision": "approve" })).await
    }

    async fn control(&self, what: &str, body: &Value) -> Result<(), Failure> {
        self.narrator.note(format_args!("(the provider is told: POST /control/{what} {body})"));
        let request = self.http.post(format!("{}/control/{what}", self.url));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// How many refreshes it was asked for, whatever came of them.
    pub(super) async fn refreshes(&self) -> Result<usize, Failure> {
        let answer = self.http.get(format!("{}/control/stats", self.url)).send().await?.error_for_status()?;
        let stats: Stats = serde_json::from_slice(&answer.bytes().await?)?;
        let is_refresh = |call: &&TokenCall| call.grant.as_deref() == Some("refresh_token");
        Ok(stats.token_calls.iter().filter(is_refresh).count())
    }

    /// What it says to an access token.
    pub(super) async fn judges(&self, access_token: &str) -> Result<StatusCode, Failure> {
        let answer = self.http.get(format!("{}/userinfo", self.url)).bearer_auth(access_token).send().await?;
        Ok(answer.status())
    }

    /// Tells what it said to an access token.
    pub(super) fn tell_judgement(&self, access_token: &str, judgement: StatusCode) {
        let token = shortened(access_token);
        self.narrator
            .asked("anybody", format_args!("GET {}/userinfo with {token}, at the provider", self.url));
        self.narrator.answered(judgement, &[]);
    }
}
