//! Linking by device code (RFC 8628).

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::service::Wait;
use crate::{ClientError, Secret, Service};

/// A device flow that was begun.
#[derive(Deserialize)]
pub struct DeviceFlow {
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: Url,
    /// The same with the code in it, where the provider has such an address.
    pub verification_uri_complete: Option<Url>,
    interval: u64,
    device_code: Secret,
}

/// What a poll has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The account is linked.
    Linked,
    /// The person has not answered yet.
    Pending,
    /// The same, and it was asked too early.
    SlowDown,
}

/// By how much a poll is delayed that came too early (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// No provider wants to be asked more seldom; a code does not live for much longer.
const SLOWEST: Duration = Duration::from_secs(5 * 60);

impl DeviceFlow {
    /// How long to wait before every poll.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval.max(1)).min(SLOWEST)
    }

    /// How long to wait from now on after a poll.
    pub fn interval_after(&self, interval: Duration, polled: Polled) -> Duration {
        if polled == Polled::SlowDown { interval.saturating_add(SLOWER).min(SLOWEST) } else { interval }
    }
}

impl Service {
    /// Begins a device flow at a provider, by its slug or id.
    pub async fn begin_device_flow(&self, provider: &str) -> Result<DeviceFlow, ClientError> {
        self.get(self.link_url(provider, Some("device"))?, Wait::Short).await?.json()
    }

    /// Asks whether the person has answered. That they have said no, or nothing in time, is an error.
    pub async fn poll_device_flow(&self, provider: &str, flow: &DeviceFlow) -> Result<Polled, ClientError> {
        let url = self.link_url(provider, Some("device"))?;
        let body = json!({ "device_code": flow.device_code.expose() });
        let answer = self.post_json(url, &body, Wait::Short).await?;
        match answer.success() {
            Ok(_) => Ok(Polled::Linked),
            Err(ClientError::Refused(refusal)) if refusal.detail == "authorization_pending" => {
                Ok(Polled::Pending)
            }
            Err(ClientError::Refused(refusal)) if refusal.detail == "slow_down" => Ok(Polled::SlowDown),
            Err(error) => Err(error),
        }
    }
}
