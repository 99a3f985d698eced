//! `org create`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::accounts::CreateOrganization;
use serde::Serialize;

use super::shown::ShownOrganization;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Create an organization; its flows may return to loopback addresses until `org set` says otherwise.
#[derive(Debug, Args)]
pub(crate) struct OrgCreate {
    /// Its name.
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Created(ShownOrganization);

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "created the organization {} with the id {}", self.0.name, self.0.id)
    }
}

impl OrgCreate {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Created, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let create = CreateOrganization { store: with.store, clock: with.clock, random: with.random };
        Ok(Created(ShownOrganization::from(&create.run(&self.name).await?)))
    }
}
