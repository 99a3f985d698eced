//! Callers of the APIs, and a browser.

use grantkeeper_provider_simulator::Simulator;
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect};
use serde_json::{Value, json};

use crate::installation::Running;
use crate::waiting::eventually;

/// A client that follows no redirects.
#[expect(clippy::disallowed_methods, reason = "the tests are a client of the service, not a part of it")]
pub(crate) fn client() -> Client {
    Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap()
}

/// The same, calling from an address of this machine.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "the tests are a client of the service, not a part of it")]
pub(crate) fn client_at(address: std::net::Ipv4Addr) -> Client {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    client.local_address(std::net::IpAddr::from(address)).build().unwrap()
}

/// The same, with a new connection for each request.
#[expect(clippy::disallowed_methods, reason = "the tests are a client of the service, not a part of it")]
fn client_of_many() -> Client {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    client.pool_max_idle_per_host(0).build().unwrap()
}

/// A caller of the `external_oauth` API.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) token: String,
}

/// Where a flow of a caller's own page returns to; nothing has to listen there.
pub(crate) const OWN_PAGE: &str = "http://127.0.0.1:1/cb";

pub(crate) type Answer = (StatusCode, Value);

impl Caller {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        Self { http: client(), base: api_of(base), token: token.to_owned() }
    }

    /// The same caller at another process.
    pub(crate) fn at(&self, running: &Running) -> Self {
        Self { base: api_of(&running.base_url), ..self.clone() }
    }

    /// The same caller as one of many, each with a connection of their own.
    pub(crate) fn among_many(&self) -> Self {
        Self { http: client_of_many(), ..self.clone() }
    }

    /// A request with the caller's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        answer(self.request(Method::POST, path)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        answer(with_json(self.request(Method::POST, path), body)).await
    }

    pub(crate) async fn patch_json(&self, path: &str, body: &Value) -> Answer {
        answer(with_json(self.request(Method::PATCH, path), body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    /// Registers a provider; returns its id.
    pub(crate) async fn register(&self, kind: &str, host: Option<&str>, client: (&str, &str)) -> String {
        let mut body = json!({ "name": "E2E", "type": kind, "clientId": client.0, "clientSecret": client.1 });
        if let Some(host) = host {
            body["host"] = json!(host);
        }
        let (status, provider) = self.post_json("/providers/", &body).await;
        assert_eq!(status, StatusCode::CREATED, "{provider}");
        provider["id"].as_str().unwrap().to_owned()
    }

    /// Registers a simulated provider as one of OpenID Connect; returns its id.
    pub(crate) async fn register_simulated(&self, upstream: &Simulator) -> String {
        self.register("oidc", Some(upstream.url()), ("any", "secret")).await
    }

    /// Starts a flow that returns to [`OWN_PAGE`]; returns the provider's page.
    pub(crate) async fn start_flow(&self, provider: &str) -> String {
        let (status, started) =
            self.post(&format!("/providers/{provider}/authorize/?redirect_uri={OWN_PAGE}")).await;
        assert_eq!(status, StatusCode::OK, "{started}");
        started["redirectUrl"].as_str().unwrap().to_owned()
    }

    /// Brings what the provider sent back.
    pub(crate) async fn complete(&self, provider: &str, location: &str) -> Answer {
        let location = url::Url::parse(location).unwrap();
        let parameter = |name: &str| {
            location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let body = json!({
            "providerId": provider,
            "code": parameter("code").unwrap_or_else(|| panic!("no code in {location}")),
            "state": parameter("state").unwrap(),
        });
        self.post_json("/providers/callback/", &body).await
    }

    /// A whole flow at a provider that approves at once; returns the authorization's id.
    pub(crate) async fn authorize_unattended(&self, provider: &str) -> String {
        let page = self.start_flow(provider).await;
        self.come_back_from(provider, &page).await
    }

    /// The same as somebody: their name is the `sub` that the simulated provider tells.
    pub(crate) async fn authorize_as(&self, provider: &str, person: &str) -> String {
        let page = self.start_flow(provider).await;
        self.come_back_from(provider, &format!("{page}&login_hint={person}")).await
    }

    async fn come_back_from(&self, provider: &str, page: &str) -> String {
        let location = approve(&self.http, page).await;
        // Whoever has waited long enough is told the outcome when they come again.
        let (status, completed) = eventually("the exchange", async || {
            let answer = self.complete(provider, &location).await;
            (answer.0 != StatusCode::BAD_GATEWAY).then_some(answer)
        })
        .await;
        assert_eq!(status, StatusCode::OK, "{completed}");
        completed["authorizedProvider"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn access_token(&self, authorization: &str, query: &str) -> Answer {
        answer(self.request_for_token(authorization, query)).await
    }

    pub(crate) fn request_for_token(&self, authorization: &str, query: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/authorizedProviders/{authorization}/accessToken/{query}"))
    }

    /// An access token, which has to be had.
    pub(crate) async fn lent(&self, authorization: &str, query: &str) -> String {
        let (status, lent) = self.access_token(authorization, query).await;
        assert_eq!(status, StatusCode::CREATED, "{lent}");
        lent["accessToken"].as_str().unwrap().to_owned()
    }

    /// Asks for the deletion of a provider; returns where its job can be seen.
    pub(crate) async fn delete_provider(&self, provider: &str) -> String {
        let (status, accepted) = self.delete(&format!("/providers/{provider}/")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        path_of_job(&accepted)
    }

    /// Asks for statistics; returns where the job can be seen.
    pub(crate) async fn count_things(&self) -> String {
        let (status, accepted) = self.post_json("/jobs/", &json!({ "type": "STATS" })).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        path_of_job(&accepted)
    }

    /// A job when it has ended.
    pub(crate) async fn finished(&self, job: &str) -> Value {
        eventually("the job to end", async || {
            let (_, job) = self.get(job).await;
            job["finishedAt"].is_string().then_some(job)
        })
        .await
    }
}

/// Where the browser is sent from the page of a provider that approves at once.
pub(crate) async fn approve(http: &Client, page: &str) -> String {
    let approved = http.get(page).send().await.unwrap();
    approved.headers()["location"].to_str().unwrap().to_owned()
}

/// A part of a job's report.
pub(crate) fn detail(job: &Value, name: &str) -> Value {
    let details = job["details"].as_array().unwrap();
    let found = details.iter().find(|detail| detail["name"] == name).unwrap();
    serde_json::from_str(found["value"].as_str().unwrap()).unwrap()
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    (status, if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() })
}

fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

fn api_of(base_url: &str) -> String {
    format!("{base_url}/api/v2/externalOAuth")
}

fn path_of_job(accepted: &Value) -> String {
    accepted["location"].as_str().unwrap().split("/externalOAuth").nth(1).unwrap().to_owned()
}
