//! `account resume`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::named;
use super::shown::ShownAccount;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Let a suspended account in again, with the API tokens and sessions that it had.
#[derive(Debug, Args)]
pub(crate) struct AccountResume {
    /// The account, by id or e-mail address.
    account: String,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Resumed(ShownAccount);

impl fmt::Display for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} gets in again", self.0.email)
    }
}

impl AccountResume {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Resumed, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let account = named::account(&*with.store, &self.account).await?;
        let account = with.suspend_account().resume(account.id).await?;
        Ok(Resumed(ShownAccount::from(&account)))
    }
}
