//! Callers of the APIs, and a browser.

use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde_json::{Value, json};

/// A client that follows no redirects.
#[expect(clippy::disallowed_methods, reason = "the tests are a client of the service, not a part of it")]
pub(crate) fn client() -> Client {
    Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap()
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
        Self { http: client(), base: format!("{base}/api/v2/externalOAuth"), token: token.to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(self.http.post(format!("{}{path}", self.base))).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).body(body.to_string());
        self.send(request.header("content-type", "application/json")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.http.delete(format!("{}{path}", self.base))).await
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        let status = response.status();
        let body = response.text().await.unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() })
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
        let approved = self.http.get(page).send().await.unwrap();
        let location = approved.headers()["location"].to_str().unwrap().to_owned();
        let (status, completed) = self.complete(provider, &location).await;
        assert_eq!(status, StatusCode::OK, "{completed}");
        completed["authorizedProvider"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn access_token(&self, authorization: &str, query: &str) -> Answer {
        self.post(&format!("/authorizedProviders/{authorization}/accessToken/{query}")).await
    }
}
