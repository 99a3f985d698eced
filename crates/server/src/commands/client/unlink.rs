//! `external-auth unlink`.

use std::fmt;

use clap::Args;
use grantkeeper_client::links::Unlinked;
use grantkeeper_client::shown;
use serde::Serialize;

use super::signed_in;
use crate::failure::Failure;

/// Remove the caller's link to a provider, and have the provider revoke its token.
#[derive(Debug, Args)]
pub(crate) struct LinkRemove {
    /// The provider, by its slug or id.
    #[arg(value_name = "ID")]
    provider: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkRemoved {
    provider: String,
    token_revoked: bool,
    /// Why not; left out where there is nothing to tell.
    #[serde(skip_serializing_if = "String::is_empty")]
    token_revocation_error: String,
}

impl fmt::Display for LinkRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.token_revoked { "its token is revoked" } else { "its token was not revoked" };
        write!(f, "the link to {} is removed; {token}", shown(&self.provider))?;
        match self.token_revocation_error.as_str() {
            "" => Ok(()),
            why => write!(f, ": {}", shown(why)),
        }
    }
}

impl LinkRemove {
    pub(super) async fn run(self) -> Result<LinkRemoved, Failure> {
        let gone = signed_in::service()?.unlink(&self.provider).await;
        let Unlinked { token_revoked, token_revocation_error } =
            gone.map_err(|error| signed_in::about(&self.provider, error))?;
        Ok(LinkRemoved { provider: self.provider, token_revoked, token_revocation_error })
    }
}
