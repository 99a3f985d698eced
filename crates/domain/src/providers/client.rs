//! The port to the providers themselves.
#![cfg_attr(
    any(test, feature = "mock"),
    expect(clippy::ref_option_ref, reason = "what the mocks are made of is not ours to write")
)]
#![expect(clippy::needless_lifetimes, reason = "a mock cannot be made of an elided lifetime in an `Option`")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::{
    AuthorizeDevices, CheckAudience, IdentifyUser, ListInstallations, ProviderEndpoints, ProviderKind,
    RefreshModel, RefreshTokens, RevokeTokens, ValidateTokens,
};
use crate::Secret;
use crate::authorizations::Scopes;

/// Finds the client of a type of provider.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait ProviderClients: Send + Sync {
    /// The client for that type; `None` where this installation does not offer it.
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>>;
}

/// What every provider can do: the authorization code grant (RFC 6749, 4.1). What only some can do is reached
/// through the accessors, so that a missing capability is seen and never pretended.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ProviderClient: Send + Sync {
    /// Learns a provider's endpoints for its registration, and makes sure that somebody is there. Nothing is stored
    /// when this fails.
    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError>;

    /// Whether flows at a provider with these endpoints can do with these scopes; `app_slug` is that of its registration.
    fn check_scopes<'a>(
        &self,
        endpoints: &ProviderEndpoints,
        app_slug: Option<&'a str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError>;

    /// The page of the provider to which the person goes (RFC 6749, 4.1.1).
    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url;

    /// Redeems an authorization code (RFC 6749, 4.1.3).
    async fn exchange_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError>;

    /// Who the user is, told to a token of a flow that asked for these scopes. Every provider here can tell; but for a token
    /// that is for another resource (Microsoft) asking is [`UpstreamError::NotSupported`].
    fn identify(&self, asked: &Scopes) -> Arc<dyn IdentifyUser>;

    /// Refreshing, where the provider issues refresh tokens.
    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>>;

    /// What becomes of a refresh token when it is used.
    fn refresh_model(&self, endpoints: &ProviderEndpoints) -> RefreshModel;

    /// How long a refresh token may lie unused before the provider kills it; `None`: as long as it likes.
    fn idle_limit(&self, endpoints: &ProviderEndpoints) -> Option<Duration>;

    /// Revoking, where a provider with these endpoints can.
    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>>;

    /// Telling whether an access token of a flow that asked for these scopes is good, where a provider with these
    /// endpoints can.
    fn validate(&self, endpoints: &ProviderEndpoints, asked: &Scopes) -> Option<Arc<dyn ValidateTokens>>;

    /// Telling for which client a token was issued, where a provider with these endpoints can.
    fn audience(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>>;

    /// The device flow, where a provider with these endpoints has one.
    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>>;

    /// Installations of apps, where a provider with these endpoints has such a thing.
    fn installations(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>>;
}

/// What a registration says about where the provider is, and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The client id: the address of a provider's settings page may contain it.
    pub client_id: String,
    /// The host, issuer or tenant, without a trailing slash; `None`: the provider in the cloud.
    pub host: Option<String>,
    /// The slug of a GitHub App: it has permissions in the place of scopes.
    pub app_slug: Option<String>,
    /// The scopes that flows will ask for; `None`: those that the client thinks sensible.
    pub scopes: Option<Scopes>,
}

/// A provider as it can be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its endpoints, to be pinned.
    pub endpoints: ProviderEndpoints,
    /// The scopes that flows will ask for.
    pub scopes: Scopes,
}

/// Why a provider cannot be registered like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct RegistrationError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it and what to do.
    pub message: String,
}

/// A registered client at its provider, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicClient {
    /// The pinned endpoints.
    pub endpoints: ProviderEndpoints,
    /// The client id.
    pub client_id: String,
}

/// A registered client at its provider, with its secret opened. Lives only as long as one call.
pub struct ProviderConnection {
    /// The client.
    pub client: PublicClient,
    /// The client secret.
    pub client_secret: Secret,
}

/// What an authorization URL says besides the client.
pub struct AuthorizationRequest {
    /// Where the provider sends the person back to.
    pub redirect_uri: String,
    /// The state.
    pub state: Secret,
    /// The scopes asked for.
    pub scopes: Scopes,
    /// The PKCE challenge, method `S256` (RFC 7636, 4.2).
    pub code_challenge: Option<String>,
    /// The nonce that the ID token must repeat (OpenID Connect Core, 3.1.2.1).
    pub nonce: Option<String>,
    /// Whether the provider is to show its consent page even to someone who has consented before.
    pub force_consent: bool,
    /// Whether tokens are wanted that outlast the person's presence (OpenID Connect Core, 11), where a parameter of the
    /// provider's own asks for them: not for signing in.
    pub offline_access: bool,
}

/// What redeems a code.
pub struct CodeExchange {
    /// The code.
    pub code: Secret,
    /// The redirect URI of the flow, byte for byte (RFC 6749, 4.1.3).
    pub redirect_uri: String,
    /// The PKCE verifier.
    pub pkce_verifier: Option<Secret>,
    /// The nonce of the flow.
    pub nonce: Option<Secret>,
    /// The scopes that were asked for.
    pub scopes: Scopes,
}

/// A successful answer of a token endpoint (RFC 6749, 5.1), made sense of.
pub struct TokenSet {
    /// The access token.
    pub access_token: Secret,
    /// How long the access token lives; `None` where the provider does not say.
    pub expires_in: Option<Duration>,
    /// A refresh token; `None` on a refresh means that the old one stays (RFC 6749, 6).
    pub refresh_token: Option<Secret>,
    /// How long the refresh token lives, where the provider says so.
    pub refresh_token_expires_in: Option<Duration>,
    /// The scopes that were granted, in the spelling of those that were asked for, and with what the provider's own
    /// answer implies; `None` means those that were asked for (RFC 6749, 5.1).
    pub scopes: Option<Scopes>,
    /// Who the user is, where a verified ID token told so.
    pub identity: Option<Identity>,
    /// Why the answer's ID token does not hold or could not be verified: the tokens are real, but it is not certain
    /// whose they are, so nobody may have them and they have to be revoked.
    pub distrust: Option<UpstreamError>,
}

/// Who the user is at the provider: (issuer, subject) is the key, all else is for show (OpenID Connect Core, 5.7).
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The issuer or base URL.
    pub issuer: String,
    /// The provider's stable id of the user.
    pub subject: String,
    /// The profile.
    pub user: crate::authorizations::UserInfo,
}

/// Whom an answer about a user has to be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedUser<'a> {
    /// The issuer or base URL.
    pub issuer: &'a str,
    /// The provider's stable id of the user.
    pub subject: &'a str,
}

impl Identity {
    /// Whom later answers have to be about.
    pub fn as_expected(&self) -> ExpectedUser<'_> {
        ExpectedUser { issuer: &self.issuer, subject: &self.subject }
    }
}

/// How a call to a provider failed. Codes only: no text of a provider comes this way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// A definite answer: the code or the refresh token is no good, the grant is dead (`invalid_grant`).
    #[error("the provider refused the grant: {code}")]
    GrantRefused {
        /// The error code of RFC 6749, 5.2, or the provider's own.
        code: String,
    },
    /// The provider refuses our client: the operator's fault, and never costs a user their grant.
    #[error("the provider refused the client: {code}")]
    ClientRefused {
        /// The error code.
        code: String,
    },
    /// The provider refuses what we ask for, though it knows us: a redirect URI, a scope, a grant type or a policy that
    /// the registration there does not allow. The operator's fault, which costs nobody their grant and says nothing
    /// about other users.
    #[error("the provider does not allow it: {code}")]
    Misconfigured {
        /// The error code.
        code: String,
    },
    /// The person has to do something at the provider (sign in again, pass a second factor) before it gives tokens
    /// again. It has not revoked the grant, but for us there is nothing more to be had from it.
    #[error("the provider wants the person: {code}")]
    InteractionRequired {
        /// The error code.
        code: String,
    },
    /// The provider, or this installation, has no way to do it.
    #[error("the provider does not offer this")]
    NotSupported,
    /// The provider no longer takes the access token (RFC 6750, 3.1: `invalid_token`).
    #[error("the provider refused the access token")]
    TokenRefused,
    /// An answer that must not be trusted: a forged ID token, another subject.
    #[error("the provider's answer was not trusted: {reason}")]
    Untrusted {
        /// What was wrong with it, as a code.
        reason: &'static str,
    },
    /// The provider limits us.
    #[error("the provider limits the rate")]
    RateLimited {
        /// When to come back (RFC 9110, 10.2.3).
        retry_after: Option<Duration>,
    },
    /// A bad moment: no connection, too slow, 5xx, an answer that makes no sense. Says nothing about the grant.
    #[error("the provider is not available: {reason}")]
    Unavailable {
        /// What happened, as a code.
        reason: &'static str,
        /// When to come back, where the provider says so.
        retry_after: Option<Duration>,
    },
}

/// The reasons of [`UpstreamError::Unavailable`] for which nothing has left this process: a client gives the first where no
/// connection came about, the others are of sealed secrets that could not be opened.
const NEVER_SENT: [&str; 3] = ["connection_failed", "secret_rejected", "store_unavailable"];

impl UpstreamError {
    /// The provider has used up its time.
    pub(crate) const fn timeout() -> Self {
        Self::Unavailable { reason: "timeout", retry_after: None }
    }

    /// A code for logs, the audit log and reports.
    pub fn reason(&self) -> &str {
        match self {
            Self::GrantRefused { code }
            | Self::ClientRefused { code }
            | Self::Misconfigured { code }
            | Self::InteractionRequired { code } => code,
            Self::NotSupported => "not_supported",
            Self::TokenRefused => "invalid_token",
            Self::Untrusted { reason } | Self::Unavailable { reason, .. } => reason,
            Self::RateLimited { .. } => "rate_limited",
        }
    }

    /// Whether the provider may have done what it was asked, though we have no answer.
    pub(crate) fn leaves_open(&self) -> bool {
        match self {
            Self::Unavailable { reason, .. } => !NEVER_SENT.contains(reason),
            Self::Untrusted { .. } => true,
            Self::GrantRefused { .. }
            | Self::ClientRefused { .. }
            | Self::Misconfigured { .. }
            | Self::InteractionRequired { .. }
            | Self::NotSupported
            | Self::TokenRefused
            | Self::RateLimited { .. } => false,
        }
    }

    /// When the provider wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::GrantRefused { .. }
            | Self::ClientRefused { .. }
            | Self::Misconfigured { .. }
            | Self::InteractionRequired { .. }
            | Self::NotSupported
            | Self::TokenRefused
            | Self::Untrusted { .. } => None,
        }
    }
}
