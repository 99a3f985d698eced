//! What Google says about an access token: a call beside the token endpoint, which takes the token in the header, as
//! Google's own libraries send it
//! (<https://github.com/googleapis/google-auth-library-nodejs/blob/main/src/auth/oauth2client.ts>).

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{
    CheckAudience, ProviderConnection, ProviderEndpoints, TokenAudience, UpstreamError,
};
use serde::Deserialize;
use url::Url;

use crate::audience::of_clients;
use crate::failure::unavailable;
use crate::http::{Answer, Call, GuardedClient};
use crate::resources::refusal;
use crate::token_endpoint::read_refusal;

/// Asks about tokens.
pub(super) struct TokenInfo {
    pub(super) http: Arc<GuardedClient>,
}

/// What is read of an answer.
#[derive(Deserialize)]
struct Info {
    /// The client that the token was issued to.
    azp: Option<String>,
    /// The one that it is for: "in general the same".
    aud: Option<String>,
}

#[async_trait]
impl CheckAudience for TokenInfo {
    async fn check_audience(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<TokenAudience, UpstreamError> {
        let url = address(&connection.client.endpoints)?;
        let answer = self.http.send(Call::post_form(&url, &[]).bearer(access_token)?).await?;
        let info = read(&answer, self.http.now())?;
        let named = info.azp.as_deref().into_iter().chain(info.aud.as_deref());
        of_clients(named, connection).ok_or_else(|| unavailable("unreadable_answer"))
    }
}

fn address(endpoints: &ProviderEndpoints) -> Result<Url, UpstreamError> {
    endpoints.token.join("tokeninfo").map_err(|_| UpstreamError::NotSupported)
}

fn read(answer: &Answer, now: DateTime<Utc>) -> Result<Info, UpstreamError> {
    if let Some(refusal) = refusal(answer, now) {
        return Err(refusal);
    }
    match read_refusal(answer, now)? {
        Some(error) if error.code == "invalid_token" => Err(UpstreamError::TokenRefused),
        Some(_) => Err(unavailable("unknown_error")),
        None => serde_json::from_slice(&answer.body).map_err(|_| unavailable("unreadable_answer")),
    }
}
