//! Who the user is, and whether a token is good.

use grantkeeper_domain::providers::{ExpectedUser, ProviderKind, UpstreamError};
use grantkeeper_provider_simulator::{Fault, FaultPlace, RateLimit};

use super::{ALICE, Case};
use crate::world::secret;

impl Case<'_> {
    pub(super) async fn identities(&self) {
        self.the_provider_tells_who_it_is().await;
        self.nobody_else_is_taken_for_the_user().await;
        self.a_token_that_is_no_good_is_refused().await;
        self.an_old_token_is_refused().await;
        self.bad_moments_say_nothing_about_the_token().await;
        if self.deployment.kind == ProviderKind::Github {
            self.a_new_token_may_be_unknown_for_a_moment().await;
        }
    }

    async fn a_new_token_may_be_unknown_for_a_moment(&self) {
        self.fresh();
        self.set(|settings| settings.replica_lag = 2);
        let tokens = self.tokens(ALICE).await;
        assert_eq!(self.subject_of(&tokens).await, Ok(self.subject(ALICE)));
        if let Some(refresh_token) = &tokens.refresh_token {
            let refreshed = self.refresh(refresh_token).await.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(self.subject_of(&refreshed).await, Ok(self.subject(ALICE)));
        }
    }

    async fn the_provider_tells_who_it_is(&self) {
        self.fresh();
        for login in [ALICE, "bob"] {
            let tokens = self.tokens(login).await;
            assert_eq!(self.subject_of(&tokens).await, Ok(self.subject(login)));
            assert_eq!(self.validate(&tokens.access_token).await, Ok(()));
        }
        if !self.deployment.identifies_strangers {
            let tokens = self.tokens(ALICE).await;
            let found = self.identify(&tokens.access_token, None).await;
            assert_eq!(found, Err(UpstreamError::NotSupported));
        }
    }

    async fn nobody_else_is_taken_for_the_user(&self) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        let other = self.tokens("bob").await;
        let issuer = match &other.identity {
            Some(identity) => identity.issuer.clone(),
            None => self.world.endpoints.issuer.clone(),
        };
        let bob = self.subject("bob");
        let bob = ExpectedUser { issuer: &issuer, subject: &bob };
        let untrusted = || UpstreamError::Untrusted { reason: "userinfo_subject" };
        assert_eq!(self.identify(&tokens.access_token, Some(bob)).await, Err(untrusted()));
        assert_eq!(self.identify(&other.access_token, Some(bob)).await, Ok(bob.subject.to_owned()));
        let subject = ExpectedUser { issuer: "https://other.example", ..bob };
        assert_eq!(
            self.identify(&other.access_token, Some(subject)).await,
            Err(untrusted()),
            "at another issuer"
        );
    }

    async fn a_token_that_is_no_good_is_refused(&self) {
        self.fresh();
        let known = self.tokens(ALICE).await.identity;
        let expected = known.as_ref().map(|identity| identity.as_expected());
        let unknown = secret("unknown");
        assert_eq!(self.identify(&unknown, expected).await, Err(UpstreamError::TokenRefused));
        assert_eq!(self.validate(&unknown).await, Err(UpstreamError::TokenRefused));
    }

    async fn an_old_token_is_refused(&self) {
        self.fresh();
        self.set(|settings| settings.access_token_lifetime = 0);
        let tokens = self.tokens(ALICE).await;
        assert_eq!(self.validate(&tokens.access_token).await, Err(UpstreamError::TokenRefused));
        assert_eq!(self.subject_of(&tokens).await, Err(UpstreamError::TokenRefused));
    }

    async fn bad_moments_say_nothing_about_the_token(&self) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        let unavailable = UpstreamError::Unavailable { reason: "server_trouble", retry_after: None };
        self.site.set_faults([Fault::status(FaultPlace::Userinfo, 502)]);
        assert_eq!(self.subject_of(&tokens).await, Err(unavailable.clone()));
        self.site.set_faults([Fault::status(FaultPlace::Userinfo, 502)]);
        assert_eq!(self.validate(&tokens.access_token).await, Err(unavailable));
        for limit in [RateLimit::RetryAfter, RateLimit::Github403, RateLimit::Bare429] {
            self.set(|settings| settings.rate_limit = limit);
            let limited = |error| matches!(error, Err(UpstreamError::RateLimited { .. }));
            assert!(limited(self.subject_of(&tokens).await.map(drop)), "{limit:?}");
            assert!(limited(self.validate(&tokens.access_token).await), "{limit:?}");
        }
        self.set(|settings| settings.rate_limit = RateLimit::Off);
        assert_eq!(self.validate(&tokens.access_token).await, Ok(()));
    }
}
