//! The keys that sign ID tokens, remembered for a while (OpenID Connect Core, 10.1.1).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::providers::UpstreamError;
use openidconnect::core::CoreJsonWebKeySet;
use url::Url;

use crate::failure::unavailable;
use crate::http::{Call, GuardedClient};

/// How long keys are used without asking again: a key that the provider has withdrawn is trusted no longer than this.
const LIFETIME: TimeDelta = TimeDelta::hours(1);

/// How long keys are used at least, even if a token names one that is not among them, so that odd tokens do not turn
/// into a flood of requests.
const SHORTEST_LIFETIME: TimeDelta = TimeDelta::seconds(10);

/// Providers whose keys are remembered; beyond that all are forgotten and asked for again.
const MOST_PROVIDERS: usize = 1024;

/// Remembers the keys of each provider.
pub(super) struct KeyCache {
    http: Arc<GuardedClient>,
    slots: Mutex<HashMap<Url, Arc<Slot>>>,
}

/// The keys of one provider. Its lock is held while they are fetched, so that many sign-ins at once fetch them once.
type Slot = tokio::sync::Mutex<Option<Fetched>>;

/// Keys and when they came.
#[derive(Clone)]
pub(super) struct Fetched {
    pub(super) keys: Arc<CoreJsonWebKeySet>,
    at: DateTime<Utc>,
}

impl KeyCache {
    pub(super) fn new(http: Arc<GuardedClient>) -> Self {
        Self { http, slots: Mutex::default() }
    }

    /// The keys, remembered or fetched.
    pub(super) async fn keys(&self, url: &Url) -> Result<Fetched, UpstreamError> {
        self.younger_than(LIFETIME, url).await
    }

    /// The keys after `seen` turned out to lack one; the same again when they were fetched only just now.
    pub(super) async fn keys_after(&self, seen: &Fetched, url: &Url) -> Result<Fetched, UpstreamError> {
        // Another caller may have fetched them since.
        let remembered = self.younger_than(LIFETIME, url).await?;
        if remembered.at > seen.at {
            return Ok(remembered);
        }
        self.younger_than(SHORTEST_LIFETIME, url).await
    }

    async fn younger_than(&self, age: TimeDelta, url: &Url) -> Result<Fetched, UpstreamError> {
        let slot = self.slot(url);
        let mut slot = slot.lock().await;
        let now = self.http.now();
        match &*slot {
            Some(fetched) if now - fetched.at < age => Ok(fetched.clone()),
            _ => {
                let fetched = Fetched { keys: Arc::new(self.fetch(url).await?), at: now };
                Ok(slot.insert(fetched).clone())
            }
        }
    }

    fn slot(&self, url: &Url) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST_PROVIDERS && !slots.contains_key(url) {
            slots.clear();
        }
        Arc::clone(slots.entry(url.clone()).or_default())
    }

    async fn fetch(&self, url: &Url) -> Result<CoreJsonWebKeySet, UpstreamError> {
        let answer = self.http.send(Call::get_json(url)).await?;
        if let Some(trouble) = answer.trouble(self.http.now()) {
            return Err(trouble);
        }
        if !answer.status.is_success() {
            return Err(unavailable("keys_not_found"));
        }
        serde_json::from_slice(&answer.body).map_err(|_| unavailable("unreadable_keys"))
    }
}
