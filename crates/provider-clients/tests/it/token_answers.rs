//! Answers of token endpoints of any shape, encoding and size, read by the client of every type: to refreshes, and to
//! polls of devices.

use std::sync::{Arc, Mutex};

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    DeviceAnswer, ProviderClient, ProviderClients, ProviderKind, TokenSet, UpstreamError,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use crate::hostile::Server;
use crate::world::{connection, directory, loopback_settings, refresh_request, secret};

/// What must never come through an error: it stands in every answer of these tests.
const SECRET: &str = "S3cr3t";

/// What a type of provider is documented to say (`docs` of each, see its client): nothing else may cost a grant, or
/// the registration.
struct Words {
    kind: ProviderKind,
    dead: &'static [&'static str],
    client: &'static [&'static str],
}

const WORDS: [Words; 7] = [
    Words {
        kind: ProviderKind::Github,
        dead: &["bad_refresh_token", "bad_verification_code"],
        client: &["incorrect_client_credentials"],
    },
    Words { kind: ProviderKind::Gitlab, dead: &["invalid_grant"], client: &["invalid_client"] },
    Words {
        kind: ProviderKind::Bitbucket,
        dead: &["invalid_grant"],
        client: &["invalid_client", "unauthorized_client"],
    },
    Words {
        kind: ProviderKind::Google,
        dead: &["invalid_grant"],
        client: &["invalid_client", "unauthorized_client", "deleted_client"],
    },
    Words {
        kind: ProviderKind::Box,
        dead: &["invalid_grant"],
        client: &["invalid_client", "unauthorized_client"],
    },
    Words { kind: ProviderKind::Microsoft, dead: &["invalid_grant"], client: &["invalid_client"] },
    Words { kind: ProviderKind::Oidc, dead: &["invalid_grant"], client: &["invalid_client"] },
];

/// One client of each type, and a server that says what it is told to say.
struct Answering {
    runtime: Runtime,
    server: Server,
    next: Arc<Mutex<Vec<u8>>>,
    clients: Vec<(&'static Words, Arc<dyn ProviderClient>)>,
}

impl Answering {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let next = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::clone(&next);
        let server = runtime.block_on(Server::start(move |mut stream, _| {
            let answer = answer.lock().unwrap().clone();
            async move {
                let _ = stream.write_all(&answer).await;
            }
        }));
        let (directory, _) = runtime.block_on(async { directory(loopback_settings()) });
        let clients = WORDS.iter().map(|words| (words, directory.client(words.kind).unwrap())).collect();
        Self { runtime, server, next, clients }
    }

    fn will_say(&self, status: u16, body: &[u8]) {
        let head =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        *self.next.lock().unwrap() = [head.as_bytes(), body].concat();
    }

    /// What that client makes of that answer to a refresh.
    fn read(&self, client: &dyn ProviderClient, status: u16, body: &[u8]) -> Result<TokenSet, UpstreamError> {
        self.will_say(status, body);
        let connection = connection(self.server.endpoints(), "secret");
        let refresh = client.refresh().unwrap();
        self.runtime.block_on(refresh.refresh_token(&connection, &refresh_request("token")))
    }

    /// What that client makes of that answer to a device's poll, if it has such a flow.
    fn read_poll(
        &self,
        client: &dyn ProviderClient,
        status: u16,
        body: &[u8],
    ) -> Option<Result<DeviceAnswer, UpstreamError>> {
        self.will_say(status, body);
        let connection = connection(self.server.endpoints(), "secret");
        let flow = client.device(&connection.client.endpoints)?;
        let (device_code, scopes) = (secret("code"), Scopes::default());
        Some(self.runtime.block_on(flow.poll_device(&connection, &device_code, &scopes)))
    }

    /// The property, for every type.
    fn holds(&self, status: u16, body: &[u8]) -> Result<(), TestCaseError> {
        for (words, client) in &self.clients {
            match self.read(&**client, status, body) {
                Ok(tokens) => makes_sense(status, body, &tokens)?,
                Err(error) => is_fair(words, status, body, &error)?,
            }
        }
        Ok(())
    }

    /// The same for polls.
    fn holds_for_polls(&self, status: u16, body: &[u8]) -> Result<(), TestCaseError> {
        for (words, client) in &self.clients {
            match self.read_poll(&**client, status, body) {
                None | Some(Ok(DeviceAnswer::Pending | DeviceAnswer::SlowDown { .. })) => {}
                Some(Ok(DeviceAnswer::Granted(tokens))) => makes_sense(status, body, &tokens)?,
                Some(Ok(DeviceAnswer::Denied)) => ends_a_flow(&DENIED, status, body)?,
                Some(Ok(DeviceAnswer::Expired)) => ends_a_flow(&EXPIRED, status, body)?,
                Some(Err(UpstreamError::GrantRefused { code })) if code == "unlisted_error" => {
                    prop_assert!(!is_bad_moment(status), "{status}");
                }
                Some(Err(error)) => is_fair(words, status, body, &error)?,
            }
        }
        Ok(())
    }

    fn check<S: Strategy>(&self, cases: u32, strategy: &S, test: impl Fn(S::Value) -> (u16, Vec<u8>)) {
        // The failures that were found are cases of the tests beside the parser, not a file of seeds.
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(strategy, |value| {
            let (status, body) = test(value);
            self.holds(status, &body)?;
            self.holds_for_polls(status, &body)
        });
        result.unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// What any provider says of a person who has refused.
const DENIED: [&str; 2] = ["access_denied", "authorization_declined"];

/// What any provider says of a device code that is no good.
const EXPIRED: [&str; 6] = [
    "expired_token",
    "token_expired",
    "code_expired",
    "incorrect_device_code",
    "bad_verification_code",
    "invalid_grant",
];

/// A device flow ends by a documented word.
fn ends_a_flow(words: &[&str], status: u16, body: &[u8]) -> Result<(), TestCaseError> {
    let text = String::from_utf8_lossy(body);
    prop_assert!(words.iter().any(|word| text.contains(word)), "{status} {text}");
    prop_assert!(!is_bad_moment(status), "{status} {text}");
    Ok(())
}

/// A status that says that nothing was decided.
fn is_bad_moment(status: u16) -> bool {
    matches!(status, 300..=399 | 408 | 429 | 500..)
}

/// A success is one by its status, and its token can be sent on.
fn makes_sense(status: u16, body: &[u8], tokens: &TokenSet) -> Result<(), TestCaseError> {
    prop_assert!((200..300).contains(&status));
    let token = tokens.access_token.expose();
    prop_assert!(!token.is_empty() && token.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
    prop_assert!(body.len() <= 64 * 1024);
    prop_assert!(tokens.identity.is_none());
    Ok(())
}

/// A refusal is one by a documented word that really was in the answer, and repeats nothing else of it.
fn is_fair(words: &Words, status: u16, body: &[u8], error: &UpstreamError) -> Result<(), TestCaseError> {
    let kind = words.kind;
    prop_assert!(!format!("{error} {error:?}").contains(SECRET), "{kind:?}: {error:?}");
    let said = |code: &str| String::from_utf8_lossy(body).contains(code) && !is_bad_moment(status);
    match error {
        UpstreamError::GrantRefused { code } => {
            prop_assert!(words.dead.contains(&code.as_str()) && said(code), "{kind:?} {status}: {error:?}");
        }
        UpstreamError::ClientRefused { code } => {
            prop_assert!(words.client.contains(&code.as_str()) && said(code), "{kind:?} {status}: {error:?}");
        }
        UpstreamError::Misconfigured { code } | UpstreamError::InteractionRequired { code } => {
            prop_assert!(said(code), "{kind:?} {status}: {error:?}");
        }
        UpstreamError::RateLimited { .. } | UpstreamError::Unavailable { .. } => {}
        UpstreamError::NotSupported | UpstreamError::TokenRefused | UpstreamError::Untrusted { .. } => {
            prop_assert!(false, "{kind:?} {status}: {error:?} is no answer to this");
        }
    }
    Ok(())
}

fn status() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![200, 200, 200, 201, 302, 400, 400, 401, 403, 404, 408, 422, 428, 429, 500, 503])
}

/// Every code that any provider is documented to send, and some that none is.
fn code() -> impl Strategy<Value = String> {
    let known = [
        "invalid_grant",
        "bad_refresh_token",
        "bad_verification_code",
        "incorrect_client_credentials",
        "redirect_uri_mismatch",
        "unverified_user_email",
        "device_flow_disabled",
        "unsupported_grant_type",
        "invalid_client",
        "deleted_client",
        "unauthorized_client",
        "invalid_scope",
        "invalid_resource",
        "invalid_request",
        "org_internal",
        "admin_policy_enforced",
        "interaction_required",
        "consent_required",
        "login_required",
        "temporarily_unavailable",
        "server_error",
        "authorization_pending",
        "slow_down",
        "access_denied",
        "expired_token",
        "token_expired",
        "incorrect_device_code",
        "authorization_declined",
        "rate_limit_exceeded",
        "INVALID_GRANT",
        "invalid_grant ",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "[a-z_]{0,12}",
        1 => Just(SECRET.to_owned()),
    ]
}

/// Whatever might stand in a field.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => code().prop_map(Value::from),
        2 => Just(Value::from(SECRET)),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => ".{0,8}".prop_map(Value::from),
        1 => code().prop_map(|code| json!([code])),
        1 => code().prop_map(|code| json!({ "code": code, "message": SECRET })),
    ]
}

fn field() -> impl Strategy<Value = (&'static str, Value)> {
    let names = [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "refresh_token_expires_in",
        "scope",
        "scopes",
        "id_token",
        "error",
        "error",
        "error_code",
        "error_subtype",
        "suberror",
        "error_codes",
        "error_description",
    ];
    (prop::sample::select(names.to_vec()), value())
}

/// Ways to write fields down.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Json,
    Form,
    /// JSON behind a byte order mark (RFC 8259, 8.1).
    Marked,
    /// JSON in UTF-16.
    Wide,
    /// JSON with bytes that are no UTF-8.
    Broken,
    /// JSON inside an HTML page.
    Page,
}

fn encoding() -> impl Strategy<Value = Encoding> {
    let all = [
        Encoding::Json,
        Encoding::Json,
        Encoding::Form,
        Encoding::Marked,
        Encoding::Wide,
        Encoding::Broken,
        Encoding::Page,
    ];
    prop::sample::select(all.to_vec())
}

fn written(encoding: Encoding, fields: &[(&str, Value)]) -> Vec<u8> {
    let members: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let json = format!("{{{}}}", members.join(","));
    match encoding {
        Encoding::Json => json.into_bytes(),
        Encoding::Form => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs = fields.iter().map(|(name, value)| (*name, text(value)));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
        }
        Encoding::Marked => [b"\xef\xbb\xbf", json.as_bytes()].concat(),
        Encoding::Wide => json.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Broken => [json.as_bytes(), b"\xc3\x28"].concat(),
        Encoding::Page => format!("<html><body>{json}</body></html>").into_bytes(),
    }
}

#[test]
fn any_shape_and_encoding_is_read_fairly() {
    let answering = Answering::new();
    let strategy = (status(), encoding(), prop::collection::vec(field(), 0..8));
    answering.check(192, &strategy, |(status, encoding, fields)| (status, written(encoding, &fields)));
}

#[test]
fn any_bytes_are_survived() {
    let answering = Answering::new();
    let strategy = (status(), prop::collection::vec(any::<u8>(), 0..200));
    answering.check(64, &strategy, |answer| answer);
}

#[test]
fn any_size_is_read_or_refused() {
    let answering = Answering::new();
    // Around the largest answer, and far beyond it.
    let size = prop_oneof![0..400_usize, 65_300..65_700_usize, 100_000..200_000_usize];
    answering.check(24, &(status(), encoding(), size), |(status, encoding, size)| {
        let fields = [("access_token", Value::from("t")), ("padding", Value::from("x".repeat(size)))];
        (status, written(encoding, &fields))
    });
}

#[test]
fn every_documented_word_is_known() {
    let answering = Answering::new();
    for (words, client) in &answering.clients {
        let read = |code: &str| {
            let body = json!({ "error": code, "error_description": SECRET }).to_string();
            answering.read(&**client, 400, body.as_bytes()).err().unwrap()
        };
        for code in words.dead {
            let code = (*code).to_owned();
            assert_eq!(read(&code), UpstreamError::GrantRefused { code }, "{:?}", words.kind);
        }
        for code in words.client {
            let code = (*code).to_owned();
            assert_eq!(read(&code), UpstreamError::ClientRefused { code }, "{:?}", words.kind);
        }
    }
}
