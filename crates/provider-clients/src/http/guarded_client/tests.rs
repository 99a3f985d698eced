//! What is resolved and what is connected to, with a resolver that tells lies.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_testkit::FixedClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A name that resolves to something else each time.
struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

impl Rebinding {
    /// The addresses of one answer are separated by spaces.
    fn to(answers: &[&str]) -> Arc<Self> {
        let answer = |answer: &&str| answer.split_whitespace().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(answer).collect())))
    }

    fn answers_left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl Lookup for Rebinding {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.lock().unwrap().pop_front().ok_or(io::ErrorKind::NotFound.into())
    }
}

fn client_with(lookup: Arc<dyn Lookup>) -> GuardedClient {
    client_at(lookup, FixedClock::new())
}

/// It may call 127.0.0.1.
fn client_at(lookup: Arc<dyn Lookup>, clock: Arc<FixedClock>) -> GuardedClient {
    let policy = NetworkPolicy::new(vec!["127.0.0.1/32".parse().unwrap()], []);
    let surroundings = Surroundings { lookup, trusted: Some(Vec::new()) };
    GuardedClient::within_surroundings(policy, Limits::default(), "test", clock, surroundings).unwrap()
}

/// A client whose names resolve to these addresses, one answer after the other.
fn client(answers: &[&str]) -> GuardedClient {
    client_with(Rebinding::to(answers))
}

/// A server that counts its connections and, in each, the requests that it was sent.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// What to do after an answer.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Says that it closes the connection, and does.
    Close,
    /// Waits for the next request.
    Keep,
    /// Closes the connection without a word.
    Drop,
    /// Takes the next request, and closes the connection instead of an answer.
    DropNext,
}

impl Server {
    async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, then, Arc::clone(&requests)));
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://idp.example:{}/", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, then: Then, requests: Arc<Mutex<Vec<String>>>) {
    let mut answered = 0;
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut request).await, Ok(read) if read > 0) {
                return;
            }
        }
        requests.lock().unwrap().push(String::from_utf8(request).unwrap());
        if then == Then::DropNext && answered == 1 {
            return;
        }
        let close = if then == Then::Close { "connection: close\r\n" } else { "" };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{close}\r\n{{}}");
        let _ = stream.write_all(answer.as_bytes()).await;
        answered += 1;
        if matches!(then, Then::Close | Then::Drop) {
            return;
        }
    }
}

async fn get(client: &GuardedClient, url: &str) -> Result<u16, CallError> {
    let answer = client.send(Call::get_json(&Url::parse(url).unwrap())).await?;
    Ok(answer.status.as_u16())
}

const BLOCKED: Result<u16, CallError> = Err(CallError::Refused(Refusal::Address));

#[tokio::test]
async fn every_connection_is_judged_anew() {
    let server = Server::start(Then::Close).await;
    let client = client(&["127.0.0.1", "127.0.0.2", "10.0.0.1", "127.0.0.1"]);
    assert_eq!(get(&client, &server.url()).await, Ok(200));
    assert_eq!(get(&client, &server.url()).await, BLOCKED);
    assert_eq!(get(&client, &server.url()).await, Err(CallError::Refused(Refusal::PlainHttp)));
    assert_eq!(get(&client, &server.url()).await, Ok(200));
    assert_eq!(get(&client, &server.url()).await, Err(CallError::Connect), "no longer resolved");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn what_was_judged_is_what_is_connected_to() {
    let server = Server::start(Then::Close).await;
    // Whoever resolved a second time would get the second answer.
    let lookup = Rebinding::to(&["127.0.0.1", "127.0.0.2"]);
    assert_eq!(get(&client_with(lookup.clone()), &server.url()).await, Ok(200));
    assert_eq!(lookup.answers_left(), 1, "resolved once");
    let host = format!("host: idp.example:{}", server.port);
    assert!(server.requests()[0].lines().any(|line| line == host), "the name stays: {:?}", server.requests());
}

#[tokio::test]
async fn one_bad_address_among_good_ones_connects_to_none() {
    let server = Server::start(Then::Close).await;
    let client = client(&["127.0.0.1 127.0.0.2", "127.0.0.2 127.0.0.1", "127.0.0.1 ::ffff:169.254.169.254"]);
    assert_eq!(get(&client, &server.url()).await, BLOCKED);
    assert_eq!(get(&client, &server.url()).await, BLOCKED);
    assert_eq!(get(&client, &server.url()).await, Err(CallError::Refused(Refusal::PlainHttp)));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_without_addresses_is_not_reached() {
    assert_eq!(get(&client(&[""]), "https://idp.example/").await, Err(CallError::Connect));
}

#[tokio::test]
async fn a_connection_that_is_kept_stays_with_the_address_that_was_judged() {
    let server = Server::start(Then::Keep).await;
    let lookup = Rebinding::to(&["127.0.0.1", "127.0.0.2"]);
    let client = client_with(lookup.clone());
    for _ in 0..3 {
        assert_eq!(get(&client, &server.url()).await, Ok(200));
    }
    assert_eq!((server.connections(), lookup.answers_left()), (1, 1));
    // Another port is another connection.
    assert_eq!(get(&client, "http://idp.example:1/").await, BLOCKED);
}

#[tokio::test]
async fn a_connection_that_was_kept_and_closed_is_not_replaced_unjudged() {
    let server = Server::start(Then::Drop).await;
    let client = client(&["127.0.0.1", "127.0.0.2"]);
    assert_eq!(get(&client, &server.url()).await, Ok(200));
    let mut second = get(&client, &server.url()).await;
    if second == Err(CallError::Broken) {
        // The request was on its way when the end of the connection was seen.
        second = get(&client, &server.url()).await;
    }
    assert_eq!(second, BLOCKED);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_again() {
    let server = Server::start(Then::DropNext).await;
    // A second request with the same refresh token may cost the whole grant.
    let client = client(&["127.0.0.1", "127.0.0.1"]);
    assert_eq!(get(&client, &server.url()).await, Ok(200));
    assert_eq!(get(&client, &server.url()).await, Err(CallError::Broken));
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
}

#[tokio::test]
async fn plain_http_and_tls_do_not_share_what_they_may_call() {
    let server = Server::start(Then::Close).await;
    // Public: fine for https, nothing for plain http.
    let client = client(&["93.184.215.14", "10.0.0.1"]);
    assert_eq!(get(&client, "http://idp.example/").await, Err(CallError::Refused(Refusal::PlainHttp)));
    assert_eq!(get(&client, &format!("https://idp.example:{}/", server.port)).await, BLOCKED);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn literal_addresses_are_judged_without_resolving() {
    let server = Server::start(Then::Close).await;
    let port = server.port;
    let client = client(&[]);
    assert_eq!(get(&client, &format!("http://127.0.0.1:{port}/")).await, Ok(200));
    assert_eq!(get(&client, &format!("http://[::ffff:127.0.0.1]:{port}/")).await, Ok(200));
    for refused in ["http://127.0.0.2/", "http://[::1]/", "http://10.0.0.1/", "https://169.254.169.254/"] {
        assert!(matches!(get(&client, refused).await, Err(CallError::Refused(_))), "{refused}");
    }
    assert_eq!(server.connections(), 2);
}

/// A resolver that does not answer.
struct Silent;

#[async_trait]
impl Lookup for Silent {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_name_that_takes_too_long_to_resolve_is_given_up() {
    let clock = FixedClock::new();
    let client = client_at(Arc::new(Silent), clock.clone());
    let call = tokio::spawn(async move { get(&client, "https://idp.example/").await });
    clock.until_sleeping(1).await;
    clock.advance(Limits::default().document);
    assert_eq!(call.await.unwrap(), Err(CallError::Timeout));
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What is logged, above the level of debugging, while a client calls a URL with an access token.
    async fn of_call(client: &GuardedClient, url: &str) -> String {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        let call = Call::get_json(&Url::parse(url).unwrap());
        let call = call.bearer(&Secret::new("s3cret-token".to_owned())).unwrap();
        let guard = tracing::subscriber::set_default(subscriber);
        assert!(client.send(call).await.is_err());
        drop(guard);
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }
}

#[tokio::test]
async fn a_blocked_call_is_an_event_that_names_the_host_and_the_reason() {
    let client = client(&["127.0.0.1 10.0.0.7", "93.184.215.14"]);
    for (url, says) in [
        ("https://10.0.0.7/a?code=s3cret", r#"host="10.0.0.7" reason="address_refused""#),
        ("https://metadata.google.internal/", r#"host="metadata.google.internal" reason="address_refused""#),
        ("https://u:s3cret@idp.example/", r#"host="idp.example" reason="url_refused""#),
        ("ftp://idp.example/?s3cret", r#"host="idp.example" reason="url_refused""#),
        (
            "https://inside.example/s3cret",
            r#"host="inside.example" address=10.0.0.7 reason="address_refused""#,
        ),
        (
            "http://outside.example/?s3cret",
            r#"host="outside.example" address=93.184.215.14 reason="plain_http_refused""#,
        ),
    ] {
        let log = Log::of_call(&client, url).await;
        let event = " WARN grantkeeper_provider_clients::http::blocked: blocked a call to a provider ";
        assert_eq!(log, format!("{event}{says}\n"), "{url}");
    }
    let log = Log::of_call(&client, "https://nowhere.example/").await;
    assert_eq!(log, "", "a call that merely fails is none");
}
