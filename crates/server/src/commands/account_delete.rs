//! `account delete`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::{Account, DeleteAccount, Organization};
use serde::Serialize;

use super::named;
use super::shown::ShownAccount;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Delete an account for good. Its API tokens and sessions are refused at once; a running service revokes at the providers
/// what it was granted, and then removes it.
#[derive(Debug, Args)]
pub(crate) struct AccountDelete {
    /// The organization, by id or name.
    #[arg(long)]
    org: String,
    /// The account's e-mail address.
    #[arg(long)]
    email: String,
    /// Do it; without this it is only told what would go.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deleting {
    #[serde(flatten)]
    account: ShownAccount,
    /// The job that does it.
    job_id: String,
}

impl fmt::Display for Deleting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, job_id } = self;
        write!(
            f,
            "{} gets in no more; a running service does the rest in job {job_id}, and `audit list` tells when \
             the account is gone",
            account.email
        )
    }
}

impl AccountDelete {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Deleting, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let organization = named::organization(&*with.store, &self.org).await?;
        let account = named::account_of(&*with.store, &organization, &self.email).await?;
        if !self.yes {
            return Err(what_would_go(&*with.store, &organization, &account).await?);
        }
        let delete = DeleteAccount {
            accounts: with.store.clone(),
            store: with.store.clone(),
            clock: with.clock,
            random: with.random,
        };
        let job = delete.run(account.id).await?;
        let account = with.store.account(account.id).await?.unwrap_or(account);
        Ok(Deleting { account: ShownAccount::from(&account), job_id: job.id.to_string() })
    }
}

async fn what_would_go(
    store: &dyn Store,
    organization: &Organization,
    account: &Account,
) -> Result<Failure, Failure> {
    let authorizations = store.authorizations_of(account.id).await?.len();
    let tokens = store.tokens_of(account.id).await?.len();
    Ok(Failure::of(format!(
        "this deletes {} of {} for good, with {authorizations} authorizations and {tokens} API tokens and \
         sessions; give --yes to do it",
        account.email.as_str(),
        organization.name.as_str(),
    )))
}
