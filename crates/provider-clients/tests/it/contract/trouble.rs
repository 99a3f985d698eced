//! Bad moments, which never cost a grant.

use std::time::Duration;

use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, RateLimit};

use super::{ALICE, Case};
use crate::world::refused;

fn unavailable(reason: &'static str, retry_after: Option<Duration>) -> UpstreamError {
    UpstreamError::Unavailable { reason, retry_after }
}

fn answered(status: u16, retry_after: Option<u32>, body: Option<&str>) -> Fault {
    let body = body.map(str::to_owned);
    Fault::once(FaultPlace::Token, FaultEffect::Status { status, retry_after, body })
}

impl Case<'_> {
    pub(super) async fn trouble(&self) {
        self.bad_moments_say_nothing_about_the_grant().await;
        self.rate_limits_are_seen_in_every_form().await;
        self.a_lost_answer_is_a_bad_moment().await;
    }

    async fn bad_moments_say_nothing_about_the_grant(&self) {
        self.fresh();
        let refresh_token = self.refresh_token(ALICE).await;
        let wait = Some(Duration::from_secs(7));
        let dead = format!(r#"{{"error":"{}"}}"#, self.deployment.refusals.refresh_token);
        for (fault, expected) in [
            (answered(503, Some(7), None), unavailable("server_trouble", wait)),
            (answered(502, None, None), unavailable("server_trouble", None)),
            (answered(500, None, Some(&dead)), unavailable("server_trouble", None)),
            (answered(408, Some(7), None), unavailable("request_timeout", wait)),
            (answered(429, Some(7), Some(&dead)), UpstreamError::RateLimited { retry_after: wait }),
            (answered(200, None, None), unavailable("unreadable_answer", None)),
            (answered(400, None, None), unavailable("unreadable_answer", None)),
            (answered(400, None, Some(r#"{"error":"brand_new"}"#)), unavailable("unknown_error", None)),
            (answered(200, None, Some("{}")), unavailable("no_access_token", None)),
            (Fault::once(FaultPlace::Token, FaultEffect::Drop), unavailable("connection_broken", None)),
        ] {
            self.site.set_faults([fault.clone()]);
            assert_eq!(refused(self.refresh(&refresh_token).await), expected, "{fault:?}");
        }
        assert!(self.refresh(&refresh_token).await.is_ok(), "it was never dead");
    }

    async fn rate_limits_are_seen_in_every_form(&self) {
        self.fresh();
        let (refresh_token, exchange) = (self.refresh_token(ALICE).await, self.code(ALICE).await);
        for (limit, tells_wait) in [
            (RateLimit::RetryAfter, true),
            (RateLimit::Github403, true),
            (RateLimit::Bare429, false),
            (self.deployment.rate_limit, self.deployment.rate_limit != RateLimit::Bare429),
        ] {
            self.set(|settings| settings.rate_limit = limit);
            for error in [refused(self.refresh(&refresh_token).await), refused(self.redeem(&exchange).await)]
            {
                assert!(matches!(error, UpstreamError::RateLimited { .. }), "{limit:?}: {error:?}");
                assert_eq!(error.retry_after().is_some_and(|wait| !wait.is_zero()), tells_wait, "{limit:?}");
            }
        }
        self.set(|settings| settings.rate_limit = RateLimit::Off);
        assert!(self.refresh(&refresh_token).await.is_ok() && self.redeem(&exchange).await.is_ok());
    }

    async fn a_lost_answer_is_a_bad_moment(&self) {
        self.fresh();
        let refresh_token = self.refresh_token(ALICE).await;
        let calls = self.site.stats().token_calls.len();
        self.site.set_faults([Fault::once(FaultPlace::Token, FaultEffect::LoseAnswer)]);
        let error = refused(self.refresh(&refresh_token).await);
        assert_eq!(error, unavailable("connection_broken", None));
        assert_eq!(self.site.stats().token_calls.len(), calls + 1, "not tried again behind our back");
    }
}
