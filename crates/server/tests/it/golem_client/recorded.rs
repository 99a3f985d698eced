//! The requests of the published client as they were recorded in `e2e/golem-client/requests`.

use serde_json::Value;

use super::answers;
use crate::raw_requests::{Requests, Wire, raw_requests};

const REQUESTS: Requests = raw_requests!("golem-client":
    "start_login_oauth_2",
    "complete_login_oauth_2",
    "oauth_2_web_flow_start",
    "oauth_2_web_flow_start_with_redirect",
    "oauth_2_web_flow_callback_github",
    "oauth_2_web_flow_poll",
    "login_oauth_2",
    "current_login_token",
);

/// Makes the calls of the client.
pub(super) struct Recorded(Wire);

impl Recorded {
    pub(super) fn at(base_url: &str) -> Self {
        Self(Wire::at(base_url, REQUESTS))
    }

    pub(super) async fn call(&self, call: &[&str]) -> Value {
        let reply = self.0.send(name(call), &call[1..]).await;
        answers::read(call[0], reply.status, &reply.body)
    }

    /// The bytes of a call.
    pub(super) fn request(&self, call: &[&str]) -> String {
        self.0.request(name(call), &call[1..])
    }
}

/// What a call was recorded as.
fn name<'c>(call: &[&'c str]) -> &'c str {
    match call {
        ["oauth_2_web_flow_start", _, _] => "oauth_2_web_flow_start_with_redirect",
        [name, ..] => name,
        [] => unreachable!("a call has a name"),
    }
}
