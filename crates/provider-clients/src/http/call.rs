//! One request to a provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{ClientAuthentication, ProviderConnection, UpstreamError};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IntoHeaderName};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::failure::unavailable;

/// A request, not yet sent. It may hold secrets, therefore it has no `Debug`.
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
    pub(super) size: AnswerSize,
}

/// Which limit an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerSize {
    /// A few fields.
    Token,
    /// A document.
    Document,
}

impl Call {
    /// Asks for a JSON document.
    pub(crate) fn get_json(url: &Url) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self { method: Method::GET, url: url.clone(), headers, body: None, size: AnswerSize::Document }
    }

    /// Posts a form and asks for JSON; nobody authenticates.
    pub(crate) fn post_form(url: &Url, form: &[(&str, &str)]) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        Self::with_body(Method::POST, url, "application/x-www-form-urlencoded", body.finish())
    }

    /// Posts a form to an endpoint where our client authenticates (RFC 6749, 2.3.1), and asks for JSON.
    pub(crate) fn post_as_client(url: &Url, connection: &ProviderConnection, form: &[(&str, &str)]) -> Self {
        match connection.client.endpoints.client_authentication {
            ClientAuthentication::ClientSecretBasic => Self::post_form(url, form).basic(connection),
            ClientAuthentication::ClientSecretPost => {
                let client = [
                    ("client_id", connection.client.client_id.as_str()),
                    ("client_secret", connection.client_secret.expose()),
                ];
                Self::post_form(url, &[form, &client].concat())
            }
        }
    }

    /// Posts a form to an endpoint where our client says who it is and proves nothing (RFC 6749, 3.2.1), and asks for
    /// JSON.
    pub(crate) fn post_as_public_client(
        url: &Url,
        connection: &ProviderConnection,
        form: &[(&str, &str)],
    ) -> Self {
        Self::post_form(url, &[form, &[("client_id", &connection.client.client_id)]].concat())
    }

    /// Sends a JSON document and asks for one; nobody authenticates yet.
    pub(crate) fn json(method: Method, url: &Url, body: &Value) -> Self {
        Self::with_body(method, url, "application/json", body.to_string())
    }

    fn with_body(method: Method, url: &Url, content_type: &'static str, body: String) -> Self {
        let mut call = Self::get_json(url).header(CONTENT_TYPE, content_type);
        (call.method, call.body, call.size) = (method, Some(body), AnswerSize::Token);
        call
    }

    /// Sets a header, in the place of what it was.
    pub(crate) fn header(mut self, name: impl IntoHeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Our client authenticates by HTTP Basic (RFC 6749, 2.3.1).
    pub(crate) fn basic(mut self, connection: &ProviderConnection) -> Self {
        self.headers.insert(AUTHORIZATION, basic(connection));
        self
    }

    /// Presents an access token (RFC 6750, 2.1). One that cannot stand in a header is not sent.
    pub(crate) fn bearer(mut self, access_token: &Secret) -> Result<Self, UpstreamError> {
        let text = Zeroizing::new(format!("Bearer {}", access_token.expose()));
        let mut value = HeaderValue::from_str(&text).map_err(|_| unavailable("malformed_token"))?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Ok(self)
    }
}

/// HTTP Basic with id and secret form-encoded first, so that a colon or anything beyond ASCII survives
/// (RFC 6749, 2.3.1 and Appendix B).
fn basic(connection: &ProviderConnection) -> HeaderValue {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let secret = Zeroizing::new(encoded(connection.client_secret.expose()));
    let pair = Zeroizing::new(format!("{}:{}", encoded(&connection.client.client_id), *secret));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&text).expect("base64 is plain ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::providers::{ProviderEndpoints, PublicClient};
    use grantkeeper_testkit::entities;

    use super::*;

    const ODD_SECRET: &str = "p:a+s%s/ wörd&=";

    fn connection(client_authentication: ClientAuthentication) -> ProviderConnection {
        let endpoints = ProviderEndpoints { client_authentication, ..entities::endpoints("idp.example") };
        let client = PublicClient { endpoints, client_id: "cl:ient".into() };
        ProviderConnection { client, client_secret: Secret::new(ODD_SECRET.into()) }
    }

    fn call(authentication: ClientAuthentication) -> Call {
        let connection = connection(authentication);
        Call::post_as_client(&connection.client.endpoints.token, &connection, &[("code", "a&b")])
    }

    #[test]
    fn basic_form_encodes_first() {
        let call = call(ClientAuthentication::ClientSecretBasic);
        let header = call.headers.get(AUTHORIZATION).unwrap();
        assert!(header.is_sensitive());
        let pair = STANDARD.decode(header.to_str().unwrap().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(pair, b"cl%3Aient:p%3Aa%2Bs%25s%2F+w%C3%B6rd%26%3D");
        assert_eq!(call.body.unwrap(), "code=a%26b", "the secret is in one place only");
    }

    #[test]
    fn post_puts_it_in_the_body() {
        let call = call(ClientAuthentication::ClientSecretPost);
        assert!(!call.headers.contains_key(AUTHORIZATION));
        let body = call.body.unwrap();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let expected = [("code", "a&b"), ("client_id", "cl:ient"), ("client_secret", ODD_SECRET)];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_public_client_says_its_name_alone() {
        let connection = connection(ClientAuthentication::ClientSecretBasic);
        let call =
            Call::post_as_public_client(&connection.client.endpoints.token, &connection, &[("code", "a&b")]);
        assert!(!call.headers.contains_key(AUTHORIZATION));
        assert_eq!(call.body.as_deref(), Some("code=a%26b&client_id=cl%3Aient"));
    }

    #[test]
    fn a_document_may_go_with_basic() {
        let connection = connection(ClientAuthentication::ClientSecretPost);
        let url = Url::parse("https://api.example/token").unwrap();
        let call = Call::json(Method::DELETE, &url, &serde_json::json!({"access_token": "t"}));
        let call = call.header(ACCEPT, "application/vnd.example+json").basic(&connection);
        assert_eq!((call.method, call.body.as_deref()), (Method::DELETE, Some(r#"{"access_token":"t"}"#)));
        assert_eq!(call.headers[CONTENT_TYPE], "application/json");
        assert_eq!(call.headers[ACCEPT], "application/vnd.example+json");
        assert!(call.headers[AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn a_form_may_go_without_any_client() {
        let call = Call::post_form(&Url::parse("https://idp.example/revoke").unwrap(), &[("token", "t")]);
        assert!(!call.headers.contains_key(AUTHORIZATION));
        assert_eq!(call.body.as_deref(), Some("token=t"));
    }

    #[test]
    fn a_token_that_breaks_out_of_the_header_is_not_sent() {
        let call = Call::get_json(&Url::parse("https://idp.example/userinfo").unwrap());
        let refused = call.bearer(&Secret::new("a\r\nHost: evil".into())).err();
        assert_eq!(refused, Some(unavailable("malformed_token")));
    }
}
