//! The HTTP client itself: limits in time and size, no redirects, no cookies, no proxies, no decompression.
//!
//! It asks for no compression, and bodies are read as they come: one that is compressed all the same is nonsense to
//! whoever reads it, and cannot unpack to more than was sent.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_domain::services::{Clock, within};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, ClientBuilder, Response, redirect, tls};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::blocked;
use super::call::AnswerSize;
use super::network_policy::{NetworkPolicy, Refusal, Transport};
use super::resolver::{GuardedResolver, Lookup, SystemLookup};
use super::{Answer, Call};
use crate::failure::unavailable;
use crate::settings::Limits;

/// Calls providers.
#[derive(Clone)]
pub(crate) struct GuardedClient {
    /// For https, and nothing else.
    tls: Client,
    /// For http to loopback addresses. It has a resolver of its own, which knows that nothing else will do.
    plain: Client,
    policy: Arc<NetworkPolicy>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    runtime: Handle,
}

/// What a client relies on; tests put something else in its place.
struct Surroundings {
    lookup: Arc<dyn Lookup>,
    /// The certificates that are trusted; `None`: those of the machine.
    trusted: Option<Vec<Certificate>>,
}

impl Surroundings {
    fn of_this_machine() -> Self {
        Self { lookup: Arc::new(SystemLookup), trusted: None }
    }
}

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// It was not made.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The name was not resolved, or nobody took the connection. The request was not sent.
    #[error("cannot be reached")]
    Connect,
    /// It took too long.
    #[error("did not answer in time")]
    Timeout,
    /// The connection ended before the answer did.
    #[error("broke the connection")]
    Broken,
    /// The answer was larger than allowed.
    #[error("gave an answer that is too large")]
    TooLarge,
}

impl CallError {
    fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Connect => "connection_failed",
            Self::Timeout => "timeout",
            Self::Broken => "connection_broken",
            Self::TooLarge => "answer_too_large",
        }
    }
}

impl From<CallError> for UpstreamError {
    fn from(error: CallError) -> Self {
        unavailable(error.code())
    }
}

/// Shorter than what servers commonly allow (5 s is not rare), so that a request is not lost on a connection that the server is just
/// closing: a lost refresh costs a rotated token.
const POOL_IDLE: Duration = Duration::from_secs(2);

/// The most header fields of an answer.
const MOST_HEADERS: usize = 100;

/// The largest header of an answer, names and values together, in bytes. What HTTP/1 reads until it knows is bounded
/// by the library's buffer of 400 KiB.
const HEADER_BYTES: u32 = 64 * 1024;

impl GuardedClient {
    /// Sets it up on the tokio runtime that calls this.
    pub(crate) fn new(
        policy: NetworkPolicy,
        limits: Limits,
        user_agent: &str,
        clock: Arc<dyn Clock>,
    ) -> reqwest::Result<Self> {
        Self::within_surroundings(policy, limits, user_agent, clock, Surroundings::of_this_machine())
    }

    fn within_surroundings(
        policy: NetworkPolicy,
        limits: Limits,
        user_agent: &str,
        clock: Arc<dyn Clock>,
        Surroundings { lookup, trusted }: Surroundings,
    ) -> reqwest::Result<Self> {
        let policy = Arc::new(policy);
        let resolver = |transport| GuardedResolver {
            lookup: Arc::clone(&lookup),
            policy: Arc::clone(&policy),
            transport,
        };
        let tls = builder(&limits, user_agent)
            .https_only(true)
            .tls_version_min(tls::Version::TLS_1_2)
            .dns_resolver(resolver(Transport::Tls));
        let tls = match trusted {
            Some(certificates) => tls.tls_certs_only(certificates),
            None => tls,
        };
        // It never speaks TLS, so it need not load the machine's CA certificates a second time.
        let plain = builder(&limits, user_agent)
            .tls_certs_only([])
            .dns_resolver(resolver(Transport::Plain))
            .build()?;
        Ok(Self { tls: tls.build()?, plain, policy, limits, clock, runtime: Handle::current() })
    }

    /// The present time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Waits, by the same clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// What comes of something within a time; `None`: it is not done by then.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        future: impl Future<Output = T> + Send,
    ) -> Option<T> {
        within(&self.clock, limit, future).await
    }

    /// What comes of something in the time that a call for a document may take; `None`: it is not done by then.
    pub(crate) async fn within_document_limit<T>(&self, future: impl Future<Output = T> + Send) -> Option<T> {
        self.within(self.limits.document, future).await
    }

    /// Whether a URL might be called, as far as can be told before its name is resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refusal> {
        self.transport(url).map(|_| ())
    }

    fn transport(&self, url: &Url) -> Result<Transport, Refusal> {
        let host = url.host_str().unwrap_or_default();
        self.policy.check(url).inspect_err(|refusal| blocked::report(host, None, *refusal))
    }

    /// Makes a call and reads the whole answer.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, CallError> {
        let (method, host) = (call.method.clone(), call.url.host_str().unwrap_or_default().to_owned());
        let limit = match call.size {
            AnswerSize::Token => self.limits.request,
            AnswerSize::Document => self.limits.document,
        };
        let result =
            within(&self.clock, limit, self.on_own_runtime(call)).await.unwrap_or(Err(CallError::Timeout));
        match &result {
            Ok(answer) => {
                tracing::debug!(%method, host, status = answer.status.as_u16(), "called a provider");
            }
            Err(error) => tracing::debug!(%method, host, error = error.code(), "called a provider in vain"),
        }
        result
    }

    /// A pooled connection lives on the runtime that opened it, and a web worker's runtime ends before the refreshes
    /// that outlive it. So all calls are made on the runtime that this client was set up on. The call ends with the
    /// future that waits for it.
    async fn on_own_runtime(&self, call: Call) -> Result<Answer, CallError> {
        let mut calls = JoinSet::new();
        calls.spawn_on(self.clone().exchange(call).in_current_span(), &self.runtime);
        match calls.join_next().await {
            Some(Ok(result)) => result,
            // The runtime is shutting down, or the call has panicked.
            Some(Err(_)) | None => Err(CallError::Broken),
        }
    }

    async fn exchange(self, call: Call) -> Result<Answer, CallError> {
        let client = match self.transport(&call.url)? {
            Transport::Tls => &self.tls,
            Transport::Plain => &self.plain,
        };
        let limit = match call.size {
            AnswerSize::Token => self.limits.token_answer,
            AnswerSize::Document => self.limits.answer,
        };
        let mut request = client.request(call.method, call.url).headers(call.headers);
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|error| call_error(&error))?;
        if header_bytes(response.headers()) > HEADER_BYTES as usize {
            return Err(CallError::TooLarge);
        }
        let body = read_body(&mut response, limit).await?;
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}

/// What both clients have in common. Cookies and decompression are not even compiled in.
#[expect(clippy::disallowed_methods, reason = "this is the one guarded client")]
fn builder(limits: &Limits, user_agent: &str) -> ClientBuilder {
    Client::builder()
        .user_agent(user_agent)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(limits.connect)
        .pool_idle_timeout(POOL_IDLE)
        .http1_max_headers(MOST_HEADERS)
        .http2_max_header_list_size(HEADER_BYTES)
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

async fn read_body(response: &mut Response, limit: usize) -> Result<Zeroizing<Vec<u8>>, CallError> {
    let fits = |length: u64| usize::try_from(length).is_ok_and(|length| length <= limit);
    if !response.content_length().is_none_or(fits) {
        return Err(CallError::TooLarge);
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| call_error(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reduces an error to its kind: its text would repeat the URL.
fn call_error(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return CallError::Refused(*refusal);
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        CallError::Timeout
    } else if error.is_connect() {
        CallError::Connect
    } else {
        CallError::Broken
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
