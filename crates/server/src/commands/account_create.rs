//! `account create`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::accounts::{CreateAccount, Role};
use serde::Serialize;

use super::named;
use super::shown::ShownAccount;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Create an account in an organization.
#[derive(Debug, Args)]
pub(crate) struct AccountCreate {
    /// The organization, by id or name.
    #[arg(long)]
    org: String,
    /// The e-mail address, a label for people.
    #[arg(long)]
    email: String,
    /// Make it an administrator, who registers and deletes providers; without this it is a member.
    #[arg(long)]
    admin: bool,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Created(ShownAccount);

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "created the {} {} with the id {}", self.0.role, self.0.email, self.0.id)
    }
}

impl AccountCreate {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Created, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let organization = named::organization(&*with.store, &self.org).await?;
        let role = if self.admin { Role::Admin } else { Role::Member };
        let create = CreateAccount {
            accounts: with.store.clone(),
            store: with.store,
            clock: with.clock,
            random: with.random,
        };
        Ok(Created(ShownAccount::from(&create.run(organization.id, &self.email, role).await?)))
    }
}
