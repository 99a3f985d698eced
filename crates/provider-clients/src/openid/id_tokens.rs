//! Who the user is, as the ID token of a code exchange tells.

use std::sync::Arc;

use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{Identity, ProviderConnection, UpstreamError};
use openidconnect::core::CoreJsonWebKeySet;
use serde_json::{Map, Value};

use super::defect::Defect;
use super::id_token::{self, Expected};
use super::keys::KeyCache;
use super::profile;
use crate::failure::unavailable;
use crate::http::GuardedClient;
use crate::token_endpoint::TokenAnswer;

/// Verifies ID tokens with the keys that their provider publishes.
pub(crate) struct IdTokens {
    http: Arc<GuardedClient>,
    keys: KeyCache,
}

/// Claims of the protocol that say nothing about the user; they do not belong into a profile that is kept.
const OF_THE_FLOW: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

impl IdTokens {
    pub(crate) fn new(http: Arc<GuardedClient>) -> Self {
        Self { keys: KeyCache::new(Arc::clone(&http)), http }
    }

    /// The identity in the ID token of a code exchange, which has to have one (OpenID Connect Core, 3.1.3.3).
    pub(crate) async fn identity(
        &self,
        connection: &ProviderConnection,
        answer: &TokenAnswer,
        nonce: Option<&Secret>,
    ) -> Result<Identity, UpstreamError> {
        let id_token = answer.id_token.as_ref().ok_or(Defect::Missing)?;
        let expected = Expected {
            issuer: &connection.client.endpoints.issuer,
            client_id: &connection.client.client_id,
            nonce,
            access_token: &answer.tokens.access_token,
            now: self.http.now(),
        };
        let check = |keys: &CoreJsonWebKeySet| id_token::verify(id_token, keys, &expected);
        let claims = self.with_keys(connection, check).await?;
        identity(connection, claims)
    }

    /// Checks with the remembered keys; when none of them fits, with those that the provider has now.
    async fn with_keys(
        &self,
        connection: &ProviderConnection,
        check: impl Fn(&CoreJsonWebKeySet) -> Result<Map<String, Value>, Defect>,
    ) -> Result<Map<String, Value>, UpstreamError> {
        let url = connection.client.endpoints.jwks.as_ref().ok_or_else(|| unavailable("no_keys_endpoint"))?;
        let remembered = self.keys.keys(url).await?;
        match check(&remembered.keys) {
            Err(Defect::UnknownKey) => {
                let present = self.keys.keys_after(&remembered, url).await?;
                Ok(check(&present.keys)?)
            }
            checked => Ok(checked?),
        }
    }
}

fn identity(
    connection: &ProviderConnection,
    mut claims: Map<String, Value>,
) -> Result<Identity, UpstreamError> {
    for claim in OF_THE_FLOW {
        claims.remove(claim);
    }
    let user = profile::user_info(claims).ok_or(Defect::Malformed)?;
    Ok(Identity { issuer: connection.client.endpoints.issuer.clone(), subject: user.sub.clone(), user })
}
