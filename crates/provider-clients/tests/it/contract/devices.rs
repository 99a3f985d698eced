//! The device flow, in one vocabulary for all providers.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, DeviceAnswer, DeviceAuthorization, TokenSet, UpstreamError,
};
use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, RateLimit};

use super::{ALICE, Case};
use crate::deployments::Device;
use crate::person;
use crate::world::{refused, secret};

/// What came of a poll, without the tokens.
fn word(answer: &Result<DeviceAnswer, UpstreamError>) -> &'static str {
    match answer {
        Ok(DeviceAnswer::Granted(_)) => "granted",
        Ok(DeviceAnswer::Pending) => "pending",
        Ok(DeviceAnswer::SlowDown { .. }) => "slow down",
        Ok(DeviceAnswer::Denied) => "denied",
        Ok(DeviceAnswer::Expired) => "expired",
        Err(UpstreamError::RateLimited { .. }) => "rate limited",
        Err(UpstreamError::Unavailable { .. }) => "unavailable",
        Err(_) => "error",
    }
}

impl Case<'_> {
    pub(super) async fn devices(&self) {
        let endpoints = &self.world.endpoints;
        let Some((device, flow)) = self.deployment.device.zip(self.world.client.device(endpoints)) else {
            return;
        };
        self.the_person_approves(device, &flow).await;
        self.the_person_refuses(&flow).await;
        self.the_codes_grow_old(device, &flow).await;
        self.polls_can_be_too_fast(device, &flow).await;
        self.bad_moments_of_a_device_flow_end_nothing(&flow).await;
        self.a_client_that_may_not_is_misconfigured(&flow).await;
    }

    async fn begin(&self, flow: &Arc<dyn AuthorizeDevices>) -> DeviceAuthorization {
        let begun = flow.begin_device(&self.connection(), &self.scopes()).await;
        begun.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn poll(
        &self,
        flow: &Arc<dyn AuthorizeDevices>,
        begun: &DeviceAuthorization,
    ) -> Result<DeviceAnswer, UpstreamError> {
        flow.poll_device(&self.connection(), &begun.device_code, &self.scopes()).await
    }

    /// A poll after the interval.
    async fn wait_and_poll(
        &self,
        flow: &Arc<dyn AuthorizeDevices>,
        begun: &DeviceAuthorization,
    ) -> Result<DeviceAnswer, UpstreamError> {
        self.world.clock.advance(begun.interval);
        self.poll(flow, begun).await
    }

    async fn decide(&self, begun: &DeviceAuthorization, decision: &str) {
        person::decides(self.world.simulator.url(), &begun.user_code, decision, ALICE).await;
    }

    async fn the_person_approves(&self, device: Device, flow: &Arc<dyn AuthorizeDevices>) {
        self.fresh();
        let begun = self.begin(flow).await;
        assert_eq!(begun.expires_in, Duration::from_secs(device.lifetime));
        assert!(!begun.interval.is_zero() && !begun.user_code.is_empty());
        assert!(begun.verification_uri.as_str().starts_with(self.world.simulator.url()));
        let complete = begun.verification_uri_complete.as_ref();
        assert_eq!(complete.is_some(), device.complete_address);
        assert!(complete.is_none_or(|url| url.as_str().contains(&begun.user_code)));

        self.decide(&begun, "approve").await;
        let Ok(DeviceAnswer::Granted(tokens)) = self.wait_and_poll(flow, &begun).await else {
            panic!("the person has agreed")
        };
        self.tokens_of_a_device_are_like_others(device, &tokens).await;
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "expired", "a device code works once");
    }

    async fn tokens_of_a_device_are_like_others(&self, device: Device, tokens: &TokenSet) {
        assert_eq!(tokens.distrust, None);
        assert_eq!(tokens.refresh_token.is_some(), device.refresh_token);
        assert_eq!(tokens.identity.is_some(), self.deployment.id_token);
        assert_eq!(self.missing(tokens), Scopes::default());
        assert_eq!(self.subject_of(tokens).await, Ok(self.subject(ALICE)));
        if let Some(refresh_token) = &tokens.refresh_token {
            assert!(self.refresh(refresh_token).await.is_ok());
        }
    }

    async fn the_person_refuses(&self, flow: &Arc<dyn AuthorizeDevices>) {
        self.fresh();
        let begun = self.begin(flow).await;
        self.decide(&begun, "deny").await;
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "denied");
    }

    async fn the_codes_grow_old(&self, device: Device, flow: &Arc<dyn AuthorizeDevices>) {
        self.fresh();
        let begun = self.begin(flow).await;
        self.world.clock.advance(Duration::from_secs(device.lifetime + 1));
        assert_eq!(word(&self.poll(flow, &begun).await), "expired");
        let unknown = DeviceAuthorization { device_code: secret("unknown"), ..begun };
        assert_eq!(word(&self.poll(flow, &unknown).await), "expired", "an unknown code");
    }

    async fn polls_can_be_too_fast(&self, device: Device, flow: &Arc<dyn AuthorizeDevices>) {
        self.fresh();
        let begun = self.begin(flow).await;
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "pending");
        self.set(|settings| settings.slow_down_polls = 1);
        let Ok(DeviceAnswer::SlowDown { interval }) = self.poll(flow, &begun).await else {
            panic!("that was too fast")
        };
        assert_eq!(interval.is_some(), device.told_interval.is_some());
        self.world.clock.advance(interval.unwrap_or(begun.interval + Duration::from_secs(5)));
        assert_eq!(word(&self.poll(flow, &begun).await), "granted", "the simulator agrees by itself by now");
    }

    async fn bad_moments_of_a_device_flow_end_nothing(&self, flow: &Arc<dyn AuthorizeDevices>) {
        self.fresh();
        self.site.set_faults([Fault::status(FaultPlace::Device, 503)]);
        let error = refused(flow.begin_device(&self.connection(), &self.scopes()).await);
        assert_eq!(error, UpstreamError::Unavailable { reason: "server_trouble", retry_after: None });

        let begun = self.begin(flow).await;
        self.decide(&begun, "approve").await;
        self.site.set_faults([Fault::once(FaultPlace::Token, FaultEffect::Drop)]);
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "unavailable");
        self.site.set_faults([Fault::status(FaultPlace::Token, 200)]);
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "unavailable", "an HTML page");
        self.set(|settings| settings.rate_limit = self.deployment.rate_limit);
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "rate limited");
        self.set(|settings| settings.rate_limit = RateLimit::Off);
        assert_eq!(word(&self.wait_and_poll(flow, &begun).await), "granted");
    }

    async fn a_client_that_may_not_is_misconfigured(&self, flow: &Arc<dyn AuthorizeDevices>) {
        self.fresh();
        self.set(|settings| settings.device_grant = false);
        let error = refused(flow.begin_device(&self.connection(), &self.scopes()).await);
        assert!(
            matches!(error, UpstreamError::Misconfigured { .. } | UpstreamError::NotSupported),
            "never a fault of the client's secret: {error:?}"
        );
    }
}
