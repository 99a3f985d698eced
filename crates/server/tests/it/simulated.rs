//! The simulated provider in the test's own process: it outlives the services that are killed.

use std::collections::BTreeMap;

use grantkeeper_provider_simulator::{Simulator, SimulatorOptions, Stats};
use serde_json::Value;

use crate::callers::client;

/// A provider that approves at once, replaces a refresh token at every use, and kills the grant when one comes twice.
pub(crate) fn provider() -> Simulator {
    Simulator::start(SimulatorOptions { auto_consent: true, ..SimulatorOptions::default() }).unwrap()
}

/// Whose token it is; `None`: nobody's (any more).
pub(crate) async fn owner(upstream: &Simulator, access_token: &str) -> Option<String> {
    let asked = client().get(format!("{}/userinfo", upstream.url())).bearer_auth(access_token).send().await;
    let answer = asked.unwrap();
    if !answer.status().is_success() {
        return None;
    }
    let user: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    user["sub"].as_str().map(str::to_owned)
}

/// How many refreshes the provider has made.
pub(crate) fn refreshes(stats: &Stats) -> usize {
    let made = |call: &&_| is_refresh(call) && call.outcome == "ok";
    stats.token_calls.iter().filter(made).count()
}

fn is_refresh(call: &grantkeeper_provider_simulator::TokenCall) -> bool {
    call.grant.as_deref() == Some("refresh_token")
}

/// No code and no refresh token was sent twice, and all grants live.
pub(crate) fn assert_nothing_was_sent_twice(stats: &Stats) {
    let mut sent = BTreeMap::<_, u32>::new();
    for call in &stats.token_calls {
        *sent.entry((&call.family, call.generation)).or_default() += 1;
    }
    assert!(sent.values().all(|times| *times == 1), "{sent:?}");
    assert!(stats.families.values().all(|family| family.alive), "{:?}", stats.families);
}
