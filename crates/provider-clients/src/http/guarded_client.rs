//! The HTTP client itself: limits in time and size, no redirects, no cookies, no proxies, no decompression.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_domain::services::{Clock, within};
use reqwest::{Client, ClientBuilder, Response, redirect};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

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

/// Shorter than what servers commonly allow, so that a request is not lost on a connection that the server is just
/// closing: a lost refresh costs a rotated token.
const POOL_IDLE: Duration = Duration::from_secs(15);

impl GuardedClient {
    /// Sets it up on the tokio runtime that calls this.
    pub(crate) fn new(
        policy: NetworkPolicy,
        limits: Limits,
        user_agent: &str,
        clock: Arc<dyn Clock>,
    ) -> reqwest::Result<Self> {
        Self::with_lookup(policy, limits, user_agent, clock, &(Arc::new(SystemLookup) as _))
    }

    fn with_lookup(
        policy: NetworkPolicy,
        limits: Limits,
        user_agent: &str,
        clock: Arc<dyn Clock>,
        lookup: &Arc<dyn Lookup>,
    ) -> reqwest::Result<Self> {
        let policy = Arc::new(policy);
        let resolver = |transport| GuardedResolver {
            lookup: Arc::clone(lookup),
            policy: Arc::clone(&policy),
            transport,
        };
        let tls =
            builder(&limits, user_agent).https_only(true).dns_resolver(resolver(Transport::Tls)).build()?;
        // It never speaks TLS, so it need not load the machine's CA certificates a second time.
        let plain = builder(&limits, user_agent)
            .tls_certs_only([])
            .dns_resolver(resolver(Transport::Plain))
            .build()?;
        Ok(Self { tls, plain, policy, limits, clock, runtime: Handle::current() })
    }

    /// The present time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether a URL might be called, as far as can be told before its name is resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refusal> {
        self.policy.check(url).map(|_| ())
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
        let client = match self.policy.check(&call.url)? {
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
mod tests {
    use std::io;
    use std::net::IpAddr;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use grantkeeper_testkit::FixedClock;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A name that resolves to something else each time.
    struct Rebinding(Mutex<Vec<IpAddr>>);

    #[async_trait]
    impl Lookup for Rebinding {
        async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let next = self.0.lock().unwrap().pop().ok_or(io::ErrorKind::NotFound)?;
            Ok(vec![next])
        }
    }

    /// A client that may call 127.0.0.1, and the addresses that every name resolves to, one after the other.
    fn client(addresses: &[&str]) -> GuardedClient {
        let policy = NetworkPolicy::new(vec!["127.0.0.1/32".parse().unwrap()], []);
        let lookup =
            Rebinding(Mutex::new(addresses.iter().rev().map(|text| text.parse().unwrap()).collect()));
        let clock = FixedClock::new();
        GuardedClient::with_lookup(policy, Limits::default(), "test", clock, &(Arc::new(lookup) as _))
            .unwrap()
    }

    /// Answers every connection once with `{}` and counts them.
    async fn server() -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                    .await;
            }
        });
        (port, hits)
    }

    async fn get(client: &GuardedClient, url: &str) -> Result<u16, CallError> {
        let answer = client.send(Call::get_json(&Url::parse(url).unwrap())).await?;
        Ok(answer.status.as_u16())
    }

    #[tokio::test]
    async fn every_connection_is_judged_anew() {
        let (port, hits) = server().await;
        let client = client(&["127.0.0.1", "127.0.0.2", "10.0.0.1", "127.0.0.1"]);
        let url = format!("http://idp.example:{port}/");
        assert_eq!(get(&client, &url).await, Ok(200));
        assert_eq!(get(&client, &url).await, Err(CallError::Refused(Refusal::Address)));
        assert_eq!(get(&client, &url).await, Err(CallError::Refused(Refusal::PlainHttp)));
        assert_eq!(get(&client, &url).await, Ok(200));
        assert_eq!(get(&client, &url).await, Err(CallError::Connect), "no longer resolved");
        assert_eq!(hits.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn plain_http_and_tls_do_not_share_what_they_may_call() {
        let (port, hits) = server().await;
        // Public: fine for https, nothing for plain http.
        let client = client(&["93.184.215.14", "10.0.0.1"]);
        assert_eq!(get(&client, "http://idp.example/").await, Err(CallError::Refused(Refusal::PlainHttp)));
        let https = format!("https://idp.example:{port}/");
        assert_eq!(get(&client, &https).await, Err(CallError::Refused(Refusal::Address)));
        assert_eq!(hits.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn literal_addresses_are_judged_without_resolving() {
        let (port, hits) = server().await;
        let client = client(&[]);
        assert_eq!(get(&client, &format!("http://127.0.0.1:{port}/")).await, Ok(200));
        assert_eq!(get(&client, &format!("http://[::ffff:127.0.0.1]:{port}/")).await, Ok(200));
        for refused in ["http://127.0.0.2/", "http://[::1]/", "http://10.0.0.1/", "https://169.254.169.254/"]
        {
            assert!(matches!(get(&client, refused).await, Err(CallError::Refused(_))), "{refused}");
        }
        assert_eq!(hits.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn tls_is_spoken_where_https_is_said() {
        let (port, hits) = server().await;
        assert_eq!(get(&client(&[]), &format!("https://127.0.0.1:{port}/")).await, Err(CallError::Connect));
        assert_eq!(hits.load(Ordering::SeqCst), 1, "connected, and found no TLS");
    }
}
