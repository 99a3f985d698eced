//! How signing in fails.

use crate::StoreError;
use crate::providers::UpstreamError;
use crate::sealing::SealError;

/// How signing in fails: what the caller can do about it, and never text of a provider.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No login provider of that name.
    #[error("there is no login provider of this name")]
    UnknownProvider,
    /// A redirect to somewhere that is not on the list.
    #[error("the redirect is not on the allow-list for logins")]
    RedirectNotAllowed,
    /// The provider cannot tell for whom the token was issued, or says for nobody, and such tokens are not let in.
    #[error(
        "the provider cannot tell that this token was issued to this service's client; sign in on the web or by device"
    )]
    ForeignToken,
    /// The provider, the person or a check of ours said no; or what was presented is expired or unknown.
    #[error("the login was refused ({reason}); start again")]
    Refused {
        /// Why, as a code.
        reason: String,
    },
    /// Nobody signs in here, or not this person.
    #[error("this login is not allowed ({reason})")]
    NotAllowed {
        /// Why, as a code.
        reason: &'static str,
    },
    /// No such login, or not any more.
    #[error("the state is unknown or expired; start again")]
    UnknownState,
    /// The provider has not answered, or not sensibly.
    #[error("the provider has not answered ({reason}); try again")]
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
    /// Secrets could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LoginError {
    /// The reason of those whom the lists do not name.
    pub(super) const NOT_INVITED: &str = "not_invited";
    /// The reason of a wait that ended because this process stops: the login goes on, and can be waited for again.
    pub const STOPPING: &str = "stopping";
    /// The reason of a login whose process died while it asked the provider.
    pub(super) const INTERRUPTED: &str = "interrupted";
    /// The reason of those whose account is suspended or being deleted, or whose organization is.
    pub(super) const CLOSED: &str = "account_closed";
    /// The reason where nobody signs in, or not there any more.
    pub(super) const OFF: &str = "login_off";
    /// The reason where the provider is not registered, or paused.
    pub(super) const NOT_AVAILABLE: &str = "provider_not_available";

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}

impl From<UpstreamError> for LoginError {
    fn from(error: UpstreamError) -> Self {
        let reason = error.reason().to_owned();
        match error {
            UpstreamError::GrantRefused { .. }
            | UpstreamError::InteractionRequired { .. }
            | UpstreamError::TokenRefused
            | UpstreamError::Untrusted { .. } => Self::Refused { reason },
            // The operator's fault, or a bad moment: nothing that starting again mends.
            UpstreamError::ClientRefused { .. }
            | UpstreamError::Misconfigured { .. }
            | UpstreamError::NotSupported
            | UpstreamError::RateLimited { .. }
            | UpstreamError::Unavailable { .. } => Self::Unavailable { reason },
        }
    }
}
