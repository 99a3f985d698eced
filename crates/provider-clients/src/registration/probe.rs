//! Asking, at registration, whether the right kind of server is there. No token and no secret is sent.

use grantkeeper_domain::providers::RegistrationError;
use serde_json::Value;
use url::Url;

use super::refused;
use crate::http::{Answer, Call, CallError, GuardedClient};

/// A public document.
pub(crate) struct Document {
    /// The status: any but those of redirects and of servers in trouble.
    pub(crate) status: u16,
    /// What came, if it is JSON.
    pub(crate) body: Option<Value>,
}

/// Makes sure that a REST API is there: asked without a token, it must say that it wants one (RFC 9110, 15.5.2).
pub(crate) async fn wants_token(
    http: &GuardedClient,
    url: &Url,
    product: &str,
) -> Result<(), RegistrationError> {
    let answer = ask(http, url).await?;
    match answer.status.as_u16() {
        401 => Ok(()),
        status => Err(refused(format!(
            "does not look like {product}: {} without a token is answered with status {status} and not with 401; \
             the address must include the path below which it lives, if it has one",
            url.path()
        ))),
    }
}

/// Fetches a public document.
pub(crate) async fn document(http: &GuardedClient, url: &Url) -> Result<Document, RegistrationError> {
    let answer = ask(http, url).await?;
    Ok(Document { status: answer.status.as_u16(), body: serde_json::from_slice(&answer.body).ok() })
}

async fn ask(http: &GuardedClient, url: &Url) -> Result<Answer, RegistrationError> {
    let answer = match http.send(Call::get_json(url)).await {
        Ok(answer) => answer,
        Err(CallError::Refused(refusal)) => return Err(refused(refusal.to_string())),
        Err(error) => return Err(refused(format!("could not be asked: the server {error}"))),
    };
    match answer.status.as_u16() {
        300..=399 => Err(refused(format!(
            "answers {} with a redirect, which is not followed; register the address that it leads to",
            url.path()
        ))),
        status @ (429 | 500..=599) => Err(refused(format!(
            "answers {} with status {status}: it has trouble just now, try again",
            url.path()
        ))),
        _ => Ok(answer),
    }
}
