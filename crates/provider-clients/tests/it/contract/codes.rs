//! Authorization codes: what the provider is asked for, and what it gives.

use std::time::Duration;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{CodeExchange, PkceSupport, TokenSet, UpstreamError};
use grantkeeper_provider_simulator::{
    ErrorsStatus, ExpiresIn, Fault, FaultPlace, ScopeField, ScopeSeparator, TokenFormat,
};

use super::{ALICE, Case};
use crate::person;
use crate::world::{CLIENT_SECRET, refused, secret};

impl Case<'_> {
    pub(super) async fn codes(&self) {
        self.the_page_is_told_what_is_wanted().await;
        self.a_code_gives_tokens().await;
        self.a_code_works_once_and_with_what_it_was_made_for().await;
        self.a_wrong_secret_is_the_clients_fault().await;
        self.what_was_not_granted_is_seen().await;
        self.lifetimes_and_lengths_are_taken_as_they_come().await;
        self.answers_are_read_in_every_shape().await;
        self.a_clock_that_is_a_little_wrong_is_forgiven().await;
        self.a_bad_moment_of_the_keys_costs_nothing().await;
    }

    async fn a_bad_moment_of_the_keys_costs_nothing(&self) {
        if !self.deployment.id_token {
            return;
        }
        self.fresh();
        // The keys that are remembered are too old by now.
        self.world.clock.advance(Duration::from_secs(3600));
        self.site.set_faults([Fault::status(FaultPlace::Discovery, 503)]);
        let tokens = self.tokens(ALICE).await;
        self.the_id_token_tells_who_it_is(&tokens);
        assert_eq!(self.site.stats().jwks_calls, 2);
    }

    async fn the_page_is_told_what_is_wanted(&self) {
        self.fresh();
        self.consent(&self.connection(), ALICE).await;
        let asked = self.site.stats().authorize_calls.remove(0).params;
        let is = |name: &str, value: Option<&str>| {
            assert_eq!(asked.get(name).map(String::as_str), value, "{name}");
        };
        is("response_type", Some("code"));
        is("client_id", Some(crate::world::CLIENT_ID));
        is("redirect_uri", Some(person::REDIRECT_URI));
        is("prompt", self.deployment.prompt);
        is("nonce", self.deployment.id_token.then_some(person::NONCE));
        let proves = self.deployment.pkce == PkceSupport::S256;
        is("code_challenge_method", proves.then_some("S256"));
        is("code_challenge", proves.then_some(person::CHALLENGE));
    }

    async fn a_code_gives_tokens(&self) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        assert_eq!(tokens.expires_in, self.deployment.lifetime.map(Duration::from_secs));
        assert!(tokens.refresh_token.is_some());
        assert_eq!(self.missing(&tokens), Scopes::default());
        assert_eq!(tokens.scopes.is_some(), self.deployment.tells_scopes);
        self.the_id_token_tells_who_it_is(&tokens);
        assert_eq!(self.site.stats().token_calls.len(), 1);
    }

    fn the_id_token_tells_who_it_is(&self, tokens: &TokenSet) {
        let Some(identity) = &tokens.identity else {
            assert!(!self.deployment.id_token);
            return;
        };
        assert!(self.deployment.id_token);
        assert_eq!(identity.subject, self.subject(ALICE));
        assert_eq!(identity.user.sub, identity.subject);
        assert!(self.world.endpoints.is_issuer(&identity.issuer), "{}", identity.issuer);
        assert!(!identity.issuer.contains('{'), "{}", identity.issuer);
        let raw = identity.user.raw.to_string();
        assert!(!raw.contains(person::NONCE) && identity.user.raw.get("id_token_claims").is_some(), "{raw}");
    }

    async fn a_code_works_once_and_with_what_it_was_made_for(&self) {
        self.fresh();
        let used = self.code(ALICE).await;
        assert!(self.redeem(&used).await.is_ok());
        assert_eq!(refused(self.redeem(&used).await), self.code_refused());
        if self.deployment.checks_proof {
            let verifier = Some(secret(&"x".repeat(43)));
            let other = CodeExchange { pkce_verifier: verifier, ..self.code(ALICE).await };
            assert_eq!(refused(self.redeem(&other).await), self.code_refused(), "another verifier");
        }
        let elsewhere =
            CodeExchange { redirect_uri: "http://127.0.0.1:9/other".to_owned(), ..self.code(ALICE).await };
        let error = refused(self.redeem(&elsewhere).await);
        let mismatch = UpstreamError::Misconfigured { code: "redirect_uri_mismatch".to_owned() };
        assert!(error == self.code_refused() || error == mismatch, "another redirect URI: {error:?}");
        let unknown = CodeExchange { code: secret("unknown"), ..self.code(ALICE).await };
        assert_eq!(refused(self.redeem(&unknown).await), self.code_refused(), "an unknown code");
    }

    async fn a_wrong_secret_is_the_clients_fault(&self) {
        self.fresh();
        let exchange = self.code(ALICE).await;
        let wrong = self.connection_with("wrong-secret");
        let error = refused(self.world.client.exchange_code(&wrong, &exchange).await);
        assert_eq!(error, self.client_refused());
        assert!(!format!("{error} {error:?}").contains(exchange.code.expose()));
        assert!(!format!("{error} {error:?}").contains(CLIENT_SECRET));
    }

    async fn what_was_not_granted_is_seen(&self) {
        self.fresh();
        let asked: Vec<_> = self.world.scopes.iter().map(str::to_owned).collect();
        // What makes it an OpenID flow stays, and so does what makes it last.
        let needed = ["openid", "offline_access", "profile"];
        let Some(missing) = asked.iter().rfind(|scope| !needed.contains(&scope.as_str())) else { return };
        if !self.deployment.tells_scopes || asked.len() == 1 {
            return;
        }
        let granted = asked.iter().filter(|scope| *scope != missing).cloned().collect();
        self.set(|settings| settings.granted_scopes = Some(granted));
        let tokens = self.tokens(ALICE).await;
        assert_eq!(self.missing(&tokens), Scopes::parse(missing));
        let refreshed = self.refresh(&tokens.refresh_token.expect("a refresh token")).await;
        let refreshed = refreshed.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(self.missing(&refreshed), Scopes::parse(missing), "after a refresh");
    }

    async fn lifetimes_and_lengths_are_taken_as_they_come(&self) {
        self.fresh();
        self.set(|settings| {
            settings.told_lifetime = Some(77);
            settings.expires_in = ExpiresIn::String;
            settings.token_length = Some(4096);
        });
        let tokens = self.tokens(ALICE).await;
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(77)));
        assert_eq!(tokens.access_token.expose().len(), 4096);
        self.set(|settings| settings.expires_in = ExpiresIn::Absent);
        assert_eq!(self.tokens(ALICE).await.expires_in, None);
    }

    async fn answers_are_read_in_every_shape(&self) {
        self.fresh();
        for format in [TokenFormat::Json, TokenFormat::Form] {
            for (field, separator) in [
                (ScopeField::Scope, ScopeSeparator::Comma),
                (ScopeField::Scopes, ScopeSeparator::Space),
                (ScopeField::Absent, ScopeSeparator::Space),
            ] {
                self.set(|settings| {
                    settings.token_format = format;
                    settings.scope_field = field;
                    settings.scope_separator = separator;
                });
                let tokens = self.tokens(ALICE).await;
                assert_eq!(self.missing(&tokens), Scopes::default(), "{format:?} {field:?} {separator:?}");
            }
            for status in [ErrorsStatus::BadRequest, ErrorsStatus::Ok] {
                self.set(|settings| settings.errors_status = status);
                assert_eq!(refused(self.refresh(&secret("unknown")).await), self.refresh_token_refused());
            }
        }
    }

    async fn a_clock_that_is_a_little_wrong_is_forgiven(&self) {
        for seconds in [-45, 45] {
            self.fresh();
            self.set(|settings| settings.clock_skew = seconds);
            let tokens = self.tokens(ALICE).await;
            assert_eq!(tokens.expires_in, self.deployment.lifetime.map(Duration::from_secs), "{seconds}");
        }
    }

    /// What was asked for and not granted.
    pub(super) fn missing(&self, tokens: &TokenSet) -> Scopes {
        let asked = self.scopes();
        tokens.scopes.as_ref().map(|granted| asked.without(granted)).unwrap_or_default()
    }
}
