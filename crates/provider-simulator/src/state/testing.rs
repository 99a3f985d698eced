//! A provider on the bench: with a clock to wind, and a client that knows its lines.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use url::Url;

use super::{AuthorizationAnswer, DeviceAuthorizationAnswer, PresentedClient, Provider, TokenAnswer};
use super::{pkce, token_endpoint::DEVICE_CODE};
use crate::dialect::PLAIN;
use crate::params::Params;
use crate::place::Place;
use crate::settings::Settings;

pub(super) const REDIRECT_URI: &str = "http://127.0.0.1:8080/callback";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(super) struct Bench {
    pub(super) provider: Provider,
    pub(super) client_id: String,
    pub(super) secret: Option<String>,
    seconds: Arc<AtomicI64>,
}

/// A provider that asks nobody.
pub(super) fn bench() -> Bench {
    set_up(true)
}

/// A provider that waits for people to decide.
pub(super) fn bench_with_people() -> Bench {
    set_up(false)
}

fn set_up(auto_consent: bool) -> Bench {
    let seconds = Arc::new(AtomicI64::new(1_700_000_000));
    let wound = Arc::clone(&seconds);
    let clock = move || DateTime::from_timestamp(wound.load(Ordering::SeqCst), 0).expect("in range");
    Bench {
        provider: Provider::new(place(), &PLAIN, auto_consent, Settings::default(), Arc::new(clock)),
        client_id: "client".to_owned(),
        secret: Some("client-secret".to_owned()),
        seconds,
    }
}

fn place() -> Place {
    let here = "http://sim.test".to_owned();
    Place {
        origin: here.clone(),
        web: here.clone(),
        api: here.clone(),
        web_name: here.clone(),
        api_name: here.clone(),
        issuer: here,
    }
}

impl Bench {
    /// Lets seconds pass.
    pub(super) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn params(&self, params: &[(&str, &str)]) -> Params {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(params).append_pair("client_id", &self.client_id);
        if let Some(secret) = &self.secret {
            body.append_pair("client_secret", secret);
        }
        Params::parse(body.finish().as_bytes())
    }

    /// A code for these scopes, bound to [`VERIFIER`].
    pub(super) fn code(&mut self, scope: &str) -> String {
        let challenge = pkce::s256(VERIFIER);
        let answer = self.provider.authorize(
            &Params::from([
                ("response_type", "code"),
                ("client_id", self.client_id.as_str()),
                ("redirect_uri", REDIRECT_URI),
                ("scope", scope),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ]),
            None,
        );
        let AuthorizationAnswer::Redirect(url) = answer else { panic!("no redirect") };
        let url = Url::parse(&url).expect("a URL");
        url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
    }

    /// A token request with the credentials of the client.
    pub(super) fn token(&mut self, params: &[(&str, &str)]) -> Result<TokenAnswer, &'static str> {
        let params = self.params(params);
        let client = PresentedClient::from_request(None, &params).expect("a client");
        self.provider.note_sent_secrets(&params, Some(&client));
        self.provider.token(Ok(&client), &params).map_err(|error| error.code.as_str())
    }

    pub(super) fn redeem(&mut self, code: &str) -> Result<TokenAnswer, &'static str> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ])
    }

    /// The tokens of a new family.
    pub(super) fn tokens(&mut self, scope: &str) -> TokenAnswer {
        let code = self.code(scope);
        self.redeem(&code).expect("tokens")
    }

    pub(super) fn refresh(&mut self, token: &str) -> Result<TokenAnswer, &'static str> {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    pub(super) fn revoke(&mut self, token: &str, hint: Option<&str>) -> Result<(), &'static str> {
        let params = self.params(&[("token", token), ("token_type_hint", hint.unwrap_or_default())]);
        let client = PresentedClient::from_request(None, &params).expect("a client");
        self.provider.revoke(Ok(&client), &params).map_err(|error| error.code.as_str())
    }

    pub(super) fn device(&mut self, scope: &str) -> DeviceAuthorizationAnswer {
        let params = self.params(&[("scope", scope)]);
        let client = PresentedClient::from_request(None, &params).expect("a client");
        self.provider.authorize_device(Ok(&client), &params, None).unwrap_or_else(|error| panic!("{error:?}"))
    }

    pub(super) fn poll(&mut self, device: &DeviceAuthorizationAnswer) -> Result<TokenAnswer, &'static str> {
        self.token(&[("grant_type", DEVICE_CODE), ("device_code", &device.device_code)])
    }

    /// Who an access token stands for, if it works.
    pub(super) fn sub_of(&mut self, access_token: &str) -> Option<String> {
        let claims = self.provider.userinfo(Some(access_token)).ok()?;
        claims["sub"].as_str().map(str::to_owned)
    }
}

impl TokenAnswer {
    /// The refresh token, which has to be there.
    pub(super) fn refresh(&self) -> &str {
        self.refresh_token.as_deref().expect("a refresh token")
    }
}
