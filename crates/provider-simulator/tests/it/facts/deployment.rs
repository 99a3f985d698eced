//! A simulated deployment and a client of it, which knows nothing but the table of facts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::DateTime;
use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde_json::{Value, json};

use super::rows::{Carries, Token, TokenCall, Way};
use super::table::Facts;
use crate::browser::{Answer, CHALLENGE, REDIRECT_URI, VERIFIER};

pub(super) const CLIENT: &str = "client";
pub(super) const SECRET: &str = "client-secret";
pub(super) const WRONG_SECRET: &str = "wrong-secret";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// The instant at which every simulator starts, in epoch seconds.
const START: i64 = 1_700_000_000;

/// A simulator that plays a deployment.
pub(super) struct Deployment {
    pub(super) facts: Facts,
    simulator: Simulator,
    seconds: Arc<AtomicI64>,
    http: reqwest::Client,
}

/// Somebody who signs in.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) scope: &'a str,
    pub(super) client: &'a str,
    pub(super) user: &'a str,
    /// What the authorization request says besides; it replaces what the table says.
    pub(super) params: Option<&'a [(&'a str, &'a str)]>,
}

/// A client that presents itself.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    pub(super) way: Way,
    pub(super) id: &'a str,
    pub(super) secret: Option<&'a str>,
}

/// The tokens of a sign-in.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) answer: Value,
}

impl Tokens {
    /// Reads a successful answer.
    pub(super) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let answer = answer.json();
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let access = text("access_token").unwrap_or_else(|| panic!("no access token: {answer}"));
        Self { access, refresh: text("refresh_token"), answer }
    }

    pub(super) fn refresh(&self) -> &str {
        self.refresh.as_deref().unwrap_or_else(|| panic!("no refresh token: {}", self.answer))
    }

    pub(super) fn token(&self, token: Token) -> &str {
        match token {
            Token::AccessToken => &self.access,
            Token::RefreshToken => self.refresh(),
        }
    }
}

impl Deployment {
    /// One where everybody agrees at once.
    pub(super) async fn open(name: &str) -> Self {
        Self::open_with(name, true).await
    }

    /// One where people decide.
    pub(super) async fn open_for_people(name: &str) -> Self {
        Self::open_with(name, false).await
    }

    #[expect(clippy::disallowed_methods, reason = "the test is a client of its own")]
    async fn open_with(name: &str, auto_consent: bool) -> Self {
        let seconds = Arc::new(AtomicI64::new(START));
        let wound = Arc::clone(&seconds);
        let clock = move || DateTime::from_timestamp(wound.load(Ordering::SeqCst), 0).expect("in range");
        let options =
            SimulatorOptions { auto_consent, clock: Arc::new(clock), ..SimulatorOptions::default() };
        let simulator = Simulator::start(options).expect("started");
        // Nothing here speaks TLS, and to read the certificates of this machine takes longer than a test. A connection
        // that is kept can be closed by a busy simulator just when the next request is on its way.
        let http = reqwest::Client::builder().tls_certs_only([]).pool_max_idle_per_host(0);
        let http = http.redirect(redirect::Policy::none()).no_proxy().build().expect("a client");
        let deployment = Self { facts: Facts::read(name), simulator, seconds, http };
        deployment.set(&Value::Object(deployment.facts.settings.clone())).await;
        deployment
    }

    /// Changes settings of the site.
    pub(super) async fn set(&self, settings: &Value) {
        let path = format!("/control/sites/{}/settings", self.facts.site);
        let answer = self.send(self.to(Method::POST, &path).body(settings.to_string())).await;
        assert_eq!(answer.status, StatusCode::OK, "{settings}: {}", answer.body);
    }

    /// Decides for the person who would type the user code.
    pub(super) async fn decide(&self, user_code: &str, decision: &str) {
        let body = json!({ "userCode": user_code, "decision": decision });
        let answer = self.send(self.to(Method::POST, "/control/device").body(body.to_string())).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    }

    /// The time at the provider, in epoch seconds.
    pub(super) fn now(&self) -> i64 {
        self.seconds.load(Ordering::SeqCst)
    }

    /// Lets time pass.
    pub(super) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Where the simulator is.
    pub(super) fn origin(&self) -> &str {
        self.simulator.url()
    }

    /// A request that any provider takes, still without anything in it.
    pub(super) fn to(&self, method: Method, path: &str) -> RequestBuilder {
        let path = path.replace("{client_id}", CLIENT);
        self.http.request(method, format!("{}{path}", self.origin()))
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.text().await.expect("a body") }
    }

    /// Reads a document with an access token.
    pub(super) async fn get(&self, path: &str, access_token: &str) -> Answer {
        let request = self.to(Method::GET, path).header(AUTHORIZATION, format!("Bearer {access_token}"));
        self.send(request.header(USER_AGENT, "facts").header(ACCEPT, JSON)).await
    }

    /// Reads a page or a document as anybody may.
    pub(super) async fn get_anonymously(&self, path: &str) -> Answer {
        self.send(self.to(Method::GET, path).header(USER_AGENT, "facts")).await
    }

    /// Whether the API takes an access token.
    pub(super) async fn is_alive(&self, access_token: &str) -> bool {
        let row = &self.facts.access_token;
        let answer = self.get(&row.probe, access_token).await;
        match answer.status {
            StatusCode::OK => true,
            status => {
                assert_eq!(status, row.dead.status, "{}", answer.body);
                false
            }
        }
    }

    /// What a plain sign-in is.
    pub(super) fn visit(&self) -> Visit<'_> {
        Visit { scope: &self.facts.sign_in.scope, client: CLIENT, user: "1001", params: None }
    }

    /// What a sign-in is that gives a refresh token.
    pub(super) fn visit_for_refresh(&self) -> Visit<'_> {
        let scope = self.facts.refresh_token.scope.as_deref().unwrap_or(&self.facts.sign_in.scope);
        Visit { scope, ..self.visit() }
    }

    /// The parameters of a good authorization request.
    pub(super) fn authorize_params(&self, visit: Visit<'_>) -> Vec<(String, String)> {
        let usual = [
            ("response_type", "code"),
            ("client_id", visit.client),
            ("redirect_uri", REDIRECT_URI),
            ("scope", visit.scope),
            ("state", "s1"),
            ("nonce", "n1"),
            ("login_hint", visit.user),
        ];
        let proof = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        let named = self.facts.sign_in.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let more: Vec<_> = visit.params.map_or_else(|| named.collect(), <[_]>::to_vec);
        let all = usual.into_iter().chain(proof).chain(more);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(super) async fn authorize(&self, params: &[(String, String)]) -> Answer {
        let query = form(params.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.get_anonymously(&format!("{}?{query}", self.facts.authorize.path)).await
    }

    pub(super) async fn code(&self, visit: Visit<'_>) -> String {
        let answer = self.authorize(&self.authorize_params(visit)).await;
        assert!(answer.status.is_redirection(), "{}: {}", answer.status, answer.body);
        answer.redirect("code").unwrap_or_else(|| panic!("no code: {}", answer.header("location")))
    }

    /// The client as this deployment likes it best.
    pub(super) fn client<'a>(&self, id: &'a str) -> Presented<'a> {
        Presented { way: self.facts.token.client_authentication[0], id, secret: Some(SECRET) }
    }

    /// Sends a form with the client in it.
    pub(super) fn form(&self, path: &str, client: Presented<'_>, params: &[(&str, &str)]) -> RequestBuilder {
        self.form_by(Method::POST, path, client, params)
    }

    fn form_by(
        &self,
        method: Method,
        path: &str,
        client: Presented<'_>,
        params: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut params = params.to_vec();
        let mut request = self.to(method, path).header(USER_AGENT, "facts").header(CONTENT_TYPE, FORM);
        match client.way {
            Way::Body => {
                params.push(("client_id", client.id));
                params.extend(client.secret.map(|secret| ("client_secret", secret)));
            }
            Way::Basic => request = request.header(AUTHORIZATION, basic(client)),
            Way::None => {}
        }
        request.body(form(params))
    }

    /// Calls the token endpoint and asks for JSON.
    pub(super) async fn token(&self, client: Presented<'_>, params: &[(&str, &str)]) -> Answer {
        self.send(self.form(&self.facts.token.path, client, params).header(ACCEPT, JSON)).await
    }

    pub(super) async fn redeem(&self, client: Presented<'_>, code: &str) -> Answer {
        self.redeem_with(client, code, REDIRECT_URI, Some(VERIFIER)).await
    }

    pub(super) async fn redeem_with(
        &self,
        client: Presented<'_>,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
    ) -> Answer {
        let mut params =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        params.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        self.token(client, &params).await
    }

    pub(super) async fn sign_in(&self, visit: Visit<'_>) -> Tokens {
        let code = self.code(visit).await;
        Tokens::of(&self.redeem(self.client(visit.client), &code).await)
    }

    pub(super) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.refresh_as(self.client(CLIENT), refresh_token).await
    }

    pub(super) async fn refresh_as(&self, client: Presented<'_>, refresh_token: &str) -> Answer {
        let params = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("redirect_uri", REDIRECT_URI),
        ];
        self.token(client, &params).await
    }

    /// Whether a refresh token still works. A good answer may use it up.
    pub(super) async fn refreshes(&self, refresh_token: &str) -> bool {
        let answer = self.refresh(refresh_token).await;
        serde_json::from_str::<Value>(&answer.body).is_ok_and(|answer| answer["access_token"].is_string())
    }

    /// Makes a call that carries a token.
    pub(super) async fn carry(&self, call: &TokenCall, client: Presented<'_>, token: &str) -> Answer {
        let method = call.method.parse().expect("a method");
        let client = Presented { way: call.client_authentication, ..client };
        let request = match call.carries {
            Carries::Form => self.form_by(method, &call.path, client, &[("token", token)]),
            Carries::Bearer => self.to(method, &call.path).header(AUTHORIZATION, format!("Bearer {token}")),
            Carries::JsonAccessToken => self.json(call, client, &json!({ "access_token": token })),
            Carries::JsonCredentials => self.json(call, client, &json!({ "credentials": [token] })),
        };
        self.send(request).await
    }

    fn json(&self, call: &TokenCall, client: Presented<'_>, body: &Value) -> RequestBuilder {
        let request = self.to(call.method.parse().expect("a method"), &call.path);
        let request = request.header(USER_AGENT, "facts").header(ACCEPT, "application/vnd.github+json");
        let request =
            if client.way == Way::Basic { request.header(AUTHORIZATION, basic(client)) } else { request };
        request.header(CONTENT_TYPE, JSON).body(body.to_string())
    }
}

fn form<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

fn basic(client: Presented<'_>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", client.id, client.secret.unwrap_or_default())))
}
