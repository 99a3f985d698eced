//! A caller of the public HTTP API: nothing that a newcomer's own program would not do.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::narrator::{Narrator, shortened};
use crate::failure::Failure;

/// Where the API is that paths are relative to.
const BASE: &str = "/api/v2/externalOAuth";

/// A path of the service: what begins with a slash is one already.
fn located(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{BASE}/{path}") }
}

/// Somebody's program.
pub(super) struct ApiClient<'a> {
    pub(super) who: &'static str,
    pub(super) http: reqwest::Client,
    pub(super) base_url: &'a str,
    /// What it calls with; `None`: nothing yet.
    pub(super) token: Option<&'a str>,
    pub(super) narrator: &'a Narrator,
}

/// What came back.
pub(super) struct Answer {
    request: String,
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl ApiClient<'_> {
    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Option<Value>) -> Result<Answer, Failure> {
        self.call(Method::POST, path, body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Answer, Failure> {
        let shown = body.as_ref().map(|body| format!(" {}", without_secret(body))).unwrap_or_default();
        self.narrator.asked(self.who, format_args!("{method} {}{shown}", located(path)));
        self.quietly(method, path, body).await
    }

    /// A call that is not told.
    pub(super) async fn quietly(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let path = located(path);
        let request = format!("{method} {path}");
        let call = self.http.request(method, format!("{}{path}", self.base_url));
        let call = match self.token {
            Some(token) => call.bearer_auth(token),
            None => call,
        };
        let call = match &body {
            Some(body) => call.header("content-type", "application/json").body(serde_json::to_vec(body)?),
            None => call,
        };
        let answer = call.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        // DELETE answers with nothing.
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
        Ok(Answer { request, status, body })
    }
}

impl Answer {
    /// Goes on only with that status.
    pub(super) fn expect(self, status: StatusCode) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        Err(Failure::of(format!(
            "{} was to be answered with {status}, and was with {}: {}",
            self.request,
            self.status,
            self.reason()
        )))
    }

    /// What is wrong, in whichever form its API says it.
    fn reason(&self) -> String {
        let said = ["message", "errorFields", "error", "errors"].map(|name| &self.body[name]);
        let said: Vec<_> = said.into_iter().filter(|value| !value.is_null()).map(Value::to_string).collect();
        if said.is_empty() { "without a message".to_owned() } else { said.join(" ") }
    }

    /// A text of the body, by its JSON pointer (RFC 6901).
    pub(super) fn text(&self, pointer: &str) -> Result<&str, Failure> {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| Failure::of(format!("{} was answered without {pointer}", self.request)))
    }

    /// Tells the answer with some of its members.
    pub(super) fn tell(&self, narrator: &Narrator, pointers: &[&str]) {
        let found = pointers.iter().filter_map(|pointer| {
            let value = self.body.pointer(pointer)?;
            let name = pointer.trim_start_matches('/');
            Some((name, shown(name, value)))
        });
        narrator.answered(self.status, &found.collect::<Vec<_>>());
    }
}

/// The members of answers that are secrets. The user name for git is one at providers that want the token there.
const SECRETS: [&str; 6] =
    ["accessToken", "device_code", "encodedSession", "secret/value", "state", "username"];

/// Secrets are shortened, and so are addresses with something secret behind the question mark; all else is shown as it is.
fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) if SECRETS.contains(&name) => shortened(text),
        Value::String(text) if name == "url" => match text.split_once('?') {
            Some((place, _)) => format!("{place}?…"),
            None => text.clone(),
        },
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn without_secret(body: &Value) -> Value {
    if let Value::String(secret) = body {
        return Value::String(shortened(secret));
    }
    let mut shown = body.clone();
    for name in ["clientSecret", "device_code"] {
        if let Some(Value::String(secret)) = shown.get_mut(name) {
            *secret = shortened(secret);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_was_not_expected_is_told_with_its_reason() {
        let answer = Answer {
            request: "POST /api/v2/externalOAuth/providers/".to_owned(),
            status: StatusCode::UNPROCESSABLE_ENTITY,
            body: json!({"message": "the request is not valid", "errorFields": [{"name": "host", "message": "no"}]}),
        };
        let failure = answer.expect(StatusCode::CREATED).err().expect("another status").to_string();
        for part in ["POST", "providers/", "201", "422", "not valid", r#""name":"host""#] {
            assert!(failure.contains(part), "{part} in {failure}");
        }
    }

    #[test]
    fn every_api_says_what_is_wrong_in_its_own_way() {
        let answer = |body| Answer { request: String::new(), status: StatusCode::BAD_REQUEST, body };
        assert_eq!(answer(json!({"error": "who are you?"})).reason(), r#""who are you?""#);
        assert_eq!(answer(json!({"errors": ["no provider"]})).reason(), r#"["no provider"]"#);
        assert_eq!(answer(Value::Null).reason(), "without a message");
    }

    #[test]
    fn other_apis_are_called_by_their_whole_path() {
        assert_eq!(located("providers/"), "/api/v2/externalOAuth/providers/");
        assert_eq!(located("/api/v2/external-auth/github/device"), "/api/v2/external-auth/github/device");
    }

    #[test]
    fn secrets_are_not_shown_whole() {
        let body = without_secret(&json!({"clientId": "demo", "clientSecret": "0123456789abcdef"}));
        assert_eq!(body, json!({"clientId": "demo", "clientSecret": "0123456789ab…"}));
        assert_eq!(without_secret(&json!("0123456789abcdef")), json!("0123456789ab…"));
        assert_eq!(
            shown("url", &json!("https://idp.example/authorize?state=secret")),
            "https://idp.example/authorize?…"
        );
        assert_eq!(shown("accessToken", &json!("0123456789abcdef")), "0123456789ab…");
        assert_eq!(shown("expiresAt", &json!("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00Z");
    }
}
