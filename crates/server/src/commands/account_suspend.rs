//! `account suspend`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::named;
use super::shown::ShownAccount;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Suspend an account. Its API tokens and sessions are refused within a second, until it is resumed; what it has authorized
/// stays.
#[derive(Debug, Args)]
pub(crate) struct AccountSuspend {
    /// The account, by id or e-mail address.
    account: String,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Suspended(ShownAccount);

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShownAccount { email, id, .. } = &self.0;
        write!(f, "{email} gets in no more, until `grantkeeper account resume {id}`")
    }
}

impl AccountSuspend {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Suspended, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let account = named::account(&*with.store, &self.account).await?;
        let account = with.suspend_account().suspend(account.id).await?;
        Ok(Suspended(ShownAccount::from(&account)))
    }
}
