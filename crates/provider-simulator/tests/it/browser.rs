//! A client and its user: speaks HTTP to a simulator and follows no redirects.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use grantkeeper_provider_simulator::{Settings, Simulator, SimulatorOptions};
use reqwest::{Method, Response, StatusCode, redirect};
use serde_json::Value;
use url::Url;

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:7/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn of(response: Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, body: response.text().await? })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// A parameter of the redirect.
    pub(crate) fn redirect(&self, name: &str) -> Option<String> {
        let location = Url::parse(self.header("location")).expect("a redirect");
        location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Tokens, when it is a successful answer of the token endpoint.
    pub(crate) fn token(&self, name: &str) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_owned()
    }
}

/// A simulator and a client of it.
pub(crate) struct Browser {
    pub(crate) simulator: Simulator,
    http: reqwest::Client,
}

/// A simulator that asks nobody.
pub(crate) fn open() -> Browser {
    open_with(SimulatorOptions { auto_consent: true, ..SimulatorOptions::default() })
}

/// A simulator that asks nobody, with these settings.
pub(crate) fn open_with_settings(settings: Settings) -> Browser {
    open_with(SimulatorOptions { auto_consent: true, settings, ..SimulatorOptions::default() })
}

pub(crate) fn open_with(options: SimulatorOptions) -> Browser {
    Browser { simulator: Simulator::start(options).expect("started"), http: http() }
}

#[expect(clippy::disallowed_methods, reason = "the test is a client of its own")]
fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().expect("a client")
}

/// The credentials of the client that all tests use, form-encoded as RFC 6749 section 2.3.1 wants them.
pub(crate) fn basic() -> String {
    format!("Basic {}", STANDARD.encode("client:client-secret"))
}

fn form(params: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

impl Browser {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.url())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.expect("an answer")
    }

    pub(crate) async fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        Answer::of(self.http.get(self.url(path)).send().await?).await
    }

    /// Sends a form with the client's credentials.
    pub(crate) async fn post(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        self.try_post(path, params).await.expect("an answer")
    }

    pub(crate) async fn try_post(&self, path: &str, params: &[(&str, &str)]) -> reqwest::Result<Answer> {
        let request = self.http.post(self.url(path)).header("authorization", basic());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::of(request.body(form(params)).send().await?).await
    }

    /// Sends a form without credentials.
    pub(crate) async fn post_anonymously(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let request =
            self.http.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        Answer::of(request.body(form(params)).send().await.expect("an answer")).await.expect("a body")
    }

    /// Sends whatever it is, with an `Authorization` header.
    pub(crate) async fn send(&self, method: Method, path: &str, authorization: &str, body: String) -> Answer {
        let request = self.http.request(method, self.url(path)).header("authorization", authorization);
        let request = request.header("user-agent", "a test").body(body);
        Answer::of(request.send().await.expect("an answer")).await.expect("a body")
    }

    /// Sends a body to the control plane.
    pub(crate) async fn control(&self, path: &str, body: impl ToString) -> Answer {
        let response = self.http.post(self.url(path)).body(body.to_string()).send().await;
        Answer::of(response.expect("an answer")).await.expect("a body")
    }

    /// Asks for authorization with PKCE.
    pub(crate) async fn authorize(&self, scope: &str, more: &[(&str, &str)]) -> Answer {
        let usual = [
            ("response_type", "code"),
            ("client_id", "client"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", scope),
            ("state", "s1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let query = form(&[&usual[..], more].concat());
        self.get(&format!("/authorize?{query}")).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        let params = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", &params).await
    }

    /// The answer with the tokens of a new authorization.
    pub(crate) async fn sign_in(&self, scope: &str) -> Answer {
        let code = self.authorize(scope, &[]).await.redirect("code").expect("a code");
        self.redeem(&code).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.try_refresh(refresh_token).await.expect("an answer")
    }

    pub(crate) async fn try_refresh(&self, refresh_token: &str) -> reqwest::Result<Answer> {
        let params = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.try_post("/token", &params).await
    }

    pub(crate) async fn userinfo(&self, access_token: &str) -> Answer {
        let request =
            self.http.get(self.url("/userinfo")).header("authorization", format!("Bearer {access_token}"));
        Answer::of(request.send().await.expect("an answer")).await.expect("a body")
    }
}
