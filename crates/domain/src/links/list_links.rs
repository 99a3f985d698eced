//! Listing a user's links.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{CheckLink, CheckedLink, Link};
use crate::StoreError;
use crate::accounts::Caller;
use crate::authorizations::AuthorizationStore;
use crate::providers::{ListProviders, ProviderFilter, ProviderView, UpstreamError};
use crate::services::{Clock, within};
use crate::tokens::LendError;

/// Lists the links of the caller, each as its provider sees it, beside the providers there are.
pub struct ListLinks {
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Lists the providers.
    pub providers: Arc<ListProviders>,
    /// Asks the providers.
    pub(crate) check: Arc<CheckLink>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What a user can link, and has.
pub struct Links {
    /// The providers of the organization.
    pub providers: Vec<ProviderView>,
    /// The links, in the order of the providers.
    pub links: Vec<CheckedLink>,
}

/// How long one link may take. What a refresh brings after that is kept all the same.
const LIMIT: Duration = Duration::from_secs(2);
/// How many providers are asked at once.
const AT_ONCE: usize = 8;

impl ListLinks {
    /// Asks the providers in parallel. One that cannot be asked leaves its link as it is known, and tells why.
    pub async fn run(&self, caller: &Caller) -> Result<Links, StoreError> {
        let providers = self.providers.run(caller, &ProviderFilter::default()).await?;
        let mut known = Link::all_of(caller, &*self.authorizations).await?;
        let in_order: Vec<Link> =
            providers.iter().filter_map(|view| known.remove(&view.provider.id)).collect();
        let checks = in_order.into_iter().enumerate();
        let checks = checks.map(async |(place, link)| Some((place, self.checked(caller, link).await?)));
        // In whichever order they come: behind a slow one nobody waits.
        let mut links: Vec<_> =
            stream::iter(checks).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
        links.sort_by_key(|(place, _)| *place);
        Ok(Links { providers, links: links.into_iter().map(|(_, link)| link).collect() })
    }

    /// `None`: it was deleted meanwhile.
    async fn checked(&self, caller: &Caller, link: Link) -> Option<CheckedLink> {
        let id = link.authorization.id;
        let checked = within(&self.clock, LIMIT, Box::pin(self.check.run(caller, id))).await;
        match checked {
            Some(Ok(checked)) => Some(checked.into()),
            Some(Err(LendError::NotFound)) => None,
            Some(Err(LendError::GrantDead { reason })) => Some(link.refused(&reason)),
            Some(Err(error)) => Some(self.check.unchecked(link, error.reason())),
            None => Some(self.check.unchecked(link, UpstreamError::timeout().reason())),
        }
    }
}

#[cfg(test)]
mod tests;
