//! `token create`.

use std::fmt;
use std::time::Duration;

use clap::Args;
use grantkeeper_domain::accounts::{IssueApiToken, TokenReach};
use serde::Serialize;

use super::named;
use super::shown::{ShownToken, or_dash};
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::lifetime;
use crate::wiring::Administration;

/// Issue an API token. It is shown this once, and cannot be shown again.
#[derive(Debug, Args)]
pub(crate) struct TokenCreate {
    /// The account, by id or e-mail address.
    #[arg(long)]
    account: String,
    /// How long it lives, such as 90d, 12h, 30m or 45s; without this until it is revoked.
    #[arg(long, value_name = "LIFETIME", value_parser = lifetime::parse)]
    expires_in: Option<Duration>,
    /// For a machine that acts for the account: it reads the account's access tokens, and opens nothing else.
    #[arg(long)]
    agent: bool,
}

/// The one report with a secret in it; so it has no `Debug`.
#[derive(Serialize)]
pub(crate) struct Issued {
    token: String,
    #[serde(flatten)]
    known: ShownToken,
}

impl fmt::Display for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.token)?;
        write!(
            f,
            "{} {}, expires {}; keep it, it is not shown again",
            if self.known.is_agent() { "agent token" } else { "token" },
            self.known.id,
            match self.known.expires_at {
                None => "never".to_owned(),
                at @ Some(_) => or_dash(at),
            }
        )
    }
}

impl TokenCreate {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Issued, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let account = named::account(&*with.store, &self.account).await?;
        let issue = IssueApiToken {
            accounts: with.store.clone(),
            store: with.store,
            clock: with.clock.clone(),
            random: with.random,
        };
        let issued = issue.run(account.id, self.reach(), self.expires_in).await?;
        Ok(Issued {
            token: issued.secret.expose().to_owned(),
            known: ShownToken::of(&issued.token, with.clock.now()),
        })
    }

    fn reach(&self) -> TokenReach {
        if self.agent { TokenReach::Agent } else { TokenReach::Account }
    }
}
