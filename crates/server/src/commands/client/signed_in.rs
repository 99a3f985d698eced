//! Who calls which service.

use std::ffi::OsString;

use grantkeeper_client::credentials::{
    Credentials, CredentialsFile, NoCredentials, TOKEN_VARIABLE, service_named,
};
use grantkeeper_client::{ClientError, Secret, Service, ServiceUrl, shown};

use super::said::say;
use crate::failure::Failure;

/// The process's own.
pub(super) fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The service, called by whoever has signed in.
pub(super) fn service() -> Result<Service, Failure> {
    Ok(Service::with(Credentials::find(&environment)?)?)
}

/// Tells whoever has a token in the environment that it counts, and not what is in the file.
pub(super) fn tell_of_variable(what_of_it: &str) {
    if environment(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty()) {
        say(format_args!("{TOKEN_VARIABLE} is {what_of_it}"));
    }
}

/// The status of a call with a token that is good for nothing any more.
const UNAUTHORIZED: u16 = 401;

/// Revokes a token. One that is good for nothing already is as good as revoked.
pub(super) async fn revoke(url: ServiceUrl, token: Secret) -> Result<(), ClientError> {
    match Service::with_token(url, token)?.revoke_own_token().await {
        Err(error) if error.status() == Some(UNAUTHORIZED) => Ok(()),
        revoked => revoked,
    }
}

/// The file of tokens.
pub(super) fn file() -> Result<CredentialsFile, Failure> {
    Ok(CredentialsFile::of(&environment)?)
}

/// The service that is meant: the one that was given, that of the environment, or the one signed in to last.
pub(super) fn meant(given: Option<ServiceUrl>) -> Result<ServiceUrl, Failure> {
    if let Some(url) = given.map_or_else(|| service_named(&environment), |url| Ok(Some(url)))? {
        return Ok(url);
    }
    let kept = file()?.read()?;
    kept.current().cloned().ok_or_else(|| NoCredentials::NoService.into())
}

/// The status where there is nothing of that name.
const NOT_FOUND: u16 = 404;

/// Why a call about a provider was of no use; a name that is wrong is told with what to do about it.
pub(super) fn about(provider: &str, error: ClientError) -> Failure {
    if error.status() != Some(NOT_FOUND) {
        return error.into();
    }
    let hint = "no such provider, or no link to it; `grantkeeper external-auth list` shows what there is";
    Failure::of(format!("{}: {hint}", shown(provider)))
}
