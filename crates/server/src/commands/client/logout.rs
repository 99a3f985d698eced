//! `logout`.

use std::fmt;

use clap::Args;
use grantkeeper_client::ServiceUrl;
use serde::Serialize;

use super::signed_in;
use crate::failure::Failure;

/// Revoke the API token that `login` has kept, and forget it.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[arg(
        value_name = "URL",
        help = "The service; without this GRANTKEEPER_URL, or the one signed in to last"
    )]
    url: Option<ServiceUrl>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SignedOut {
    service: ServiceUrl,
}

impl fmt::Display for SignedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed out of {}", self.service)
    }
}

impl Logout {
    pub(super) async fn run(self) -> Result<SignedOut, Failure> {
        let url = signed_in::meant(self.url)?;
        let file = signed_in::file()?;
        let token = file.read()?.take(&url);
        let token = token.ok_or_else(|| Failure::of(format!("nobody has signed in to {url} here")))?;
        let revoked = signed_in::revoke(url.clone(), token.duplicate()).await;
        // Whether it could be revoked or not: whoever signs out leaves nothing behind.
        file.change(|kept| kept.forget(&url, &token))?;
        revoked.map_err(|error| {
            Failure::from(error).in_context("the token is forgotten here, but was not revoked")
        })?;
        signed_in::tell_of_variable("still set: it is not touched");
        Ok(SignedOut { service: url })
    }
}
