//! `token revoke`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::accounts::RevokeApiToken;
use grantkeeper_domain::ids::ApiTokenId;
use serde::Serialize;

use super::shown::ShownToken;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Revoke an API token, and with it the browser sessions that were opened with it; or sign a browser out.
#[derive(Debug, Args)]
pub(crate) struct TokenRevoke {
    /// The token's id, which `token list` shows.
    id: ApiTokenId,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Revoked(ShownToken);

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            "browser" => write!(f, "the browser with the session {} is signed out", self.0.id),
            _ => write!(f, "the token {} is revoked", self.0.id),
        }
    }
}

impl TokenRevoke {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Revoked, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let revoke = RevokeApiToken {
            tokens: with.store.clone(),
            store: with.store,
            clock: with.clock.clone(),
            random: with.random,
        };
        Ok(Revoked(ShownToken::of(&revoke.run(self.id).await?, with.clock.now())))
    }
}
