//! The JSON of providers, which is in every authorization and every hand-out of theirs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use grantkeeper_domain::Version;
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::Provider;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::WireProvider;
use crate::Api;

/// Providers that are kept; when there are more, all are forgotten. About 1 KiB each.
const MOST: usize = 1_024;

/// The JSON of every provider that was written lately: a provider changes once in a month, and is written with every
/// token that is handed out.
#[derive(Default)]
pub(crate) struct WrittenProviders(RwLock<HashMap<ProviderId, Written>>);

#[derive(Clone)]
struct Written {
    version: Version,
    updated_at: DateTime<Utc>,
    json: ProviderJson,
}

/// A [`WireProvider`] that was written before.
#[derive(Clone)]
pub(super) struct ProviderJson(Arc<RawValue>);

impl WrittenProviders {
    /// The JSON of a provider within an authorization.
    pub(super) fn json(provider: &Provider, api: &Api) -> ProviderJson {
        let providers = &api.written_providers;
        if let Some(json) = providers.known(provider) {
            return json;
        }
        let json = ProviderJson::of(&WireProvider::within_authorization(provider, api));
        providers.keep(provider, &json);
        json
    }

    /// As it was written when the provider was the same as it is now.
    fn known(&self, provider: &Provider) -> Option<ProviderJson> {
        let providers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let written = providers.get(&provider.id)?;
        let is_same = written.version == provider.version && written.updated_at == provider.updated_at;
        is_same.then(|| written.json.clone())
    }

    fn keep(&self, provider: &Provider, json: &ProviderJson) {
        let Provider { id, version, updated_at, .. } = *provider;
        let mut providers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if providers.len() >= MOST && !providers.contains_key(&id) {
            providers.clear();
        }
        providers.insert(id, Written { version, updated_at, json: json.clone() });
    }
}

impl ProviderJson {
    fn of(provider: &WireProvider) -> Self {
        let json = serde_json::value::to_raw_value(provider);
        Self(json.expect("it has texts, booleans and lists of texts only").into())
    }
}

impl Serialize for ProviderJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use grantkeeper_testkit::entities::{organization, provider};

    use super::*;

    fn kept(providers: &WrittenProviders, provider: &Provider) {
        let json = RawValue::from_string(format!("\"{}\"", provider.id)).unwrap();
        providers.keep(provider, &ProviderJson(json.into()));
    }

    #[test]
    fn a_provider_is_known_as_long_as_it_is_the_same() {
        let (providers, provider) = (WrittenProviders::default(), provider(&organization()));
        assert!(providers.known(&provider).is_none());
        kept(&providers, &provider);
        let json = serde_json::to_value(providers.known(&provider)).unwrap();
        assert_eq!(json, provider.id.to_string());
        for changed in [
            Provider { version: provider.version.next(), ..provider.clone() },
            Provider { updated_at: provider.updated_at + TimeDelta::microseconds(1), ..provider.clone() },
        ] {
            assert!(providers.known(&changed).is_none());
        }
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let (providers, organization) = (WrittenProviders::default(), organization());
        for _ in 0..=MOST {
            kept(&providers, &provider(&organization));
        }
        assert!(providers.0.read().unwrap().len() <= MOST);
    }
}
