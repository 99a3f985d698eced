//! The device flow of a scripted provider: whoever runs the test is the person, and time.

use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, DeviceAnswer, DeviceAuthorization, ProviderConnection, TokenSet, UpstreamError,
};
use url::Url;

use super::{Call, ScriptedProvider, State, identity};

/// How a device flow is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This person has agreed.
    Approved(String),
    /// The person has refused.
    Denied,
    /// Nobody has decided in time.
    Expired,
}

/// A device flow at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What the polls bring: `device-N` with N counting up.
    pub device_code: String,
    /// What the person types: `USER-N`.
    pub user_code: String,
    /// The scopes that were asked for.
    pub scopes: Scopes,
    /// Undecided as long as it is `None`.
    pub decision: Option<Decision>,
}

impl ScriptedProvider {
    /// Decides the device flow with that user code: every poll from now on is told so. Approved, it brings tokens once.
    ///
    /// # Panics
    /// When there is no such device flow.
    pub fn decide(&self, user_code: &str, decision: Decision) {
        self.change(|state| {
            let device = state.devices.iter_mut().find(|device| device.user_code == user_code);
            device.expect("a device flow with that user code").decision = Some(decision);
        });
    }

    /// The next poll of an undecided device flow is told to slow down, to that interval where one is named.
    pub fn slow_down_next(&self, interval: Option<Duration>) {
        self.change(|state| state.slow_downs.push_back(interval));
    }
}

impl State {
    fn begin_device(&mut self, scopes: &Scopes) -> DeviceAuthorization {
        let number = self.devices.len() + 1;
        let device = Device {
            device_code: format!("device-{number}"),
            user_code: format!("USER-{number}"),
            scopes: scopes.clone(),
            decision: None,
        };
        let verification_uri = Url::parse("https://device.example/").expect("a plain URL");
        let mut with_code = verification_uri.clone();
        with_code.query_pairs_mut().append_pair("user_code", &device.user_code);
        let begun = DeviceAuthorization {
            device_code: Secret::new(device.device_code.clone()),
            user_code: device.user_code.clone(),
            verification_uri,
            verification_uri_complete: Some(with_code),
            expires_in: self.device_expires_in,
            interval: self.device_interval,
        };
        self.devices.push(device);
        begun
    }

    fn poll_device(&mut self, connection: &ProviderConnection, device_code: &Secret) -> DeviceAnswer {
        let device = self.devices.iter_mut().find(|device| device.device_code == device_code.expose());
        let Some(device) = device else {
            return DeviceAnswer::Expired;
        };
        match device.decision.clone() {
            Some(Decision::Approved(person)) => {
                device.decision = Some(Decision::Expired);
                DeviceAnswer::Granted(Box::new(self.grant(connection, &person)))
            }
            Some(Decision::Denied) => DeviceAnswer::Denied,
            Some(Decision::Expired) => DeviceAnswer::Expired,
            None => match self.slow_downs.pop_front() {
                Some(interval) => DeviceAnswer::SlowDown { interval },
                None => DeviceAnswer::Pending,
            },
        }
    }

    /// Tokens for a person who has agreed, with whatever else this provider gives.
    pub(super) fn grant(&mut self, connection: &ProviderConnection, person: &str) -> TokenSet {
        let mut tokens = self.issue(person, self.gives_refresh_tokens);
        tokens.identity = self.gives_id_tokens.then(|| identity(connection, person));
        tokens
    }
}

#[async_trait]
impl AuthorizeDevices for ScriptedProvider {
    async fn begin_device(
        &self,
        _: &ProviderConnection,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorization, UpstreamError> {
        self.answer(Call::BeginDevice, |state| Ok(state.begin_device(scopes))).await
    }

    async fn poll_device(
        &self,
        connection: &ProviderConnection,
        device_code: &Secret,
        _: &Scopes,
    ) -> Result<DeviceAnswer, UpstreamError> {
        self.answer(Call::PollDevice, |state| Ok(state.poll_device(connection, device_code))).await
    }
}
