//! `account list`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::named;
use super::shown::ShownAccount;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List the accounts of every organization or of one, oldest first in each.
#[derive(Debug, Args)]
pub(crate) struct AccountList {
    /// Only this organization's, by id or name.
    #[arg(long)]
    org: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Accounts {
    accounts: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    account: ShownAccount,
    /// The organization's name.
    organization: String,
}

impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.accounts.is_empty() {
            return f.write_str("there are no accounts; `grantkeeper account create` makes one");
        }
        let row = |Listed { account, organization }: &Listed| {
            [
                account.id.clone(),
                account.email.clone(),
                organization.clone(),
                account.role.to_owned(),
                account.standing().to_owned(),
                account.created_at.to_string(),
            ]
        };
        let rows: Vec<_> = self.accounts.iter().map(row).collect();
        write_table(f, ["ID", "EMAIL", "ORGANIZATION", "ROLE", "STANDING", "CREATED"], &rows)
    }
}

impl AccountList {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Accounts, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let mut accounts = Vec::new();
        for organization in named::organizations(&*with.store, self.org.as_deref()).await? {
            let found = with.store.accounts_in(organization.id).await?;
            accounts.extend(found.iter().map(|account| Listed {
                account: ShownAccount::from(account),
                organization: organization.name.as_str().to_owned(),
            }));
        }
        Ok(Accounts { accounts })
    }
}
