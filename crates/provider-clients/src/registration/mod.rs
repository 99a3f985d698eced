//! What registrations of all types have in common: reading a host, asking whether somebody is there, refusing.

mod base_url;
mod probe;

pub(crate) use base_url::BaseUrl;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{Registration, RegistrationError};
pub(crate) use probe::{Document, document, wants_token};

/// A mistake in where the provider is.
pub(crate) fn refused(message: impl Into<String>) -> RegistrationError {
    RegistrationError { field: "host", message: message.into() }
}

/// A mistake in what flows are to ask for.
pub(crate) fn scopes_refused(message: impl Into<String>) -> RegistrationError {
    RegistrationError { field: "scopes", message: message.into() }
}

/// For types of which there is only one provider.
pub(crate) fn no_host(registration: &Registration) -> Result<(), RegistrationError> {
    match registration.host {
        Some(_) => {
            Err(refused("is not taken for this type, of which there is only one provider; leave it out"))
        }
        None => Ok(()),
    }
}

/// For types without apps.
pub(crate) fn no_app(registration: &Registration) -> Result<(), RegistrationError> {
    match registration.app_slug {
        Some(_) => {
            let message = "is for GitHub Apps only; leave it out".to_owned();
            Err(RegistrationError { field: "appSlug", message })
        }
        None => Ok(()),
    }
}

/// The scopes of the registration, or those that a client thinks sensible.
pub(crate) fn scopes_or(registration: &Registration, default: &[&str]) -> Scopes {
    registration.scopes.clone().unwrap_or_else(|| default.iter().copied().collect())
}
