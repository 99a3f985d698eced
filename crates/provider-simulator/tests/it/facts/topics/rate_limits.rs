//! How the API says that calls come too often.

use serde_json::json;

use super::super::deployment::Deployment;
use super::super::rows::RateLimitRow;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    for row in &deployment.facts.rate_limits {
        let tokens = deployment.sign_in(deployment.visit()).await;
        deployment.set(&json!({ "rateLimit": row.setting })).await;
        the_signal_is_as_told(&deployment, row, &tokens.access).await;
        deployment.set(&json!({ "rateLimit": "off" })).await;
        assert!(deployment.is_alive(&tokens.access).await, "the token outlives the limit");
    }
}

async fn the_signal_is_as_told(deployment: &Deployment, row: &RateLimitRow, access_token: &str) {
    let answer = deployment.get(&deployment.facts.access_token.probe, access_token).await;
    let setting = &row.setting;
    assert!(row.status.contains(&answer.status.as_u16()), "{setting}: {}", answer.status);
    for (name, value) in &row.headers {
        assert_eq!(answer.header(name), value, "{setting}: {name}");
    }
    for name in &row.header_names {
        assert_ne!(answer.header(name), "", "{setting}: {name}");
    }
    for name in &row.without_headers {
        assert_eq!(answer.header(name), "", "{setting}: {name}");
    }
    if let Some(name) = &row.reset {
        let at: i64 = answer.header(name).parse().unwrap_or_else(|_| panic!("{setting}: no {name}"));
        assert!(at > deployment.now(), "{setting}: {name} is past");
    }
    for (name, value) in &row.body {
        assert_eq!(answer.json().get(name), Some(value), "{setting}: {name}");
    }
}
