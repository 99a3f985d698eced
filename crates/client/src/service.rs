//! A service, and who calls it.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::credentials::{Credentials, TokenSource};
use crate::error::reason;
use crate::{ClientError, Secret, ServiceUrl};

/// How long it takes to connect at most.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long a call takes at most that waits for nobody.
const CALL: Duration = Duration::from_secs(30);
/// Longer than the service lets anybody wait: a person may take their time.
const WAITING_CALL: Duration = Duration::from_secs(65 * 60);
/// How often a connection on which nothing happens is looked after.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A service, and who calls it.
pub struct Service {
    http: Client,
    url: ServiceUrl,
    token: Option<Secret>,
    /// Where the token is from; `None`: nobody has said.
    token_source: Option<TokenSource>,
}

/// How long an answer may take.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// Nobody has to do anything.
    Short,
    /// Until a person has done something.
    ForAPerson,
}

impl Service {
    /// A service that is called by nobody in particular.
    pub fn at(url: ServiceUrl) -> Result<Self, ClientError> {
        Ok(Self { http: client(&url)?, url, token: None, token_source: None })
    }

    /// A service that is called with an API token, one of an account or of an agent.
    pub fn with_token(url: ServiceUrl, token: Secret) -> Result<Self, ClientError> {
        Ok(Self { token: Some(token), ..Self::at(url)? })
    }

    /// A service that is called with these.
    pub fn with(credentials: Credentials) -> Result<Self, ClientError> {
        let Credentials { url, token, source } = credentials;
        Ok(Self { token_source: Some(source), ..Self::with_token(url, token)? })
    }

    /// Where it is.
    pub fn url(&self) -> &ServiceUrl {
        &self.url
    }

    pub(crate) async fn get(&self, url: Url, wait: Wait) -> Result<Answer, ClientError> {
        self.send(self.request(Method::GET, url), wait).await
    }

    pub(crate) async fn delete(&self, url: Url) -> Result<Answer, ClientError> {
        self.send(self.request(Method::DELETE, url), Wait::Short).await
    }

    pub(crate) async fn post(&self, url: Url) -> Result<Answer, ClientError> {
        self.send(self.request(Method::POST, url), Wait::Short).await
    }

    pub(crate) async fn post_json(
        &self,
        url: Url,
        body: &impl Serialize,
        wait: Wait,
    ) -> Result<Answer, ClientError> {
        let body = serde_json::to_string(body).map_err(|error| self.not_understood(error.to_string()))?;
        let request = self.request(Method::POST, url).header(CONTENT_TYPE, "application/json").body(body);
        self.send(request, wait).await
    }

    pub(crate) fn not_understood(&self, reason: impl Into<String>) -> ClientError {
        ClientError::NotUnderstood { url: self.url.clone(), reason: reason.into() }
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.token {
            // It is made here so that it is marked as a secret.
            Some(token) => request.bearer_auth(Zeroizing::new(token.expose().to_owned()).as_str()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder, wait: Wait) -> Result<Answer, ClientError> {
        let limit = match wait {
            Wait::Short => CALL,
            Wait::ForAPerson => WAITING_CALL,
        };
        let response = request.timeout(limit).send().await;
        let response = response
            .map_err(|error| ClientError::Unreachable { url: self.url.clone(), reason: reason(error) })?;
        let answer = Answer::read(&self.url, self.token_source, response).await?;
        if answer.status().is_redirection() {
            return Err(self.not_understood("it sends callers elsewhere"));
        }
        Ok(answer)
    }
}

/// It follows nobody anywhere with a token. Proxies are those of the environment; there is none before this machine itself.
#[expect(clippy::disallowed_methods, reason = "it calls the service itself, and no provider")]
fn client(url: &ServiceUrl) -> Result<Client, ClientError> {
    let builder = Client::builder()
        .user_agent(concat!("grantkeeper/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECTING)
        .tcp_keepalive(KEEPALIVE);
    let builder = if url.is_loopback() { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| ClientError::NoClient(reason(error)))
}
