//! For which client a token is.

use std::sync::Arc;

use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{CheckAudience, ProviderConnection, TokenAudience, UpstreamError};
use grantkeeper_provider_simulator::{Fault, FaultPlace, RateLimit};

use super::{ALICE, Case};
use crate::deployments::Audience;
use crate::world::{CLIENT_SECRET, connection_of, secret};

type Told = Result<TokenAudience, UpstreamError>;

impl Case<'_> {
    pub(super) async fn audiences(&self) {
        let check = self.world.client.audience(&self.world.endpoints);
        let Some((audience, check)) = self.deployment.audience.zip(check) else { return };
        self.a_token_of_ours_is_ours(&check).await;
        self.a_token_of_another_client_is_not_ours(audience, &check).await;
        self.a_token_that_somebody_made_by_hand_is_nobodys(&check).await;
        self.a_token_that_works_no_more_is_nobodys_business(&check).await;
        self.bad_moments_do_not_tell_whose_a_token_is(&check).await;
        self.who_asks_has_to_be_known(audience, &check).await;
    }

    async fn told(&self, check: &Arc<dyn CheckAudience>, access_token: &Secret) -> Told {
        check.check_audience(&self.connection(), access_token).await
    }

    /// Another client of the same provider.
    fn another_client(&self) -> ProviderConnection {
        connection_of(self.world.endpoints.clone(), "another-client", CLIENT_SECRET)
    }

    async fn a_token_of_ours_is_ours(&self, check: &Arc<dyn CheckAudience>) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        assert_eq!(self.told(check, &tokens.access_token).await, Ok(TokenAudience::Ours));
        if let Some(refresh_token) = &tokens.refresh_token {
            let refreshed = self.refresh(refresh_token).await.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(self.told(check, &refreshed.access_token).await, Ok(TokenAudience::Ours));
        }
    }

    async fn a_token_of_another_client_is_not_ours(
        &self,
        audience: Audience,
        check: &Arc<dyn CheckAudience>,
    ) {
        self.fresh();
        let another = self.another_client();
        let theirs = self.tokens_for(&another, ALICE).await.access_token;
        let expected = if audience.admits_others {
            Ok(TokenAudience::Another)
        } else {
            Err(UpstreamError::TokenRefused)
        };
        assert_eq!(self.told(check, &theirs).await, expected);
        assert_eq!(check.check_audience(&another, &theirs).await, Ok(TokenAudience::Ours), "it is good");
    }

    async fn a_token_that_somebody_made_by_hand_is_nobodys(&self, check: &Arc<dyn CheckAudience>) {
        self.fresh();
        let personal = self.site.personal_token(ALICE, "read_user read:user user:email");
        assert_eq!(personal.is_some(), self.deployment.personal_tokens);
        let Some(personal) = personal.map(|token| secret(&token)) else { return };
        assert_eq!(self.told(check, &personal).await, Ok(TokenAudience::Nobody));
        assert_eq!(self.identify(&personal, None).await, Ok(self.subject(ALICE)), "it is good");
    }

    async fn a_token_that_works_no_more_is_nobodys_business(&self, check: &Arc<dyn CheckAudience>) {
        self.fresh();
        assert_eq!(self.told(check, &secret("unknown")).await, Err(UpstreamError::TokenRefused));
        self.set(|settings| settings.access_token_lifetime = 0);
        let expired = self.tokens(ALICE).await.access_token;
        assert_eq!(self.told(check, &expired).await, Err(UpstreamError::TokenRefused));
    }

    async fn bad_moments_do_not_tell_whose_a_token_is(&self, check: &Arc<dyn CheckAudience>) {
        self.fresh();
        let token = self.tokens(ALICE).await.access_token;
        let unavailable = UpstreamError::Unavailable { reason: "server_trouble", retry_after: None };
        self.site.set_faults([Fault::status(FaultPlace::Userinfo, 502)]);
        assert_eq!(self.told(check, &token).await, Err(unavailable));
        let unreadable = UpstreamError::Unavailable { reason: "unreadable_answer", retry_after: None };
        self.site.set_faults([Fault::status(FaultPlace::Userinfo, 200)]);
        assert_eq!(self.told(check, &token).await, Err(unreadable), "an HTML page");
        for limit in [RateLimit::RetryAfter, RateLimit::Github403, RateLimit::Bare429] {
            self.set(|settings| settings.rate_limit = limit);
            let limited = self.told(check, &token).await;
            assert!(matches!(limited, Err(UpstreamError::RateLimited { .. })), "{limit:?}: {limited:?}");
        }
        self.set(|settings| settings.rate_limit = RateLimit::Off);
        assert_eq!(self.told(check, &token).await, Ok(TokenAudience::Ours));
    }

    async fn who_asks_has_to_be_known(&self, audience: Audience, check: &Arc<dyn CheckAudience>) {
        self.fresh();
        let token = self.tokens(ALICE).await.access_token;
        let told = check.check_audience(&self.connection_with("wrong-secret"), &token).await;
        let expected =
            if audience.authenticated { Err(self.client_refused()) } else { Ok(TokenAudience::Ours) };
        assert_eq!(told, expected);
    }
}
