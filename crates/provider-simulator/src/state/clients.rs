//! Client authentication (RFC 6749 section 2.3.1). There are no registrations: every client id is known, and every
//! secret is right unless it begins with `wrong-`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::OAuthError;
use crate::params::Params;
use crate::settings::ClientAuthentication;

/// Secrets that begin like this are wrong.
const WRONG_SECRET: &str = "wrong-";

/// The client that a request claims to come from. It holds a secret, therefore it has no `Debug`.
pub(crate) struct PresentedClient {
    id: String,
    secret: Option<String>,
    /// Whether the secret came by HTTP Basic.
    basic: bool,
}

/// The client that a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// The client identifier.
    pub(super) id: String,
    /// Whether it proved to be that client. One that sent no secret did not.
    pub(super) authenticated: bool,
}

impl PresentedClient {
    /// Reads the credentials from the `Authorization` header or from the body, wherever they are.
    pub(crate) fn from_request(authorization: Option<&str>, params: &Params) -> Result<Self, OAuthError> {
        match (authorization, params.get("client_secret")) {
            (Some(_), Some(_)) => {
                Err(OAuthError::invalid_request("the client authenticates in two ways at once"))
            }
            (Some(header), None) => {
                let client =
                    Self::from_basic(header).ok_or(OAuthError::invalid_client("unreadable credentials"))?;
                match params.get("client_id") {
                    Some(id) if id != client.id => {
                        Err(OAuthError::invalid_request("two different client ids"))
                    }
                    _ => Ok(client),
                }
            }
            (None, secret) => {
                let id = params.get("client_id").ok_or(OAuthError::invalid_client("no client id"))?;
                Ok(Self { id: id.to_owned(), secret: secret.map(str::to_owned), basic: false })
            }
        }
    }

    /// The secret it sent.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// The client id it sent.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Checks the secret and the way it came.
    pub(crate) fn authenticate(&self, accepted: ClientAuthentication) -> Result<Client, OAuthError> {
        match (self.secret(), self.basic, accepted) {
            (Some(_), true, ClientAuthentication::Post) | (Some(_), false, ClientAuthentication::Basic) => {
                return Err(OAuthError::invalid_client("clients authenticate in another way here"));
            }
            _ => {}
        }
        match self.secret() {
            Some(secret) if secret.starts_with(WRONG_SECRET) => {
                Err(OAuthError::invalid_client("wrong secret"))
            }
            secret => Ok(Client { id: self.id.clone(), authenticated: secret.is_some() }),
        }
    }

    /// Reads HTTP Basic credentials, of which both parts are form-encoded before they are joined.
    fn from_basic(header: &str) -> Option<Self> {
        let (scheme, credentials) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let joined = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (id, secret) = joined.split_once(':')?;
        let (id, secret) = (form_decoded(id), form_decoded(secret));
        let secret = Some(secret).filter(|secret| !secret.is_empty());
        (!id.is_empty()).then_some(Self { id, secret, basic: true })
    }
}

impl Client {
    /// Requires that the client authenticated itself.
    pub(crate) fn confidential(&self) -> Result<&Self, OAuthError> {
        if self.authenticated { Ok(self) } else { Err(OAuthError::invalid_client("no client secret")) }
    }
}

/// Decodes one form-encoded word.
fn form_decoded(word: &str) -> String {
    // The parser takes `=` and `&` as separators, so they are shielded: unencoded they stand for themselves.
    let shielded = word.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(shielded.as_bytes()).next().map(|(word, _)| word.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::ErrorCode;

    fn basic(joined: &str) -> String {
        format!("Basic {}", STANDARD.encode(joined))
    }

    fn presented(
        header: Option<&str>,
        params: impl Into<Params>,
    ) -> Result<(String, Option<String>), OAuthError> {
        PresentedClient::from_request(header, &params.into()).map(|client| (client.id, client.secret))
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = basic("web%3Aodd:s3cr%2Bt%2F%3D%26%25+%3Ax%C3%A4");
        let expected = ("web:odd".to_owned(), Some("s3cr+t/=&% :xä".to_owned()));
        assert_eq!(presented(Some(&header), []), Ok(expected));
    }

    #[test]
    fn credentials_may_be_in_the_body() {
        let params = [("client_id", "a"), ("client_secret", "b")];
        assert_eq!(presented(None, params), Ok(("a".to_owned(), Some("b".to_owned()))));
        assert_eq!(presented(None, [("client_id", "a")]), Ok(("a".to_owned(), None)));
    }

    #[test]
    fn unclear_credentials_are_refused() {
        let code = |header: Option<&str>, params: Params| {
            presented(header, params).map_err(|error| error.code).expect_err("refused")
        };
        assert_eq!(code(Some(&basic("a:b")), [("client_secret", "b")].into()), ErrorCode::InvalidRequest);
        assert_eq!(code(Some(&basic("a:b")), [("client_id", "c")].into()), ErrorCode::InvalidRequest);
        assert_eq!(code(Some("Bearer a"), [].into()), ErrorCode::InvalidClient);
        assert_eq!(code(Some("Basic %%%"), [].into()), ErrorCode::InvalidClient);
        assert_eq!(code(None, [].into()), ErrorCode::InvalidClient);
    }

    #[test]
    fn only_secrets_that_begin_with_wrong_are_wrong() {
        let authenticate = |secret: Option<&str>| {
            PresentedClient { id: "a".to_owned(), secret: secret.map(str::to_owned), basic: false }
                .authenticate(ClientAuthentication::Both)
        };
        assert!(authenticate(Some("anything")).is_ok_and(|client| client.authenticated));
        assert!(authenticate(Some("wrong-secret")).is_err());
        assert!(authenticate(None).expect("known").confidential().is_err());
    }

    #[test]
    fn a_secret_must_come_in_the_way_that_is_accepted() {
        let ways = |basic: bool| {
            let client = PresentedClient { id: "a".to_owned(), secret: Some("b".to_owned()), basic };
            [ClientAuthentication::Both, ClientAuthentication::Post, ClientAuthentication::Basic]
                .map(|accepted| client.authenticate(accepted).is_ok())
        };
        assert_eq!(ways(false), [true, true, false]);
        assert_eq!(ways(true), [true, false, true]);
    }
}
