//! One request to a provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{ClientAuthentication, ProviderConnection};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

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

    /// Posts a form to an endpoint where our client authenticates (RFC 6749, 2.3.1), and asks for JSON.
    pub(crate) fn post_as_client(url: &Url, connection: &ProviderConnection, form: &[(&str, &str)]) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        match connection.client.endpoints.client_authentication {
            ClientAuthentication::ClientSecretBasic => {
                headers.insert(AUTHORIZATION, basic(connection));
            }
            ClientAuthentication::ClientSecretPost => {
                body.append_pair("client_id", &connection.client.client_id);
                body.append_pair("client_secret", connection.client_secret.expose());
            }
        }
        Self {
            method: Method::POST,
            url: url.clone(),
            headers,
            body: Some(body.finish()),
            size: AnswerSize::Token,
        }
    }

    /// Presents an access token (RFC 6750, 2.1). `None` when the token cannot stand in a header.
    pub(crate) fn bearer(mut self, access_token: &Secret) -> Option<Self> {
        let text = Zeroizing::new(format!("Bearer {}", access_token.expose()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Some(self)
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
    fn a_token_that_breaks_out_of_the_header_is_not_sent() {
        let call = Call::get_json(&Url::parse("https://idp.example/userinfo").unwrap());
        assert!(call.bearer(&Secret::new("a\r\nHost: evil".into())).is_none());
    }
}
