//! A client of the login API, such as a command line program.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use crate::callers::{Answer, answer, client};

#[derive(Clone)]
pub(crate) struct LoginClient {
    pub(crate) http: Client,
    pub(crate) base: String,
}

/// A login on the web that a client has started.
pub(crate) struct WebLogin {
    pub(crate) page: String,
    pub(crate) state: String,
    pub(crate) match_code: String,
}

/// A login by device code that a client has started.
pub(crate) struct DeviceLogin {
    pub(crate) user_code: String,
    pub(crate) session: String,
}

/// What a client gets in the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) token: String,
    pub(crate) secret: String,
    pub(crate) account: String,
}

impl LoginClient {
    pub(crate) fn at(base_url: &str) -> Self {
        Self { http: client(), base: base_url.to_owned() }
    }

    /// Starts a login on the web, which has to work.
    pub(crate) async fn start(&self, redirect: Option<&str>) -> WebLogin {
        let redirect =
            redirect.map_or_else(String::new, |redirect| format!("&redirect={}", encoded(redirect)));
        let path = format!("/v1/login/oauth2/web/authorize?provider=github{redirect}");
        let (status, started) = answer(self.request(Method::GET, &path)).await;
        assert_eq!(status, StatusCode::OK, "{started}");
        WebLogin {
            page: text(&started, "url"),
            state: text(&started, "state"),
            match_code: text(&started, "matchCode"),
        }
    }

    pub(crate) async fn poll(&self, state: &str) -> Answer {
        answer(self.request(Method::GET, &format!("/v1/login/oauth2/web/poll?state={}", encoded(state))))
            .await
    }

    /// Starts a login by device code, with a request that has neither a body nor its length.
    pub(crate) async fn start_device(&self) -> DeviceLogin {
        let (status, started) = answer(self.request(Method::POST, "/login/oauth2/device/start")).await;
        assert_eq!(status, StatusCode::OK, "{started}");
        assert!(is_time(&started["expires"]), "{started}");
        assert!(text(&started, "url").starts_with("http"), "{started}");
        DeviceLogin { user_code: text(&started, "userCode"), session: text(&started, "encodedSession") }
    }

    /// Waits for the person.
    pub(crate) async fn complete(&self, session: &str) -> Answer {
        answer(self.request_to_complete(session)).await
    }

    pub(crate) fn request_to_complete(&self, session: &str) -> RequestBuilder {
        let request = self.request(Method::POST, "/login/oauth2/device/complete");
        request.header("content-type", "application/json").body(json!(session).to_string())
    }

    /// Brings an access token of the provider.
    pub(crate) async fn exchange(&self, provider: &str, access_token: &str) -> Answer {
        let query = format!("provider={}&access-token={}", encoded(provider), encoded(access_token));
        answer(self.request(Method::POST, &format!("/v1/oauth2?{query}"))).await
    }

    /// What the service says of an API token.
    pub(crate) async fn current(&self, secret: &str) -> Answer {
        answer(self.request(Method::GET, "/v1/login/token").bearer_auth(secret)).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }
}

impl SignedIn {
    /// Reads what has to be a `TokenWithSecret`, and nothing more.
    pub(crate) fn read((status, body): &Answer) -> Self {
        assert_eq!(*status, StatusCode::OK, "{body}");
        let (data, secret) = (&body["data"], &body["secret"]);
        assert_eq!(keys(body), ["data", "secret"]);
        assert_eq!(keys(secret), ["value"]);
        assert_token(data);
        let secret = text(secret, "value");
        assert!(is_uuid(&secret), "clients read it as a UUID");
        Self { token: text(data, "id"), account: text(data, "accountId"), secret }
    }
}

/// That it is a `Token`, and nothing more.
pub(crate) fn assert_token(data: &Value) {
    assert_eq!(keys(data), ["accountId", "createdAt", "expiresAt", "id"], "{data}");
    assert!(is_uuid(&text(data, "id")), "{data}");
    assert!(is_time(&data["createdAt"]) && is_time(&data["expiresAt"]), "{data}");
}

/// That it is an error in the API's own form.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: StatusCode) {
    let (told, body) = answer;
    assert_eq!(*told, status, "{body}");
    if status == StatusCode::BAD_REQUEST {
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("{body}"));
        assert!(!errors.is_empty() && errors.iter().all(Value::is_string), "{body}");
        assert_eq!(keys(body), ["errors"]);
    } else {
        assert!(body["error"].is_string(), "{body}");
        assert_eq!(keys(body), ["error"]);
    }
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// RFC 3339, as clients read it.
fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok())
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_else(|| panic!("{name} of {object}")).to_owned()
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
