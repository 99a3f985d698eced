//! Asking an introspection endpoint about a token (RFC 7662).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{CheckAudience, ProviderConnection, TokenAudience, UpstreamError};
use serde::Deserialize;

use crate::audience::of_clients;
use crate::failure::unavailable;
use crate::http::{Answer, Call, GuardedClient};
use crate::token_endpoint::{ErrorTable, read_refusal};

/// Asks the pinned introspection endpoint.
pub(crate) struct IntrospectionEndpoint {
    pub(crate) http: Arc<GuardedClient>,
    /// What this type of provider means by its error codes.
    pub(crate) errors: ErrorTable,
}

/// What is read of an answer (RFC 7662, 2.2).
#[derive(Deserialize)]
struct TokenState {
    active: bool,
    client_id: Option<String>,
    /// What a provider whose tokens are JWTs may tell of them in the place of `client_id`.
    azp: Option<String>,
    aud: Option<Audience>,
}

/// One audience or several (RFC 7519, 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[async_trait]
impl CheckAudience for IntrospectionEndpoint {
    async fn check_audience(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<TokenAudience, UpstreamError> {
        let endpoint = connection.client.endpoints.introspection.as_ref();
        let endpoint = endpoint.ok_or(UpstreamError::NotSupported)?;
        let form = [("token", access_token.expose()), ("token_type_hint", "access_token")];
        let answer = self.http.send(Call::post_as_client(endpoint, connection, &form)).await?;
        self.read(&answer)?.audience(connection)
    }
}

impl IntrospectionEndpoint {
    fn read(&self, answer: &Answer) -> Result<TokenState, UpstreamError> {
        let now = self.http.now();
        match read_refusal(answer, now)? {
            Some(error) => Err(self.errors.failure(&error, answer.retry_after(now))),
            None => serde_json::from_slice(&answer.body).map_err(|_| unavailable("unreadable_answer")),
        }
    }
}

impl TokenState {
    /// The client that the token was issued to, where the answer names it; else the audience, which is ours if we are one
    /// of those that it was made for.
    fn audience(self, connection: &ProviderConnection) -> Result<TokenAudience, UpstreamError> {
        if !self.active {
            return Err(UpstreamError::TokenRefused);
        }
        let ours = |audience: &&String| **audience == connection.client.client_id;
        let audience = self.aud.as_ref().map(Audience::all).unwrap_or_default();
        let audience = audience.iter().find(ours).or(audience.first()).map(String::as_str);
        let issued_to = self.client_id.as_deref().or(self.azp.as_deref());
        // An answer may leave all of it out, and then it does not tell.
        of_clients(issued_to.or(audience), connection).ok_or(UpstreamError::NotSupported)
    }
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::One(audience) => std::slice::from_ref(audience),
            Self::Several(audiences) => audiences,
        }
    }
}
