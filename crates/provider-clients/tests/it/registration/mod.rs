//! Registrations: what is learned about a provider, and why one is refused.

mod metadata;
mod places;
mod refusals;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::hostile::Server;

/// A server that has a document at one path. `ISSUER` in it stands for its own address.
async fn publishing(path: &'static str, document: Value) -> Server {
    Server::start(move |mut stream, request| {
        let document = document.to_string();
        async move {
            let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
            let found = request.starts_with(&format!("GET {path} "));
            let (status, body) = if found {
                (200, document.replace("ISSUER", &format!("http://{host}")))
            } else {
                (404, String::new())
            };
            let answer = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await
}
