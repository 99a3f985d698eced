//! The requests of the published client, byte for byte, as they were recorded in `e2e/golem-client/requests`.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::form_urlencoded::byte_serialize;

use super::answers;

macro_rules! recorded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../e2e/golem-client/requests/", $name, ".http")))),+]
    };
}

const REQUESTS: &[(&str, &str)] = recorded!(
    "start_login_oauth_2",
    "complete_login_oauth_2",
    "oauth_2_web_flow_start",
    "oauth_2_web_flow_start_with_redirect",
    "oauth_2_web_flow_callback_github",
    "oauth_2_web_flow_poll",
    "login_oauth_2",
    "current_login_token",
);

/// Sends what was recorded, with the arguments of the moment in it.
pub(super) struct Recorded {
    host: String,
}

impl Recorded {
    pub(super) fn at(base_url: &str) -> Self {
        Self { host: base_url.trim_start_matches("http://").to_owned() }
    }

    pub(super) async fn call(&self, call: &[&str]) -> Value {
        let mut connection = TcpStream::connect(&self.host).await.unwrap();
        connection.write_all(self.request(call).as_bytes()).await.unwrap();
        let (status, body) = answer(&mut connection).await;
        answers::read(call[0], status, &body)
    }

    /// The bytes of a call.
    pub(super) fn request(&self, call: &[&str]) -> String {
        let name = match call {
            ["oauth_2_web_flow_start", _, _] => "oauth_2_web_flow_start_with_redirect",
            [name, ..] => name,
            [] => unreachable!("a call has a name"),
        };
        let (_, request) = REQUESTS.iter().find(|(known, _)| *known == name).unwrap();
        let (head, body) = request.split_once("\n\n").unwrap();
        let (line, fields) = head.split_once('\n').unwrap();
        // In a URL an argument is encoded; in fields and body these need no encoding.
        let line = with_arguments(line, call, |argument| byte_serialize(argument.as_bytes()).collect());
        let fields = with_arguments(fields, call, str::to_owned);
        let body = with_arguments(body.trim_end(), call, str::to_owned);
        let fields = fields.replace("{host}", &self.host).replace("{length}", &body.len().to_string());
        format!("{line}\n{fields}\n\n").replace('\n', "\r\n") + &body
    }
}

fn with_arguments(text: &str, call: &[&str], encode: impl Fn(&str) -> String) -> String {
    let arguments = call.iter().enumerate().skip(1);
    arguments.fold(text.to_owned(), |text, (number, argument)| {
        text.replace(&format!("{{{number}}}"), &encode(argument))
    })
}

/// Status and body of the answer on a connection.
async fn answer(connection: &mut TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| body.len() >= length.parse::<usize>().unwrap()) {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, body.to_owned());
            }
        }
        let read = connection.read_buf(&mut answer).await.unwrap();
        assert_ne!(read, 0, "the answer ends early: {}", String::from_utf8_lossy(&answer));
    }
}
