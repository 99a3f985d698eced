//! Who the user is, as the ID token that came with the tokens tells.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::UserInfo;
use grantkeeper_domain::providers::{Identity, ProviderConnection, UpstreamError};
use openidconnect::core::CoreJsonWebKeySet;
use serde_json::{Map, Value};

use super::defect::Defect;
use super::id_token::{self, Expected};
use super::keys::KeyCache;
use crate::failure::unavailable;
use crate::http::GuardedClient;
use crate::profile::ClaimsSource;
use crate::token_endpoint::TokenAnswer;

/// Tells whose tokens they are by the ID token that came with them.
#[async_trait]
pub(crate) trait IdentityFromIdToken: Send + Sync {
    /// The identity; `None`: there is no ID token, and at this provider there need not be one.
    async fn identity(
        &self,
        connection: &ProviderConnection,
        answer: &TokenAnswer,
        nonce: Option<&Secret>,
    ) -> Result<Option<Identity>, UpstreamError>;
}

/// ID tokens whose subject is in `sub` and whose issuer is the pinned one, as OpenID Connect has it.
pub(crate) struct OpenidIdentity {
    pub(crate) id_tokens: IdTokens,
    /// Whether there has to be one (OpenID Connect Core, 3.1.3.3).
    pub(crate) required: bool,
    /// Reads the claims.
    pub(crate) profile: ReadClaims,
}

/// Reads the claims of a type of provider. `None`: they do not say whose they are.
pub(crate) type ReadClaims = fn(Map<String, Value>, ClaimsSource) -> Option<UserInfo>;

#[async_trait]
impl IdentityFromIdToken for OpenidIdentity {
    async fn identity(
        &self,
        connection: &ProviderConnection,
        answer: &TokenAnswer,
        nonce: Option<&Secret>,
    ) -> Result<Option<Identity>, UpstreamError> {
        let Some(claims) = self.id_tokens.claims(connection, answer, nonce).await? else {
            return if self.required { Err(Defect::Missing.into()) } else { Ok(None) };
        };
        let claims = without_flow_claims(claims);
        let user = (self.profile)(claims, ClaimsSource::IdToken).ok_or(Defect::Malformed)?;
        let issuer = connection.client.endpoints.issuer.clone();
        Ok(Some(Identity { issuer, subject: user.sub.clone(), user }))
    }
}

/// Verifies ID tokens with the keys that their provider publishes.
pub(crate) struct IdTokens {
    http: Arc<GuardedClient>,
    keys: KeyCache,
    issuer_may_be_bare: bool,
}

/// How long to wait before keys that cannot be had just now are asked for again, where the provider names no time.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// A provider that wants to be left alone for longer is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Claims of the protocol that say nothing about the user; they do not belong into a profile that is kept.
const OF_THE_FLOW: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// Claims about the user alone.
pub(crate) fn without_flow_claims(mut claims: Map<String, Value>) -> Map<String, Value> {
    for claim in OF_THE_FLOW {
        claims.remove(claim);
    }
    claims
}

impl IdTokens {
    pub(crate) fn new(http: Arc<GuardedClient>) -> Self {
        Self { keys: KeyCache::new(Arc::clone(&http)), http, issuer_may_be_bare: false }
    }

    /// Takes the pinned issuer without `https://` before it for the same, as Google may write it
    /// (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).
    pub(crate) fn with_bare_issuer(self) -> Self {
        Self { issuer_may_be_bare: true, ..self }
    }

    /// The claims of the ID token, verified; `None`: there is no ID token. Its issuer is one that the pinned endpoints
    /// stand for.
    pub(crate) async fn claims(
        &self,
        connection: &ProviderConnection,
        answer: &TokenAnswer,
        nonce: Option<&Secret>,
    ) -> Result<Option<Map<String, Value>>, UpstreamError> {
        let Some(id_token) = &answer.id_token else { return Ok(None) };
        let endpoints = &connection.client.endpoints;
        let named = id_token::named_issuer(id_token).filter(|named| endpoints.is_issuer(named));
        let expected = Expected {
            issuer: named.as_deref().unwrap_or(&endpoints.issuer),
            issuer_may_be_bare: self.issuer_may_be_bare,
            client_id: &connection.client.client_id,
            nonce,
            access_token: &answer.tokens.access_token,
            now: self.http.now(),
        };
        let check = |keys: &CoreJsonWebKeySet| id_token::verify(id_token, keys, &expected);
        self.with_patience(connection, &check).await.map(Some)
    }

    /// The tokens are in hand, and would be lost for want of keys: who cannot have them just now asks a few times more,
    /// in the time that a call for a document may take.
    async fn with_patience(
        &self,
        connection: &ProviderConnection,
        check: &(impl Fn(&CoreJsonWebKeySet) -> Result<Map<String, Value>, Defect> + Sync),
    ) -> Result<Map<String, Value>, UpstreamError> {
        let patiently = async {
            for pause in PAUSES {
                let answer = self.with_keys(connection, check).await;
                let Err(error @ (UpstreamError::Unavailable { .. } | UpstreamError::RateLimited { .. })) =
                    &answer
                else {
                    return answer;
                };
                let wait = error.retry_after().unwrap_or(pause).max(pause);
                if wait > LONGEST_WAIT {
                    return answer;
                }
                self.http.sleep(wait).await;
            }
            self.with_keys(connection, check).await
        };
        self.http.within_document_limit(patiently).await.unwrap_or_else(|| Err(unavailable("timeout")))
    }

    /// Checks with the remembered keys; when none of them fits, with those that the provider has now.
    async fn with_keys(
        &self,
        connection: &ProviderConnection,
        check: &(impl Fn(&CoreJsonWebKeySet) -> Result<Map<String, Value>, Defect> + Sync),
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
