//! A caller of the `external_auth` API.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::callers::{Answer, answer, client};
use crate::installation::Running;
#[cfg(target_os = "linux")]
use {crate::callers::client_at, std::net::Ipv4Addr};

/// One who calls with a token, as the command line and the workspace agent send it.
#[derive(Clone)]
pub(crate) struct LinkClient {
    http: Client,
    pub(crate) site: String,
    token: String,
}

impl LinkClient {
    pub(crate) fn at(site: &str, token: &str) -> Self {
        Self { http: client(), site: site.to_owned(), token: token.to_owned() }
    }

    /// The same caller at another process.
    pub(crate) fn at_process(&self, running: &Running) -> Self {
        Self::at(&running.base_url, &self.token)
    }

    /// The same caller at an address of this machine.
    #[cfg(target_os = "linux")]
    pub(crate) fn calling_from(&self, address: Ipv4Addr) -> Self {
        Self { http: client_at(address), ..self.clone() }
    }

    /// A request with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v2/{path}", self.site);
        self.http.request(method, url).header("Coder-Session-Token", &self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    /// The providers and the links.
    pub(crate) async fn list(&self) -> Value {
        let (status, list) = self.get("external-auth").await;
        assert_eq!(status, StatusCode::OK, "{list}");
        list
    }

    /// One provider's link.
    pub(crate) async fn view(&self, provider: &str) -> Value {
        let (status, view) = self.get(&format!("external-auth/{provider}")).await;
        assert_eq!(status, StatusCode::OK, "{view}");
        view
    }

    pub(crate) async fn unlink(&self, provider: &str) -> Answer {
        answer(self.request(Method::DELETE, &format!("external-auth/{provider}"))).await
    }

    /// What a machine asks with, such as `id=github&match=`.
    pub(crate) fn request_access(&self, query: &str) -> RequestBuilder {
        self.request(Method::GET, &format!("workspaceagents/me/external-auth?{query}"))
    }

    pub(crate) async fn access(&self, query: &str) -> Answer {
        answer(self.request_access(query)).await
    }

    /// An access token, which has to be had.
    pub(crate) async fn lent(&self, query: &str) -> String {
        let (status, access) = self.access(query).await;
        assert_eq!(status, StatusCode::OK, "{access}");
        access["access_token"].as_str().unwrap_or_else(|| panic!("no token in {access}")).to_owned()
    }
}
