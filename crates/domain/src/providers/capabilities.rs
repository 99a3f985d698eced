//! What only some providers can do.
#![cfg_attr(
    any(test, feature = "mock"),
    expect(clippy::ref_option_ref, reason = "mockall hands its predicates a reference to every argument")
)]

use async_trait::async_trait;

use super::{Identity, ProviderConnection, TokenSet, UpstreamError};
use crate::Secret;

/// Refreshing an access token (RFC 6749, 6).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RefreshTokens: Send + Sync {
    /// Redeems a refresh token. Scopes are never widened: none are sent.
    async fn refresh_token(
        &self,
        connection: &ProviderConnection,
        refresh_token: &Secret,
    ) -> Result<TokenSet, UpstreamError>;
}

/// Revoking tokens (RFC 7009, or the provider's own call).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RevokeTokens: Send + Sync {
    /// What a revocation takes away, as the API names it: `token`, `grant`, …
    fn scope(&self) -> &'static str;

    /// Revokes. A token that the provider does not know (any more) counts as revoked (RFC 7009, 2.2).
    async fn revoke_token(
        &self,
        connection: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError>;
}

/// The tokens of one authorization, to be revoked together.
pub struct TokenToRevoke {
    /// The access token.
    pub access_token: Option<Secret>,
    /// The refresh token; it goes first, since many providers then end the whole grant.
    pub refresh_token: Option<Secret>,
}

/// Telling who the user is.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait IdentifyUser: Send + Sync {
    /// Asks the provider. With an `expected` subject an answer about anyone else is
    /// [`UpstreamError::Untrusted`] (OpenID Connect Core, 5.3.2).
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<&'a str>,
    ) -> Result<Identity, UpstreamError>;
}
