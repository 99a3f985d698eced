//! A device without a browser, and the person with one elsewhere, over the `external_auth` API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::callers::{Answer, Caller, answer, client};
use crate::waiting::eventually;

/// A device flow that was begun.
#[expect(clippy::struct_field_names, reason = "the names of RFC 8628 section 3.2")]
pub(crate) struct Device {
    caller: Caller,
    path: String,
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// For how many seconds the codes are good.
    pub(crate) expires_in: u64,
}

impl Device {
    /// Asks for the codes.
    pub(crate) async fn begin(caller: &Caller, provider: &str) -> Self {
        let site = caller.base.strip_suffix("/api/v2/externalOAuth").unwrap();
        let path = format!("{site}/api/v2/external-auth/{provider}/device");
        let request = caller.http.get(&path).header("Coder-Session-Token", &caller.token);
        let (status, begun) = answer(request).await;
        assert_eq!(status, StatusCode::OK, "{begun}");
        let text =
            |name: &str| begun[name].as_str().unwrap_or_else(|| panic!("{name} of {begun}")).to_owned();
        assert!(begun["interval"].is_u64(), "{begun}");
        Self {
            caller: caller.clone(),
            path,
            device_code: text("device_code"),
            user_code: text("user_code"),
            verification_uri: text("verification_uri"),
            expires_in: begun["expires_in"].as_u64().unwrap_or_else(|| panic!("expires_in of {begun}")),
        }
    }

    /// The person decides at the provider, behind our back.
    pub(crate) async fn decide(&self, simulator: &str, decision: &str) {
        let body = json!({ "userCode": self.user_code, "decision": decision }).to_string();
        let answer = client().post(format!("{simulator}/control/device")).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{}", self.user_code);
    }

    pub(crate) async fn poll(&self) -> Answer {
        let request = self.caller.http.request(Method::POST, &self.path).bearer_auth(&self.caller.token);
        let body = json!({ "device_code": self.device_code }).to_string();
        answer(request.header("content-type", "application/json").body(body)).await
    }

    /// Polls until the account is linked.
    pub(crate) async fn linked(&self) {
        let last = self.poll_to_the_end().await;
        assert_eq!(last.0, StatusCode::NO_CONTENT, "{}", last.1);
    }

    /// Polls until it is over; returns why.
    pub(crate) async fn ended(&self) -> String {
        let (status, body) = self.poll_to_the_end().await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        detail(&body).to_owned()
    }

    async fn poll_to_the_end(&self) -> Answer {
        eventually("the device flow to end", async || {
            let (status, body) = self.poll().await;
            let goes_on = status == StatusCode::BAD_REQUEST
                && matches!(detail(&body), "authorization_pending" | "slow_down");
            (!goes_on).then_some((status, body))
        })
        .await
    }
}

fn detail(body: &Value) -> &str {
    assert_eq!(body["message"], "Failed to exchange device code.", "{body}");
    body["detail"].as_str().unwrap()
}
