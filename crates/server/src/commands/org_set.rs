//! `org set`.

use std::fmt;

use clap::{ArgGroup, Args};
use grantkeeper_domain::accounts::SetRedirectUris;
use serde::Serialize;

use super::named;
use super::shown::ShownOrganization;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Replace the list of addresses that an organization's flows may return to.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("list").required(true)))]
pub(crate) struct OrgSet {
    /// The organization, by id or name.
    org: String,
    /// An address that flows may return to: https, or http on this machine; may be repeated.
    #[arg(long = "redirect-uri", group = "list", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Go back to the default: loopback addresses on any port and path.
    #[arg(long, group = "list")]
    default_redirect_uris: bool,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Changed(ShownOrganization);

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flows of {} may return to {}", self.0.name, self.0.redirects())
    }
}

impl OrgSet {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Changed, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let organization = named::organization(&*with.store, &self.org).await?;
        let set = SetRedirectUris {
            accounts: with.store.clone(),
            store: with.store,
            clock: with.clock,
            random: with.random,
        };
        // An empty list is the default.
        Ok(Changed(ShownOrganization::from(&set.run(organization.id, &self.redirect_uris).await?)))
    }
}
