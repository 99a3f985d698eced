//! TLS and HTTP/2 with servers that are not who they say, or do what they should not.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use grantkeeper_testkit::FixedClock;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Any name is on this machine, as often as is said here; then it is on another.
struct Here(Mutex<usize>);

#[async_trait]
impl Lookup for Here {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut times = self.0.lock().unwrap();
        if *times == 0 {
            return Ok(vec![IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))]);
        }
        *times -= 1;
        Ok(vec![LOOPBACK])
    }
}

fn client(trusted: Option<Vec<Certificate>>, times: usize, limits: Limits) -> GuardedClient {
    let policy = NetworkPolicy::new(vec![LOOPBACK.into()], []);
    let surroundings = Surroundings { lookup: Arc::new(Here(Mutex::new(times))), trusted };
    GuardedClient::within_surroundings(policy, limits, "test", FixedClock::new(), surroundings).unwrap()
}

/// The status and the length of the body.
async fn get(client: &GuardedClient, url: &str) -> Result<(u16, usize), CallError> {
    let answer = client.send(Call::get_json(&Url::parse(url).unwrap())).await?;
    Ok((answer.status.as_u16(), answer.body.len()))
}

/// A server without TLS; what it is sent first is kept, and it answers with these bytes.
async fn raw_server(answer: &'static [u8]) -> (u16, tokio::sync::oneshot::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, hello) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut record = vec![0; 5];
        stream.read_exact(&mut record).await.unwrap();
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + length, 0);
        stream.read_exact(&mut record[5..]).await.unwrap();
        let _ = seen.send(record);
        let _ = stream.write_all(answer).await;
        // Until the client hangs up.
        while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
    });
    (port, hello)
}

/// The extensions of a `ClientHello` (RFC 8446, 4.1.2 and 4.2).
fn extensions(record: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |number, &byte| number << 8 | usize::from(byte));
    assert_eq!((record[0], record[5]), (22, 1), "a handshake that says hello");
    // Past record and handshake headers, the version and the random.
    let mut rest = &record[5 + 4 + 2 + 32..];
    for length_bytes in [1, 2, 1] {
        let (length, body) = rest.split_at(length_bytes);
        rest = &body[number(length)..];
    }
    rest = &rest[2..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (kind, length) = (u16::from_be_bytes([rest[0], rest[1]]), number(&rest[2..4]));
        found.push((kind, rest[4..4 + length].to_vec()));
        rest = &rest[4 + length..];
    }
    found
}

/// A `ServerHello` of TLS 1.1 (RFC 4346, 7.4.1.3).
const OLD_HELLO: &[u8] = &{
    let mut hello = [0; 5 + 4 + 38];
    let head = [22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    let mut at = 0;
    while at < head.len() {
        hello[at] = head[at];
        at += 1;
    }
    // TLS_RSA_WITH_AES_128_CBC_SHA, after an empty session id.
    hello[5 + 4 + 2 + 32 + 2] = 0x2f;
    hello
};

#[tokio::test]
async fn the_hello_names_the_host_and_no_version_before_1_2() {
    let (port, hello) = raw_server(OLD_HELLO).await;
    let client = client(Some(Vec::new()), 1, Limits::default());
    let answer = get(&client, &format!("https://idp.example:{port}/")).await;
    assert_eq!(answer, Err(CallError::Connect), "TLS 1.1 is not accepted");

    let extensions = extensions(&hello.await.unwrap());
    let extension = |wanted| extensions.iter().find(|(kind, _)| *kind == wanted).unwrap().1.as_slice();
    assert_eq!(extension(43), [4, 3, 4, 3, 3], "supported_versions: 1.3 and 1.2");
    assert_eq!(&extension(0)[5..], b"idp.example", "server_name: not the address");
    assert_eq!(extension(16), b"\0\x0c\x02h2\x08http/1.1", "application protocols");
}

#[tokio::test]
async fn tls_is_spoken_where_https_is_said() {
    let (port, hello) = raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let client = client(Some(Vec::new()), 0, Limits::default());
    assert_eq!(get(&client, &format!("https://127.0.0.1:{port}/")).await, Err(CallError::Connect));
    assert!(!hello.await.unwrap().starts_with(b"GET"));
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let (port, _hello) = raw_server(b"").await;
    // The clock of this client stands still: what ends the call is the limit for connecting.
    let limits = Limits { connect: Duration::from_millis(50), ..Limits::default() };
    let client = client(Some(Vec::new()), 1, limits);
    assert_eq!(get(&client, &format!("https://idp.example:{port}/")).await, Err(CallError::Timeout));
}

/// A server with TLS and a certificate for these names.
struct TlsServer {
    port: u16,
    certificate: Certificate,
    /// How many handshakes succeeded.
    accepted: Arc<AtomicUsize>,
}

impl TlsServer {
    async fn start<F, Fut>(name: &str, protocol: &str, treat: F) -> Self
    where
        F: Fn(TlsStream<TcpStream>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let key = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let certificate = Certificate::from_der(key.cert.der()).unwrap();
        let acceptor = acceptor(&key, protocol);
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    counted.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(treat(stream));
                }
            }
        });
        Self { port, certificate, accepted }
    }

    /// Answers over HTTP/1.1.
    async fn answering(name: &str) -> Self {
        Self::start(name, "http/1.1", |mut stream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
            let _ = stream.shutdown().await;
        })
        .await
    }

    /// Speaks HTTP/2: reads a request, and then does what it likes.
    async fn over_http2<F, Fut>(treat: F) -> Self
    where
        F: Fn(TlsStream<TcpStream>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let treat = Arc::new(treat);
        Self::start("idp.example", "h2", move |mut stream| {
            let treat = Arc::clone(&treat);
            async move {
                read_request(&mut stream).await;
                treat(stream).await;
            }
        })
        .await
    }

    /// A client that trusts its certificate; the name resolves to it that many times.
    fn client(&self, times: usize) -> GuardedClient {
        client(Some(vec![self.certificate.clone()]), times, Limits::default())
    }

    async fn get(&self) -> Result<(u16, usize), CallError> {
        get(&self.client(1), &self.url()).await
    }

    fn url(&self) -> String {
        format!("https://idp.example:{}/", self.port)
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

fn acceptor(key: &rcgen::CertifiedKey<rcgen::KeyPair>, protocol: &str) -> TlsAcceptor {
    let private = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    config.alpn_protocols = vec![protocol.into()];
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn the_certificate_must_be_for_the_name_and_trusted() {
    let right = TlsServer::answering("idp.example").await;
    assert_eq!(right.get().await, Ok((200, 2)));

    let wrong_name = TlsServer::answering("another.example").await;
    assert_eq!(wrong_name.get().await, Err(CallError::Connect));
    assert_eq!(wrong_name.accepted(), 0, "nothing was sent");

    let stranger = TlsServer::answering("idp.example").await;
    for trusted in [None, Some(Vec::new()), Some(vec![right.certificate.clone()])] {
        let client = client(trusted, 1, Limits::default());
        assert_eq!(get(&client, &stranger.url()).await, Err(CallError::Connect));
    }
    assert_eq!(stranger.accepted(), 0);
}

// Kinds of frames (RFC 9113, 6), and two flags.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, as HPACK has it (RFC 7541, Appendix A).
const STATUS_200: &[u8] = &[0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Reads the preface of a connection and frames up to the header of a request, and agrees to the client's settings.
async fn read_request(stream: &mut TlsStream<TcpStream>) {
    stream.read_exact(&mut [0; 24]).await.unwrap();
    let settings = [frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat();
    stream.write_all(&settings).await.unwrap();
    next_request(stream).await.unwrap();
}

/// The stream of the next request.
async fn next_request(stream: &mut TlsStream<TcpStream>) -> io::Result<u32> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; usize::try_from(length).unwrap()]).await?;
        if head[3] == HEADERS {
            return Ok(u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
        }
    }
}

async fn until_hung_up(stream: &mut TlsStream<TcpStream>) {
    while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
}

#[tokio::test]
async fn an_endless_body_is_cut_in_http2_too() {
    let server = TlsServer::over_http2(|mut stream| async move {
        let mut answer = frame(HEADERS, END_HEADERS, 1, STATUS_200);
        // A little more than a document may have.
        for _ in 0..=64 {
            answer.extend(frame(DATA, 0, 1, &[b' '; 16 * 1024]));
        }
        let _ = stream.write_all(&answer).await;
        until_hung_up(&mut stream).await;
    })
    .await;
    assert_eq!(server.get().await, Err(CallError::TooLarge));
}

#[tokio::test]
async fn an_endless_header_is_cut_in_http2_too() {
    let server = TlsServer::over_http2(|mut stream| async move {
        let mut answer = frame(HEADERS, 0, 1, STATUS_200);
        // A header field that is not indexed: `a: xxx…`.
        let field = [&[0, 1, b'a', 0x7f, 0x81, 0x7e], &[b'x'; 16_256][..]].concat();
        while stream.write_all(&answer).await.is_ok() {
            answer = frame(CONTINUATION, 0, 1, &field);
        }
    })
    .await;
    assert_eq!(server.get().await, Err(CallError::Broken));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_taken_in_http2() {
    let server = TlsServer::over_http2(|mut stream| async move {
        let promise = [&2_u32.to_be_bytes(), STATUS_200].concat();
        let _ = stream.write_all(&frame(PUSH_PROMISE, END_HEADERS, 1, &promise)).await;
        until_hung_up(&mut stream).await;
    })
    .await;
    assert_eq!(server.get().await, Err(CallError::Broken));
}

#[tokio::test]
async fn a_request_that_is_sent_back_does_not_reach_another_address() {
    // "I have processed nothing, go elsewhere": such a request may be sent again (RFC 9113, 8.7).
    let server = TlsServer::over_http2(|mut stream| async move {
        let _ = stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8])).await;
        let _ = stream.shutdown().await;
    })
    .await;
    assert_eq!(server.get().await, Err(CallError::Refused(Refusal::Address)));
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_server_that_always_sends_requests_back_is_given_up() {
    let requests = Arc::new(AtomicUsize::new(1));
    let counted = Arc::clone(&requests);
    let server = TlsServer::over_http2(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
            let mut id = 1;
            while stream.write_all(&frame(RST_STREAM, 0, id, &REFUSED_STREAM)).await.is_ok() {
                let Ok(next) = next_request(&mut stream).await else { return };
                counted.fetch_add(1, Ordering::SeqCst);
                id = next;
            }
        }
    })
    .await;
    assert_eq!(server.get().await, Err(CallError::Broken));
    assert!(requests.load(Ordering::SeqCst) <= 3);
}
