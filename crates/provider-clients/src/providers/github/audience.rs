//! For which app a token was issued.

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{CheckAudience, ProviderConnection, TokenAudience, UpstreamError};
use serde_json::Value;

use super::app_tokens::AppTokens;
use crate::audience::{is_personal, of_clients};
use crate::failure::unavailable;

/// How personal access tokens begin, classic ones and fine-grained ones
/// (<https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>).
const PERSONAL: [&str; 2] = ["ghp_", "github_pat_"];

#[async_trait]
impl CheckAudience for AppTokens {
    async fn check_audience(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<TokenAudience, UpstreamError> {
        if is_personal(access_token, &PERSONAL) {
            return Ok(TokenAudience::Nobody);
        }
        let answer = self.check(connection, access_token).await?;
        let token: Value =
            serde_json::from_slice(&answer.body).map_err(|_| unavailable("unreadable_answer"))?;
        let app = token.pointer("/app/client_id").and_then(Value::as_str);
        of_clients(app, connection).ok_or_else(|| unavailable("unreadable_answer"))
    }
}
