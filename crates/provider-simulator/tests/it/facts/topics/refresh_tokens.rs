//! Refresh tokens: who gets one, and how they look.

use super::super::deployment::{Deployment, Visit};
use super::access_tokens::looks_as_told;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let tokens = deployment.sign_in(deployment.visit_for_refresh()).await;
    let row = &deployment.facts.refresh_token;
    looks_as_told(tokens.refresh(), &row.looks);
    if let Some(seconds) = row.expires_in {
        assert_eq!(tokens.answer["expires_in"], seconds);
    }
    let told = tokens.answer.get("refresh_token_expires_in").and_then(serde_json::Value::as_i64);
    assert_eq!(told, row.told_lifetime);
    for scope in &row.none_for_scopes {
        let tokens = deployment.sign_in(Visit { scope, ..deployment.visit() }).await;
        assert_eq!(tokens.refresh, None, "asked for {scope}");
    }
}
