//! A service that answers what it was told to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use grantkeeper_client::{Secret, Service};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Scripted {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Method, path and query.
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// An answer: status, further headers, body.
pub(crate) type Scene = (u16, &'static str, String);

pub(crate) fn json(status: u16, body: &Value) -> Scene {
    (status, "content-type: application/json\r\n", body.to_string())
}

impl Scripted {
    /// Gives these answers, one after the other, each on a connection of its own.
    pub(crate) async fn answering(scenes: impl IntoIterator<Item = Scene>) -> Self {
        let scenes: Vec<_> = scenes.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&asked);
        tokio::spawn(async move {
            for scene in scenes {
                let (mut connection, _) = listener.accept().await.unwrap();
                let request = read(&mut connection).await;
                // Before anybody can have the answer.
                remembered.lock().unwrap().push(request);
                play(connection, scene).await;
            }
        });
        Self { url, asked }
    }

    pub(crate) fn service(&self) -> Service {
        let token = Secret::new("the-token".to_owned());
        Service::with_token(self.url.parse().unwrap(), token).unwrap()
    }

    pub(crate) fn anonymous(&self) -> Service {
        Service::at(self.url.parse().unwrap()).unwrap()
    }

    /// All that was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The one thing that was asked.
    pub(crate) fn only(&self) -> Asked {
        let [only] = &self.asked()[..] else { panic!("asked {:?}", self.asked()) };
        only.clone()
    }
}

async fn play(mut connection: TcpStream, (status, headers, body): Scene) {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    connection.write_all(answer.as_bytes()).await.unwrap();
}

async fn read(connection: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let asked = parsed(head, body);
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() == length {
                return asked;
            }
        }
        assert_ne!(connection.read_buf(&mut bytes).await.unwrap(), 0, "{text}");
    }
}

fn parsed(head: &str, body: &str) -> Asked {
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    Asked { line, authorization: header(head, "authorization"), body: body.to_owned() }
}

fn header(head: &str, name: &str) -> Option<String> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
}
