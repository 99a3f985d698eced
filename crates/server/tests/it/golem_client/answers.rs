//! What the published client reads, by the names and types that it has for it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize, Deserialize)]
struct UnsafeToken {
    data: Token,
    secret: TokenSecret,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    id: Uuid,
    account_id: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct TokenSecret {
    value: Uuid,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OAuth2Data {
    url: String,
    user_code: String,
    expires: DateTime<Utc>,
    encoded_session: String,
}

#[derive(Serialize, Deserialize)]
struct WebFlowAuthorizeUrlResponse {
    url: String,
    state: String,
}

/// Of the callback, and of a poll that came too early.
#[derive(Serialize, Deserialize)]
struct Empty {}

#[derive(Deserialize)]
struct ErrorsBody {
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

/// As the client's type of that name reads it.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Uuid(String);

impl TryFrom<String> for Uuid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts: Vec<_> = text.split('-').map(str::len).collect();
        let is_hex = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        if parts == [8, 4, 4, 4, 12] && is_hex { Ok(Self(text)) } else { Err("no UUID") }
    }
}

/// What the client makes of an answer to a call: any status that it has no variant for is an error beyond its enum.
pub(super) fn read(call: &str, status: u16, body: &str) -> Value {
    match status {
        200 => json!({ "ok": success(call, body) }),
        202 if call == "oauth_2_web_flow_poll" => error::<Empty>(status, body, |_| String::new()),
        400 => error::<ErrorsBody>(status, body, |told| told.errors.join(", ")),
        401 | 403 | 404 | 409 | 500 => error::<ErrorBody>(status, body, |told| told.error),
        _ => json!({ "error": "Unexpected", "says": body }),
    }
}

fn success(call: &str, body: &str) -> Value {
    match call {
        "start_login_oauth_2" => decoded::<OAuth2Data>(body),
        "oauth_2_web_flow_start" => decoded::<WebFlowAuthorizeUrlResponse>(body),
        "oauth_2_web_flow_callback_github" => decoded::<Empty>(body),
        "current_login_token" => decoded::<Token>(body),
        _ => decoded::<UnsafeToken>(body),
    }
}

fn decoded<T: Serialize + for<'a> Deserialize<'a>>(body: &str) -> Value {
    json!(parsed::<T>(body))
}

fn error<T: for<'a> Deserialize<'a>>(status: u16, body: &str, says: impl FnOnce(T) -> String) -> Value {
    json!({ "error": format!("Error{status}"), "says": says(parsed(body)) })
}

fn parsed<T: for<'a> Deserialize<'a>>(body: &str) -> T {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("the client cannot read {body}: {error}"))
}
