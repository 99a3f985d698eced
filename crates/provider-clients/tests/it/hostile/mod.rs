//! Servers that mean harm: they redirect, never end, or never begin.

mod headers;
mod nonsense;
mod redirects;
mod requests;
mod sizes;
mod slowness;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    CodeExchange, Identity, ProviderClient, ProviderEndpoints, TokenSet, TokenToRevoke, UpstreamError,
};
use grantkeeper_testkit::entities;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{connection, refresh_request, refused, secret};

/// A server that treats every connection alike, after it has read the request.
pub(crate) struct Server {
    pub(crate) url: String,
    hits: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start<F, Fut>(treat: F) -> Self
    where
        F: Fn(TcpStream, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(treat(stream, request));
            }
        });
        Self { url, hits }
    }

    /// Always gives the same answer, after which it closes the connection.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    pub(crate) fn endpoints(&self) -> ProviderEndpoints {
        let at = |path: &str| format!("{}/{path}", self.url).parse().unwrap();
        ProviderEndpoints {
            token: at("token"),
            userinfo: Some(at("userinfo")),
            revocation: Some(at("revoke")),
            jwks: Some(at("jwks")),
            ..entities::endpoints("idp.example")
        }
    }
}

/// A whole request, as far as it says how long it is.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !is_whole(&request) {
        match stream.read_buf(&mut request).await {
            Ok(read) if read > 0 => {}
            _ => break,
        }
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

async fn userinfo(client: &dyn ProviderClient, server: &Server) -> Result<Identity, UpstreamError> {
    client
        .identify(&Scopes::default())
        .identify_user(&connection(server.endpoints(), "secret"), &secret("token"), None)
        .await
}

/// The failure of a refresh.
async fn refresh(client: &dyn ProviderClient, server: &Server) -> UpstreamError {
    let refresh = client.refresh().unwrap();
    refused(refresh.refresh_token(&connection(server.endpoints(), "secret"), &refresh_request("token")).await)
}

/// The failure of a revocation.
async fn revoke(client: &dyn ProviderClient, server: &Server) -> UpstreamError {
    let revoke = client.revoke(&server.endpoints()).unwrap();
    let token = TokenToRevoke { access_token: Some(secret("token")), refresh_token: None };
    refused(revoke.revoke_token(&connection(server.endpoints(), "secret"), &token).await)
}

async fn exchange(
    client: &dyn ProviderClient,
    endpoints: ProviderEndpoints,
) -> Result<TokenSet, UpstreamError> {
    let exchange = CodeExchange {
        code: secret("code"),
        redirect_uri: "https://broker.example/callback".to_owned(),
        pkce_verifier: None,
        nonce: None,
        scopes: Scopes::parse("openid"),
    };
    client.exchange_code(&connection(endpoints, "secret"), &exchange).await
}

/// A whole answer with status 200 and that body.
pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn unavailable(reason: &'static str) -> UpstreamError {
    UpstreamError::Unavailable { reason, retry_after: None }
}
