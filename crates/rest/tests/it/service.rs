//! The service under test.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use actix_web::web::Data;
use async_trait::async_trait;
use grantkeeper_domain::accounts::{Account, Organization, Role, TokenReach};
use grantkeeper_domain::login::{
    LoginProviderSettings, LoginRedirects, LoginSettings, NewAccounts, RedirectOrigin,
};
use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::revocations::ClaimedRevocations;
use grantkeeper_domain::tokens::{HandOutRecord, TokenSettings};
use grantkeeper_domain::{BackgroundTasks, Ports, Settings, UseCases};
use grantkeeper_rest::{Api, LimitSettings, Readiness, RestSettings, app};
use grantkeeper_testkit::scripted_provider::ScriptedProvider;
use grantkeeper_testkit::{FixedClock, SeededRandom, TestSealer};
use serde_json::Value;

use crate::described::{check_answer, check_body};

pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:8080";
pub(crate) const BASE: &str = "/api/v2/externalOAuth";
pub(crate) const EXTERNAL_AUTH: &str = "/api/v2/external-auth";
pub(crate) const AGENT_CALL: &str = "/api/v2/workspaceagents/me/external-auth";
/// How long a call waits for a link.
pub(crate) const LINK_WAIT: Duration = Duration::from_secs(300);

/// The service over an in-memory store, with two organizations and a provider that a test scripts.
pub(crate) struct Service {
    pub(crate) api: Data<Api>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) provider: ScriptedProvider,
    pub(crate) use_cases: UseCases,
    pub(crate) ports: Ports,
    /// An administrator's API token.
    pub(crate) admin: String,
    /// A member's of the same organization.
    pub(crate) member: String,
    /// Another member's of the same organization.
    pub(crate) colleague: String,
    /// An administrator's of another organization.
    pub(crate) stranger: String,
}

/// An answer of the service.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

struct AlwaysReady;

#[async_trait]
impl Readiness for AlwaysReady {
    async fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::with(true).await
    }

    pub(crate) async fn with(asks_people: bool) -> Self {
        Self::set_up(asks_people, login_settings()).await
    }

    /// The same with other rules for logins.
    pub(crate) async fn with_logins(login: LoginSettings) -> Self {
        Self::set_up(true, login).await
    }

    /// The same over other use cases.
    pub(crate) fn over(self, use_cases: UseCases) -> Self {
        let api = Api::new(&self.ports, use_cases.clone(), Arc::new(AlwaysReady), rest_settings());
        Self { api: Data::new(api), use_cases, ..self }
    }

    async fn set_up(asks_people: bool, login: LoginSettings) -> Self {
        let clock = FixedClock::new();
        let provider = ScriptedProvider::new();
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            clients: Arc::new(provider.clone()),
            sealer: Arc::new(TestSealer::new()),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            tasks: BackgroundTasks::on_current_runtime(),
        };
        let use_cases = UseCases::over(&ports, &settings(asks_people, login));
        let rest = RestSettings { asks_people, ..rest_settings() };
        let api = Data::new(Api::new(&ports, use_cases.clone(), Arc::new(AlwaysReady), rest));
        let organization = use_cases.create_organization.run("Acme").await.unwrap();
        let others = use_cases.create_organization.run("Others").await.unwrap();
        let admin = token(&use_cases, &organization, "admin@acme.example", Role::Admin).await;
        let member = token(&use_cases, &organization, "member@acme.example", Role::Member).await;
        let colleague = token(&use_cases, &organization, "colleague@acme.example", Role::Member).await;
        let stranger = token(&use_cases, &others, "admin@others.example", Role::Admin).await;
        Self { api, clock, provider, use_cases, ports, admin, member, colleague, stranger }
    }

    /// The same, reached at another origin.
    pub(crate) fn reached_at(self, public_url: &str) -> Self {
        self.set_up_as(RestSettings { public_url: public_url.to_owned(), ..rest_settings() })
    }

    /// The same, and callers of `external_auth` may put their tokens into the query.
    pub(crate) fn with_tokens_in_query(self) -> Self {
        self.set_up_as(RestSettings { tokens_in_query: true, ..rest_settings() })
    }

    fn set_up_as(self, rest: RestSettings) -> Self {
        let api = Data::new(Api::new(&self.ports, self.use_cases.clone(), Arc::new(AlwaysReady), rest));
        Self { api, ..self }
    }

    /// The same with limits, and behind proxies.
    pub(crate) fn limited(self, limits: LimitSettings, proxies: &[&str]) -> Self {
        let trusted_proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
        self.set_up_as(RestSettings { limits, trusted_proxies, ..rest_settings() })
    }

    /// Sends a request as it is. The answer has to be one that the API's description has.
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        self.send_from("127.0.0.1", request).await
    }

    /// Sends a request over a connection from that address.
    pub(crate) async fn send_from(&self, peer: &str, request: TestRequest) -> Answer {
        let service = actix_web::test::init_service(app(self.api.clone())).await;
        let peer: IpAddr = peer.parse().unwrap();
        let request = request.peer_addr((peer, 40_000).into()).to_request();
        let (called, path) = (request.method().clone(), request.path().to_owned());
        let response = actix_web::test::call_service(&service, request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = actix_web::test::read_body(response).await;
        let answer = Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() };
        check_answer(called.as_str(), &path, &answer);
        answer
    }

    /// Calls the `external_oauth` API with a token and maybe a JSON body.
    pub(crate) async fn call(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = TestRequest::default()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(&format!("{BASE}{path}"))
            .insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
        if let Some(body) = &body {
            request = request.set_json(body);
        }
        let answer = self.send(request).await;
        if let Some(body) = body {
            check_body(method, &format!("{BASE}{path}"), &body, answer.status);
        }
        answer
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, "GET", path, None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str) -> Answer {
        self.call(token, "POST", path, None).await
    }

    /// Registers a provider of type `oidc`.
    pub(crate) async fn register(&self) -> String {
        let answer = self.call(&self.admin, "POST", "/providers/", Some(new_provider())).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.text("id")
    }

    /// Starts a flow of the member with a page of their own; returns the state.
    pub(crate) async fn start_flow(&self, token: &str, provider: &str) -> String {
        let path = format!("/providers/{provider}/authorize/?redirect_uri=http://127.0.0.1:9999/cb");
        self.post(token, &path).await.text("state")
    }

    pub(crate) async fn callback(&self, token: &str, provider: &str, code: &str, state: &str) -> Answer {
        let body = serde_json::json!({ "providerId": provider, "code": code, "state": state });
        self.call(token, "POST", "/providers/callback/", Some(body)).await
    }

    /// Authorizes at a provider; returns the authorization's id.
    pub(crate) async fn authorize(&self, token: &str, provider: &str) -> String {
        let state = self.start_flow(token, provider).await;
        let answer = self.callback(token, provider, &format!("code for {state}"), &state).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["authorizedProvider"]["id"].as_str().unwrap().to_owned()
    }

    /// Lets all that goes on behind the answers so far come to its end, so that nobody sleeps but those whom a test has begun.
    pub(crate) async fn settle(&self) {
        self.ports.tasks.drain().await;
    }

    /// A token of an agent of the account with that address.
    pub(crate) async fn agent_of(&self, email: &str) -> String {
        let accounts = self.ports.store.accounts_with_email(email).await.unwrap();
        let issued =
            self.use_cases.issue_api_token.run(accounts[0].id, TokenReach::Agent, None).await.unwrap();
        issued.secret.expose().to_owned()
    }

    /// Lets the worker do all that is due.
    pub(crate) async fn run_workers(&self) {
        use grantkeeper_domain::jobs::JobRun;
        while self.use_cases.run_next_job.run().await.unwrap() != JobRun::Idle {}
        while self.use_cases.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap() > 0 {}
    }

    /// What an answer is like, for a snapshot.
    pub(crate) async fn told(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> String {
        let sent = body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
        let answer = self.call(token, method, path, body).await;
        format!("{method} {path}{sent}\n{}\n", answer.render())
    }
}

async fn token(use_cases: &UseCases, organization: &Organization, email: &str, role: Role) -> String {
    let account: Account = use_cases.create_account.run(organization.id, email, role).await.unwrap();
    let issued = use_cases.issue_api_token.run(account.id, TokenReach::Account, None).await.unwrap();
    issued.secret.expose().to_owned()
}

/// How the use cases are set up.
pub(crate) fn settings(asks_people: bool, login: LoginSettings) -> Settings {
    Settings {
        public_url: PUBLIC_URL.to_owned(),
        tokens: TokenSettings::default(),
        asks_people,
        link_wait: LINK_WAIT,
        login,
        hand_out_record: HandOutRecord::BeforeRelease,
        holder: "test".to_owned(),
    }
}

fn rest_settings() -> RestSettings {
    RestSettings {
        public_url: PUBLIC_URL.to_owned(),
        session_cookie: "coder_session_token".to_owned(),
        trusted_proxies: Vec::new(),
        tokens_in_query: false,
        asks_people: true,
        limits: LimitSettings::default(),
    }
}

/// Everybody signs in at the provider with the slug `example`, which is called `github` here.
pub(crate) fn login_settings() -> LoginSettings {
    LoginSettings {
        providers: vec![LoginProviderSettings {
            name: "github".to_owned(),
            organization: "Acme".to_owned(),
            provider: "example".to_owned(),
            scopes: None,
            new_accounts: NewAccounts::Anyone,
            foreign_tokens: false,
        }],
        device_provider: Some("github".to_owned()),
        token_lifetime: Duration::from_secs(90 * 24 * 3600),
        redirects: LoginRedirects::new(vec![RedirectOrigin::parse("https://golem.cloud").unwrap()]),
        asks_people: true,
    }
}

pub(crate) fn new_provider() -> Value {
    serde_json::json!({
        "name": "Example",
        "type": "oidc",
        "clientId": "client-1",
        "clientSecret": "the client secret",
        "host": grantkeeper_testkit::scripted_provider::ISSUER,
    })
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// A member of the JSON object that is a string.
    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {self:?}")).to_owned()
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, the headers that belong to the contract, and the body.
    pub(crate) fn render(&self) -> String {
        let mut told = format!("→ {}\n", self.status);
        for name in [
            header::CONTENT_TYPE,
            header::LOCATION,
            header::ALLOW,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
        ] {
            if self.headers.contains_key(&name) {
                told.extend(["  ", name.as_str(), ": ", self.header(name.clone()), "\n"]);
            }
        }
        if !self.body.is_empty() {
            told += &serde_json::to_string_pretty(&self.json()).unwrap();
            told.push('\n');
        }
        told
    }
}
