//! Which application an access token was issued to (<https://docs.gitlab.com/api/oauth2/>).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{CheckAudience, ProviderConnection, TokenAudience, UpstreamError};
use serde_json::Value;

use super::instance::token_info;
use crate::audience::{is_personal, of_clients};
use crate::failure::unavailable;
use crate::http::GuardedClient;
use crate::resources::ProtectedResources;

/// How a personal access token begins, unless an administrator has made it another prefix: those are refused, since the
/// call knows the tokens of applications only (<https://docs.gitlab.com/security/tokens/>).
const PERSONAL: [&str; 1] = ["glpat-"];

/// Asks a token about itself.
pub(super) struct TokenInfo {
    pub(super) http: Arc<GuardedClient>,
}

#[async_trait]
impl CheckAudience for TokenInfo {
    async fn check_audience(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<TokenAudience, UpstreamError> {
        if is_personal(access_token, &PERSONAL) {
            return Ok(TokenAudience::Nobody);
        }
        let resources = ProtectedResources { http: &self.http, access_token, headers: &[] };
        let info = resources.document(&token_info(&connection.client.endpoints)).await?;
        let application = info.pointer("/application/uid").and_then(Value::as_str);
        of_clients(application, connection).ok_or_else(|| unavailable("unreadable_answer"))
    }
}
