//! `account identities`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::named;
use super::shown::ShownIdentity;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List who signs in as an account, oldest first.
#[derive(Debug, Args)]
pub(crate) struct AccountIdentities {
    /// The account, by id or e-mail address.
    account: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Identities {
    identities: Vec<ShownIdentity>,
}

impl fmt::Display for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.identities.is_empty() {
            return f.write_str(
                "nobody at a provider signs in as this account; `grantkeeper account link` lets somebody",
            );
        }
        let row = |identity: &ShownIdentity| {
            [identity.issuer.clone(), identity.subject.clone(), identity.linked_at.to_string()]
        };
        let rows: Vec<_> = self.identities.iter().map(row).collect();
        write_table(f, ["ISSUER", "SUBJECT", "LINKED"], &rows)
    }
}

impl AccountIdentities {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Identities, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let account = named::account(&*with.store, &self.account).await?;
        let found = with.link_identity().of(account.id).await?;
        Ok(Identities { identities: found.iter().map(ShownIdentity::from).collect() })
    }
}
