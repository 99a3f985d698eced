//! Providers as they were last read: each is read with thousands of authorizations, and hardly ever changes.
//!
//! A version of a provider is written once and never changed, so what is known by its id and version is never stale: the
//! version is read from the database each time, in the query for whatever belongs to the provider.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use grantkeeper_domain::Version;
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::Provider;

/// How many are kept at most: a few megabytes.
const LIMIT: usize = 1_024;

/// Providers in the newest version that was read, with their client secrets sealed as they are stored.
#[derive(Default)]
pub(crate) struct KnownProviders {
    by_id: RwLock<HashMap<ProviderId, Arc<Provider>>>,
}

impl KnownProviders {
    /// The provider, where it is known in that version.
    pub(crate) fn at(&self, id: ProviderId, version: Version) -> Option<Arc<Provider>> {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        by_id.get(&id).filter(|provider| provider.version == version).cloned()
    }

    /// Keeps a provider that was read.
    pub(crate) fn keep(&self, provider: Provider) -> Arc<Provider> {
        let provider = Arc::new(provider);
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        if by_id.len() >= LIMIT && !by_id.contains_key(&provider.id) {
            // Those in use are back with the next reads.
            by_id.clear();
        }
        by_id.insert(provider.id, Arc::clone(&provider));
        provider
    }
}
