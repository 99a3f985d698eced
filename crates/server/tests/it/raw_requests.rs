//! Requests of published clients, byte for byte, from the files of a folder of `e2e`.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::form_urlencoded::byte_serialize;

/// Each by its name. Arguments of the moment stand in them as `{1}`, and `{host}` and `{length}` where they belong.
pub(crate) type Requests = &'static [(&'static str, &'static str)];

macro_rules! raw_requests {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/", $folder, "/requests/", $name, ".http")),
        )),+]
    };
}
pub(crate) use raw_requests;

/// Sends them, with the arguments of the moment in them.
pub(crate) struct Wire {
    host: String,
    requests: Requests,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Wire {
    pub(crate) fn at(base_url: &str, requests: Requests) -> Self {
        Self { host: base_url.trim_start_matches("http://").to_owned(), requests }
    }

    pub(crate) async fn send(&self, name: &str, arguments: &[&str]) -> Reply {
        let mut connection = TcpStream::connect(&self.host).await.unwrap();
        connection.write_all(self.request(name, arguments).as_bytes()).await.unwrap();
        Reply::read(&mut connection).await
    }

    /// The bytes of a request.
    pub(crate) fn request(&self, name: &str, arguments: &[&str]) -> String {
        let (_, request) = self.requests.iter().find(|(known, _)| *known == name).unwrap();
        let (head, body) = request.split_once("\n\n").unwrap();
        let (line, fields) = head.split_once('\n').unwrap();
        // In a URL an argument is encoded; in fields and body these need no encoding.
        let line = with_arguments(line, arguments, |argument| byte_serialize(argument.as_bytes()).collect());
        let fields = with_arguments(fields, arguments, str::to_owned);
        // A file ends with the end of a line.
        let body = with_arguments(body.strip_suffix('\n').unwrap_or(body), arguments, str::to_owned);
        let fields = fields.replace("{host}", &self.host).replace("{length}", &body.len().to_string());
        format!("{line}\n{fields}\n\n").replace('\n', "\r\n") + &body
    }
}

fn with_arguments(text: &str, arguments: &[&str], encode: impl Fn(&str) -> String) -> String {
    arguments.iter().zip(1_u32..).fold(text.to_owned(), |text, (argument, number)| {
        text.replace(&format!("{{{number}}}"), &encode(argument))
    })
}

impl Reply {
    /// The answer on a connection.
    async fn read(connection: &mut TcpStream) -> Self {
        let mut received = Vec::new();
        loop {
            if let Some(reply) = Self::of(&String::from_utf8_lossy(&received)) {
                return reply;
            }
            let read = connection.read_buf(&mut received).await.unwrap();
            assert_ne!(read, 0, "the answer ends early: {}", String::from_utf8_lossy(&received));
        }
    }

    /// `None` while there is more to come.
    fn of(received: &str) -> Option<Self> {
        let (head, body) = received.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map(|length| length.parse::<usize>().unwrap());
        let is_whole = status == 204 || length.is_some_and(|length| body.len() >= length);
        is_whole.then(|| Self { status, body: body.to_owned(), head })
    }

    /// A field of the head.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
