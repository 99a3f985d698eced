//! What people see who do not get what they asked for.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::providers::ProviderNotFound;

use super::own_path::OwnPath;
use super::{page, sign_in};
use crate::limits::Refused;
use crate::session::SessionError;

/// Why somebody does not get what they asked for.
#[derive(Debug)]
pub(super) enum TurnedAway {
    /// There were too many such requests.
    TooMany(Refused),
    /// The form did not come in time.
    TooSlow,
    /// It is no form of ours, or leads nowhere: whatever is wrong, it gets the same page.
    NotValid,
    /// Nobody is signed in. Whoever does so now comes back to this page.
    SignIn(OwnPath),
    /// There is nothing of that name for whoever asks.
    NotFound,
    /// The provider takes nobody just now.
    NotAvailable,
    /// Something of ours failed; the cause is in the log.
    Broken,
}

impl From<Refused> for TurnedAway {
    fn from(refused: Refused) -> Self {
        Self::TooMany(refused)
    }
}

impl From<StoreError> for TurnedAway {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a page could not be made");
        Self::Broken
    }
}

impl From<SessionError> for TurnedAway {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Refused(refused) => refused.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}

impl From<ProviderNotFound> for TurnedAway {
    fn from(error: ProviderNotFound) -> Self {
        match error {
            ProviderNotFound::NotFound => Self::NotFound,
            ProviderNotFound::Store(error) => error.into(),
        }
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(refused) => refused.fmt(f),
            Self::TooSlow => f.write_str("the form took too long to come"),
            Self::NotValid => f.write_str("not a link or a form of ours"),
            Self::SignIn(_) => f.write_str("nobody is signed in"),
            Self::NotFound => f.write_str("there is no such provider"),
            Self::NotAvailable => f.write_str("the provider is not active"),
            Self::Broken => f.write_str("something failed here"),
        }
    }
}

impl ResponseError for TurnedAway {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::TooMany(refused) => page::too_many_requests(*refused),
            Self::TooSlow => page::too_slow(),
            Self::NotValid => page::not_valid(),
            Self::SignIn(back) => page::see_other(&sign_in::leading_to(back)),
            Self::NotFound => page::not_found(),
            Self::NotAvailable => page::not_available(),
            Self::Broken => page::try_again(),
        }
    }
}
