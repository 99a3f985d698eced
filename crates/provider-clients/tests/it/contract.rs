//! What every provider client has to do, whatever its type: a suite over a client and the simulator behind it.

use std::time::Duration;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    CodeExchange, ProviderClient, ProviderConnection, ProviderEndpoints, TokenSet, TokenToRevoke,
    UpstreamError,
};
use grantkeeper_provider_simulator::{
    ErrorsStatus, ExpiresIn, Fault, FaultEffect, FaultPlace, ScopeSeparator, Simulator, TokenFormat,
};

use crate::person;
use crate::world::{CLIENT_SECRET, connection, exchange, refused, secret};

/// Runs the whole suite. The simulator has automatic consent.
pub(crate) async fn provider_contract(
    client: &dyn ProviderClient,
    endpoints: &ProviderEndpoints,
    simulator: &Simulator,
) {
    let case = Case { client, endpoints, simulator };
    case.default_scopes_are_good();
    case.a_code_gives_tokens_and_identity().await;
    case.a_code_works_once_and_with_its_verifier().await;
    case.a_wrong_secret_is_the_clients_fault().await;
    case.a_refresh_rotates_and_the_old_token_is_dead().await;
    case.a_refresh_without_new_refresh_token_keeps_the_old_one().await;
    case.answers_are_read_in_every_shape().await;
    case.bad_moments_say_nothing_about_the_grant().await;
    case.a_lost_answer_is_a_bad_moment().await;
    case.the_user_is_told_and_compared().await;
    case.an_expired_token_is_refused().await;
    case.revocation_ends_the_grant().await;
}

struct Case<'a> {
    client: &'a dyn ProviderClient,
    endpoints: &'a ProviderEndpoints,
    simulator: &'a Simulator,
}

fn dead() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

impl Case<'_> {
    fn connection(&self) -> ProviderConnection {
        connection(self.endpoints.clone(), CLIENT_SECRET)
    }

    async fn code(&self, login: &str) -> CodeExchange {
        exchange(&person::consents(self.client, &self.connection().client, login).await)
    }

    async fn tokens(&self, login: &str) -> TokenSet {
        let exchange = self.code(login).await;
        self.client
            .exchange_code(&self.connection(), &exchange)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    async fn refresh(&self, refresh_token: &str) -> Result<TokenSet, UpstreamError> {
        let refresh = self.client.refresh().expect("refreshes");
        refresh.refresh_token(&self.connection(), &secret(refresh_token)).await
    }

    async fn identify(&self, access_token: &str, expected: Option<&str>) -> Result<String, UpstreamError> {
        let identity =
            self.client.identify().identify_user(&self.connection(), &secret(access_token), expected).await?;
        Ok(identity.subject)
    }

    fn default_scopes_are_good(&self) {
        assert_eq!(self.client.check_scopes(&self.client.default_scopes()), Ok(()));
    }

    async fn a_code_gives_tokens_and_identity(&self) {
        self.simulator.reset();
        let tokens = self.tokens("alice").await;
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(tokens.scopes, Some(Scopes::parse("openid profile email offline_access")));
        assert!(tokens.refresh_token.is_some());
        let identity = tokens.identity.expect("an identity");
        assert_eq!((identity.subject.as_str(), identity.user.sub.as_str()), ("alice", "alice"));
        assert_eq!(identity.issuer, self.endpoints.issuer);
        let stats = self.simulator.stats();
        assert_eq!(stats.token_calls.len(), 1);
        let asked = &stats.authorize_calls[0].params;
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["prompt"], "consent");
    }

    async fn a_code_works_once_and_with_its_verifier(&self) {
        let used = self.code("alice").await;
        assert!(self.client.exchange_code(&self.connection(), &used).await.is_ok());
        assert_eq!(refused(self.client.exchange_code(&self.connection(), &used).await), dead());
        let other_verifier =
            CodeExchange { pkce_verifier: Some(secret(&"x".repeat(43))), ..self.code("alice").await };
        assert_eq!(refused(self.client.exchange_code(&self.connection(), &other_verifier).await), dead());
        let other_redirect =
            CodeExchange { redirect_uri: "http://127.0.0.1:9/other".to_owned(), ..self.code("alice").await };
        assert_eq!(refused(self.client.exchange_code(&self.connection(), &other_redirect).await), dead());
    }

    async fn a_wrong_secret_is_the_clients_fault(&self) {
        let exchange = self.code("alice").await;
        let wrong = connection(self.endpoints.clone(), "wrong-secret");
        let expected = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
        assert_eq!(refused(self.client.exchange_code(&wrong, &exchange).await), expected);
    }

    async fn a_refresh_rotates_and_the_old_token_is_dead(&self) {
        let first = self.tokens("alice").await;
        let old = first.refresh_token.expect("a refresh token");
        let second = self.refresh(old.expose()).await.unwrap_or_else(|error| panic!("{error}"));
        let new = second.refresh_token.expect("a new refresh token");
        assert_ne!(new.expose(), old.expose());
        assert_ne!(second.access_token.expose(), first.access_token.expose());
        assert_eq!(refused(self.refresh(old.expose()).await), dead());
        assert_eq!(refused(self.refresh(new.expose()).await), dead(), "reuse kills the family");
    }

    async fn a_refresh_without_new_refresh_token_keeps_the_old_one(&self) {
        let refresh_token = self.tokens("alice").await.refresh_token.expect("a refresh token");
        self.simulator.update_settings(|settings| settings.refresh_omits_refresh_token = true);
        for _ in 0..2 {
            let answer = self.refresh(refresh_token.expose()).await.unwrap_or_else(|error| panic!("{error}"));
            assert!(answer.refresh_token.is_none());
        }
        self.simulator.reset();
    }

    async fn answers_are_read_in_every_shape(&self) {
        self.simulator.update_settings(|settings| {
            settings.token_format = TokenFormat::Form;
            settings.scope_separator = ScopeSeparator::Comma;
            settings.expires_in = ExpiresIn::String;
            settings.errors_status = ErrorsStatus::Ok;
            settings.token_length = Some(4096);
            settings.granted_scopes = Some(vec!["openid".to_owned(), "email".to_owned()]);
        });
        let tokens = self.tokens("alice").await;
        assert_eq!(tokens.access_token.expose().len(), 4096);
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(tokens.scopes, Some(Scopes::parse("openid email")));
        assert_eq!(refused(self.refresh("unknown").await), dead(), "an error with status 200");
        self.simulator.update_settings(|settings| settings.expires_in = ExpiresIn::Absent);
        assert_eq!(self.tokens("alice").await.expires_in, None);
        self.simulator.reset();
    }

    async fn bad_moments_say_nothing_about_the_grant(&self) {
        let refresh_token = self.tokens("alice").await.refresh_token.expect("a refresh token");
        let status = |status, retry_after, body: Option<&str>| {
            let effect = FaultEffect::Status { status, retry_after, body: body.map(str::to_owned) };
            Fault::once(FaultPlace::Token, effect)
        };
        let wait = Some(Duration::from_secs(7));
        let unavailable = |reason, retry_after| UpstreamError::Unavailable { reason, retry_after };
        for (fault, expected) in [
            (status(503, Some(7), None), unavailable("server_trouble", wait)),
            (status(502, None, None), unavailable("server_trouble", None)),
            (status(500, None, Some(r#"{"error":"invalid_grant"}"#)), unavailable("server_trouble", None)),
            (status(408, Some(7), None), unavailable("request_timeout", wait)),
            (status(429, Some(7), None), UpstreamError::RateLimited { retry_after: wait }),
            (status(400, None, None), unavailable("unreadable_answer", None)),
            (status(400, None, Some(r#"{"error":"brand_new"}"#)), unavailable("unknown_error", None)),
            (Fault::once(FaultPlace::Token, FaultEffect::Drop), unavailable("connection_broken", None)),
        ] {
            self.simulator.set_faults([fault.clone()]);
            assert_eq!(refused(self.refresh(refresh_token.expose()).await), expected, "{fault:?}");
        }
        assert!(self.refresh(refresh_token.expose()).await.is_ok(), "it was never dead");
    }

    async fn a_lost_answer_is_a_bad_moment(&self) {
        let refresh_token = self.tokens("alice").await.refresh_token.expect("a refresh token");
        let calls = self.simulator.stats().token_calls.len();
        self.simulator.set_faults([Fault::once(FaultPlace::Token, FaultEffect::LoseAnswer)]);
        let error = refused(self.refresh(refresh_token.expose()).await);
        assert_eq!(error, UpstreamError::Unavailable { reason: "connection_broken", retry_after: None });
        assert_eq!(self.simulator.stats().token_calls.len(), calls + 1, "not tried again behind our back");
    }

    async fn the_user_is_told_and_compared(&self) {
        let tokens = self.tokens("alice").await;
        let access_token = tokens.access_token.expose();
        assert_eq!(self.identify(access_token, Some("alice")).await, Ok("alice".to_owned()));
        assert_eq!(self.identify(access_token, None).await, Ok("alice".to_owned()));
        let untrusted = Err(UpstreamError::Untrusted { reason: "userinfo_subject" });
        assert_eq!(self.identify(access_token, Some("bob")).await, untrusted);
        self.simulator.update_settings(|settings| settings.userinfo_sub = Some("someone-else".to_owned()));
        assert_eq!(self.identify(access_token, Some("alice")).await, untrusted);
        self.simulator.reset();
        self.simulator.set_faults([Fault::status(FaultPlace::Userinfo, 502)]);
        let unavailable = UpstreamError::Unavailable { reason: "server_trouble", retry_after: None };
        assert_eq!(self.identify(access_token, None).await, Err(unavailable));
    }

    async fn an_expired_token_is_refused(&self) {
        self.simulator.update_settings(|settings| settings.access_token_lifetime = 0);
        let tokens = self.tokens("alice").await;
        assert_eq!(tokens.expires_in, Some(Duration::ZERO));
        let found = self.identify(tokens.access_token.expose(), None).await;
        assert_eq!(found, Err(UpstreamError::TokenRefused));
        self.simulator.reset();
    }

    async fn revocation_ends_the_grant(&self) {
        let Some(revoke) = self.client.revoke(self.endpoints) else {
            return;
        };
        let tokens = self.tokens("alice").await;
        let both = || TokenToRevoke {
            access_token: Some(secret(tokens.access_token.expose())),
            refresh_token: tokens.refresh_token.as_ref().map(|token| secret(token.expose())),
        };
        let effect = FaultEffect::Status { status: 503, retry_after: Some(7), body: None };
        self.simulator.set_faults([Fault::once(FaultPlace::Revoke, effect)]);
        let error = revoke.revoke_token(&self.connection(), &both()).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(revoke.revoke_token(&self.connection(), &both()).await, Ok(()));
        assert_eq!(self.identify(tokens.access_token.expose(), None).await, Err(UpstreamError::TokenRefused));
        let refresh_token = tokens.refresh_token.as_ref().expect("a refresh token");
        assert_eq!(refused(self.refresh(refresh_token.expose()).await), dead());
        assert_eq!(revoke.revoke_token(&self.connection(), &both()).await, Ok(()), "gone already");
        let wrong = connection(self.endpoints.clone(), "wrong-secret");
        let expected = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
        assert_eq!(revoke.revoke_token(&wrong, &both()).await, Err(expected));
    }
}
