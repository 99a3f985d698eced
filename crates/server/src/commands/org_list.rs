//! `org list`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::shown::ShownOrganization;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List the organizations, oldest first.
#[derive(Debug, Args)]
pub(crate) struct OrgList {}

#[derive(Debug, Serialize)]
pub(crate) struct Organizations {
    organizations: Vec<ShownOrganization>,
}

impl fmt::Display for Organizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.organizations.is_empty() {
            return f.write_str("there are no organizations; `grantkeeper org create NAME` makes one");
        }
        let row = |one: &ShownOrganization| {
            [one.id.clone(), one.name.clone(), one.standing.to_owned(), one.redirects()]
        };
        let rows: Vec<_> = self.organizations.iter().map(row).collect();
        write_table(f, ["ID", "NAME", "STANDING", "FLOWS MAY RETURN TO"], &rows)
    }
}

impl OrgList {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Organizations, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let organizations = with.store.organizations().await?;
        Ok(Organizations { organizations: organizations.iter().map(ShownOrganization::from).collect() })
    }
}
