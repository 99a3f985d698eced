//! `org delete`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::{DeleteOrganization, Organization};
use serde::Serialize;

use super::named;
use super::shown::ShownOrganization;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Delete an organization for good, with its accounts and providers. Nobody of it gets in any more; a running service
/// revokes at the providers what was granted, and when that has ended destroys the organization's keys and removes it.
#[derive(Debug, Args)]
pub(crate) struct OrgDelete {
    /// The organization, by id or name.
    org: String,
    /// Do it; without this it is only told what would go.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deleting {
    #[serde(flatten)]
    organization: ShownOrganization,
    /// The job that does it.
    job_id: String,
}

impl fmt::Display for Deleting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organization, job_id } = self;
        write!(
            f,
            "nobody of {} gets in any more; a running service does the rest in job {job_id}, and `org list` shows \
             the organization until its last revocation has ended, which takes 7 days at most",
            organization.name
        )
    }
}

impl OrgDelete {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Deleting, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let organization = named::organization(&*with.store, &self.org).await?;
        if !self.yes {
            return Err(what_would_go(&*with.store, &organization).await?);
        }
        let delete = DeleteOrganization {
            accounts: with.store.clone(),
            store: with.store.clone(),
            clock: with.clock,
            random: with.random,
        };
        let job = delete.run(organization.id).await?;
        let organization = with.store.organization(organization.id).await?.unwrap_or(organization);
        Ok(Deleting { organization: ShownOrganization::from(&organization), job_id: job.id.to_string() })
    }
}

async fn what_would_go(store: &dyn Store, organization: &Organization) -> Result<Failure, Failure> {
    let accounts = store.accounts_in(organization.id).await?.len();
    let providers = store.providers(organization.id).await?.len();
    Ok(Failure::of(format!(
        "this deletes {} for good, with {accounts} accounts, {providers} providers and all that was granted at \
         them; give --yes to do it",
        organization.name.as_str(),
    )))
}
