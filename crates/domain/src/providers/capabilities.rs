//! What only some providers can do.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::{ExpectedUser, Identity, ProviderConnection, ProviderEndpoints, TokenSet, UpstreamError};
use crate::Secret;
use crate::authorizations::Scopes;

/// Refreshing an access token (RFC 6749, 6).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RefreshTokens: Send + Sync {
    /// Redeems a refresh token. Scopes are never widened.
    async fn refresh_token(
        &self,
        connection: &ProviderConnection,
        request: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError>;
}

/// What redeems a refresh token.
pub struct RefreshRequest {
    /// The refresh token.
    pub refresh_token: Secret,
    /// The scopes that the person was asked for: what was granted is told in their spelling, and providers that want
    /// them again (Microsoft) get them.
    pub scopes: Scopes,
    /// The redirect URI of the flow that brought the grant, for providers that want it again (GitLab); a device flow
    /// has none.
    pub redirect_uri: Option<String>,
}

/// What becomes of a refresh token when it is used (RFC 6749, 6; RFC 9700, 4.14.2). It is a fact about the provider:
/// what an answer carries is taken as it comes, whatever is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshModel {
    /// It stays good, and answers bring no other.
    Reusable,
    /// Another takes its place at once, and the old one is dead.
    Rotating,
    /// Another takes its place, and the old one still works for so long, for answers that were lost.
    RotatingWithGrace(Duration),
    /// Another comes, and the old one stays good.
    RotatingTolerant,
}

/// Revoking tokens (RFC 7009, or the provider's own call).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RevokeTokens: Send + Sync {
    /// What a revocation takes away.
    fn scope(&self) -> RevocationScope;

    /// Revokes. A token that the provider does not know (any more) counts as revoked (RFC 7009, 2.2).
    async fn revoke_token(
        &self,
        connection: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError>;
}

/// What a revocation takes away, from the finest grain to the coarsest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationScope {
    /// The tokens of this authorization and nothing else; the person's consent stays.
    Token,
    /// The access token and its refresh token, whichever of them is revoked.
    Pair,
    /// The whole grant: every token that this person gave this client.
    Grant,
    /// The person's grants to every client of the project that the client belongs to (Google Cloud).
    Project,
}

impl RevocationScope {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Token, Self::Pair, Self::Grant, Self::Project];

    /// Whether nothing goes but the tokens that are revoked: other tokens of the same person stay good.
    pub(crate) const fn leaves_others_alone(self) -> bool {
        match self {
            Self::Token | Self::Pair => true,
            Self::Grant | Self::Project => false,
        }
    }

    /// As the API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Pair => "pair",
            Self::Grant => "grant",
            Self::Project => "project",
        }
    }
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
    /// Asks the provider. With an `expected` user an answer about anyone else is [`UpstreamError::Untrusted`]
    /// (OpenID Connect Core, 5.3.2).
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError>;
}

/// Telling whether an access token is still good, by the cheapest call that needs one.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ValidateTokens: Send + Sync {
    /// `Ok`: the provider takes the token. [`UpstreamError::TokenRefused`]: it does not. Any other error says nothing
    /// about the token.
    async fn validate_token(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<(), UpstreamError>;
}

/// Telling for which client an access token was issued (RFC 7662, or the provider's own call).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CheckAudience: Send + Sync {
    /// Asks the provider. [`UpstreamError::TokenRefused`]: it does not take the token, or takes it for no token of this
    /// client and tells no more.
    async fn check_audience(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<TokenAudience, UpstreamError>;
}

/// For which client an access token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAudience {
    /// For the client that asks.
    Ours,
    /// For another one.
    Another,
    /// For none: a token that a person made by hand (a personal access token).
    Nobody,
}

/// The device authorization grant (RFC 8628): for people whose browser is elsewhere.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AuthorizeDevices: Send + Sync {
    /// Asks for a device code and a user code (RFC 8628, 3.1).
    async fn begin_device(
        &self,
        connection: &ProviderConnection,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorization, UpstreamError>;

    /// Asks once whether the person has decided (RFC 8628, 3.4). `scopes` are those that were asked for at the beginning.
    async fn poll_device(
        &self,
        connection: &ProviderConnection,
        device_code: &Secret,
        scopes: &Scopes,
    ) -> Result<DeviceAnswer, UpstreamError>;
}

/// What a provider answers to the beginning of a device flow (RFC 8628, 3.2).
pub struct DeviceAuthorization {
    /// The device code.
    pub device_code: Secret,
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: Url,
    /// The same with the user code in it, where the provider has such an address.
    pub verification_uri_complete: Option<Url>,
    /// How long both codes live.
    pub expires_in: Duration,
    /// How long to wait between two polls.
    pub interval: Duration,
}

/// What a provider answers to a poll (RFC 8628, 3.5), in one vocabulary for all of them.
pub enum DeviceAnswer {
    /// The person has agreed.
    Granted(Box<TokenSet>),
    /// The person has not decided yet (`authorization_pending`).
    Pending,
    /// The same, and the polls come too fast (`slow_down`).
    SlowDown {
        /// The new interval, where the provider names one.
        interval: Option<Duration>,
    },
    /// The person has refused (`access_denied`).
    Denied,
    /// The codes are no longer good (`expired_token`).
    Expired,
}

/// Telling where a person has installed an app (GitHub Apps).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ListInstallations: Send + Sync {
    /// The page on which a person installs the app of that slug, at a provider with these endpoints.
    fn install_page(&self, endpoints: &ProviderEndpoints, app_slug: &str) -> Option<Url>;

    /// All installations that the person can reach with this token, through every page.
    async fn installations(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Vec<Installation>, UpstreamError>;
}

/// An installation of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its id at the provider.
    pub id: i64,
    /// Where it is installed: an organization or a person, if the provider tells.
    pub account: Option<InstallationAccount>,
    /// Where a person changes or removes it.
    pub configure_url: Option<Url>,
    /// Whether it is suspended and gives no access just now.
    pub suspended: bool,
}

/// Who has an app installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationAccount {
    /// The id at the provider.
    pub id: i64,
    /// The login.
    pub login: String,
    /// A picture.
    pub avatar_url: Option<Url>,
    /// The page.
    pub profile_url: Option<Url>,
}
