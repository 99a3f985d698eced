//! `account unlink`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::named;
use super::shown::ShownIdentity;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Keep somebody at a provider from signing in as an account. Tokens that they have already stay good: `token revoke` ends
/// those.
#[derive(Debug, Args)]
pub(crate) struct AccountUnlink {
    /// The account, by id or e-mail address.
    account: String,
    /// The issuer, as `account identities` shows it.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The provider's stable id of the user, as `account identities` shows it.
    #[arg(long, value_name = "TEXT")]
    subject: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Unlinked {
    #[serde(flatten)]
    identity: ShownIdentity,
    /// The account's e-mail address.
    email: String,
}

impl fmt::Display for Unlinked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, email } = self;
        write!(f, "{} at {} does not sign in as {email} any more", identity.subject, identity.issuer)
    }
}

impl AccountUnlink {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Unlinked, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let account = named::account(&*with.store, &self.account).await?;
        let identity = with.link_identity().undo(account.id, &self.issuer, &self.subject).await?;
        Ok(Unlinked { identity: ShownIdentity::from(&identity), email: account.email.as_str().to_owned() })
    }
}
