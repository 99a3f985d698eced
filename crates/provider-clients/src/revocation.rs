//! Revoking tokens at a revocation endpoint (RFC 7009).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{
    ProviderConnection, RevocationScope, RevokeTokens, TokenToRevoke, UpstreamError,
};
use url::Url;

use crate::failure::unavailable;
use crate::http::{Call, GuardedClient};
use crate::token_endpoint::{ErrorTable, read_refusal};

/// Revokes at the pinned revocation endpoint.
pub(crate) struct RevocationEndpoint {
    pub(crate) http: Arc<GuardedClient>,
    /// What this type of provider means by its error codes.
    pub(crate) errors: ErrorTable,
    /// What a revocation takes away at this type of provider.
    pub(crate) scope: RevocationScope,
    /// Which tokens are sent.
    pub(crate) manner: RevocationManner,
    /// Whether our client authenticates (RFC 7009, 2.1).
    pub(crate) as_client: bool,
}

/// Which of the tokens of an authorization are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RevocationManner {
    /// Both, each by itself: a server need not take the one along with the other (RFC 7009, 2.1).
    EachToken,
    /// One: either ends all that there is.
    OneToken,
}

/// The provider cannot revoke this kind of token (RFC 7009, 2.2.1).
const UNSUPPORTED: &str = "unsupported_token_type";

/// The provider does not know the token any more, which RFC 7009, 2.2, would have it answer with 200.
const ALREADY_DEAD: [&str; 2] = ["invalid_token", "invalid_grant"];

/// What became of one token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Revoked,
    Unsupported,
}

#[async_trait]
impl RevokeTokens for RevocationEndpoint {
    fn scope(&self) -> RevocationScope {
        self.scope
    }

    async fn revoke_token(
        &self,
        connection: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError> {
        let endpoint = connection
            .client
            .endpoints
            .revocation
            .as_ref()
            .ok_or_else(|| unavailable("no_revocation_endpoint"))?;
        let refresh_token = tokens.refresh_token.as_ref().map(|token| (token, "refresh_token"));
        let access_token = tokens.access_token.as_ref().map(|token| (token, "access_token"));
        let mut outcomes = Vec::new();
        let most = match self.manner {
            RevocationManner::EachToken => 2,
            RevocationManner::OneToken => 1,
        };
        for (token, hint) in refresh_token.into_iter().chain(access_token).take(most) {
            outcomes.push(self.revoke(endpoint, connection, token, hint).await?);
        }
        // A provider that can revoke one of the two has done what it can.
        if outcomes.is_empty() || outcomes.contains(&Outcome::Revoked) {
            return Ok(());
        }
        Err(UpstreamError::GrantRefused { code: UNSUPPORTED.to_owned() })
    }
}

impl RevocationEndpoint {
    async fn revoke(
        &self,
        endpoint: &Url,
        connection: &ProviderConnection,
        token: &Secret,
        hint: &str,
    ) -> Result<Outcome, UpstreamError> {
        let form = [("token", token.expose()), ("token_type_hint", hint)];
        let call = if self.as_client {
            Call::post_as_client(endpoint, connection, &form)
        } else {
            Call::post_form(endpoint, &form)
        };
        let answer = self.http.send(call).await?;
        let now = self.http.now();
        match read_refusal(&answer, now)? {
            None => Ok(Outcome::Revoked),
            Some(error) if error.code == UNSUPPORTED => Ok(Outcome::Unsupported),
            // Some providers answer so to a token that is dead already: with its grant, say, a moment ago.
            Some(error) if ALREADY_DEAD.contains(&error.code.as_str()) => Ok(Outcome::Revoked),
            Some(error) => Err(self.errors.failure(&error, answer.retry_after(now))),
        }
    }
}
