//! Links.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::StoreError;
use crate::accounts::Caller;
use crate::authorizations::{Authorization, AuthorizationStore};
use crate::ids::{AuthorizationId, ProviderId};
use crate::providers::Provider;
use crate::tokens::{Lendable, Linked};

/// What an account has authorized at a provider: the newest authorization there.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The authorization.
    pub authorization: Arc<Authorization>,
    /// Its provider.
    pub provider: Arc<Provider>,
}

/// A link, and whether its provider takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedLink {
    /// The link, as it was after the check, which may have refreshed it.
    pub link: Link,
    /// Whether there is a token that the provider takes, as far as anybody knows: only a definite answer makes it false.
    pub authenticated: bool,
    /// Why it does not hold, or could not be checked: a code.
    pub failure: Option<String>,
}

impl Link {
    /// When it was last authorized or refreshed.
    pub fn updated_at(&self) -> DateTime<Utc> {
        let Authorization { authorized_at, last_refreshed_at, .. } = &*self.authorization;
        last_refreshed_at.map_or(*authorized_at, |refreshed| refreshed.max(*authorized_at))
    }

    /// The links of the caller, by the ids of their providers. At those that are being deleted there are none any more.
    pub(super) async fn all_of(
        caller: &Caller,
        authorizations: &dyn AuthorizationStore,
    ) -> Result<BTreeMap<ProviderId, Self>, StoreError> {
        let mut links: BTreeMap<ProviderId, Self> = BTreeMap::new();
        for (authorization, provider) in authorizations.authorizations_of(caller.account_id).await? {
            let id = provider.id;
            let link = Self { authorization: Arc::new(authorization), provider: Arc::new(provider) };
            if link.provider.is_visible() && links.get(&id).is_none_or(|known| known.age() < link.age()) {
                links.insert(id, link);
            }
        }
        Ok(links)
    }

    /// The link of the caller at a provider.
    pub(super) async fn at(
        provider: ProviderId,
        caller: &Caller,
        authorizations: &dyn AuthorizationStore,
    ) -> Result<Option<Self>, StoreError> {
        Ok(Self::all_of(caller, authorizations).await?.remove(&provider))
    }

    /// The link of a token.
    pub(super) fn of(lendable: Lendable) -> Self {
        let Linked { authorization, provider, .. } = lendable.linked;
        Self { authorization, provider }
    }

    /// Dead, by a definite answer.
    pub(super) fn refused(self, reason: &str) -> CheckedLink {
        CheckedLink { link: self, authenticated: false, failure: Some(reason.to_owned()) }
    }

    fn age(&self) -> (DateTime<Utc>, AuthorizationId) {
        (self.authorization.authorized_at, self.authorization.id)
    }
}

#[cfg(test)]
mod tests;
