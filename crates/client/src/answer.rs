//! What the service answers, in the forms of all its APIs.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::credentials::TokenSource;
use crate::error::reason;
use crate::{ClientError, Refusal, ServiceUrl, shown};

/// No answer of the service is longer.
const LONGEST: usize = 4 << 20;
/// Nobody is made to wait for longer before asking again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// An answer with its body.
pub(crate) struct Answer {
    url: ServiceUrl,
    status: StatusCode,
    retry_after: Option<Duration>,
    token_source: Option<TokenSource>,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Reads an answer to a call with a token from there.
    pub(crate) async fn read(
        url: &ServiceUrl,
        token_source: Option<TokenSource>,
        mut response: Response,
    ) -> Result<Self, ClientError> {
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
        let mut body = Zeroizing::new(Vec::new());
        let broken = |error| ClientError::Unreachable { url: url.clone(), reason: reason(error) };
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > LONGEST {
                let reason = "the answer is too long".to_owned();
                return Err(ClientError::NotUnderstood { url: url.clone(), reason });
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status();
        Ok(Self { url: url.clone(), status, retry_after, token_source, body })
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body of an answer that is a success.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let answer = self.success()?;
        serde_json::from_slice(&answer.body).map_err(|_| answer.strange())
    }

    /// Goes on with a success only.
    pub(crate) fn success(self) -> Result<Self, ClientError> {
        if self.status.is_success() { Ok(self) } else { Err(self.into_error()) }
    }

    fn into_error(self) -> ClientError {
        let complaint = serde_json::from_slice::<Complaint>(&self.body).ok();
        match complaint.filter(|complaint| self.is_of_the_service(complaint)).and_then(Complaint::told) {
            Some((message, detail)) => ClientError::Refused(Refusal {
                status: self.status.as_u16(),
                message: shown(&message),
                detail: shown(&detail),
                retry_after: self.retry_after,
                token_source: self.token_source,
            }),
            None if self.may_pass() => ClientError::OnTheWay {
                url: self.url.clone(),
                status: self.status.as_u16(),
                retry_after: self.retry_after,
            },
            None => self.strange(),
        }
    }

    /// A 504 of the service means that all is well, and one of a gateway before it that nothing is: some of these speak JSON
    /// with a message too, but none has all that the service tells.
    fn is_of_the_service(&self, complaint: &Complaint) -> bool {
        self.status != StatusCode::GATEWAY_TIMEOUT || complaint.validations.is_some()
    }

    /// A proxy on the way has texts of its own.
    fn may_pass(&self) -> bool {
        self.status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&self.status)
    }

    fn strange(&self) -> ClientError {
        ClientError::NotUnderstood {
            url: self.url.clone(),
            reason: format!("an answer with status {}", self.status),
        }
    }
}

/// The error bodies of the three APIs: this one's, and `error` or `errors` of the login API.
#[derive(Deserialize)]
struct Complaint {
    message: Option<String>,
    #[serde(default)]
    detail: String,
    validations: Option<Vec<Validation>>,
    error: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Validation {
    field: String,
    detail: String,
}

impl Complaint {
    fn told(self) -> Option<(String, String)> {
        let fields =
            self.validations.iter().flatten().map(|wrong| format!("{}: {}", wrong.field, wrong.detail));
        let details: Vec<_> =
            Some(self.detail).filter(|detail| !detail.is_empty()).into_iter().chain(fields).collect();
        let message = self.message.or(self.error).or_else(|| {
            let all = self.errors.join("; ");
            (!all.is_empty()).then_some(all)
        });
        Some((message.filter(|message| !message.is_empty())?, details.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Option<String> {
        let (message, detail) = serde_json::from_str::<Complaint>(body).ok()?.told()?;
        Some(format!("{message}|{detail}"))
    }

    #[test]
    fn every_form_of_an_error_is_read() {
        assert_eq!(told(r#"{"error":"who are you?"}"#), Some("who are you?|".to_owned()));
        assert_eq!(told(r#"{"errors":["a","b"]}"#), Some("a; b|".to_owned()));
        let whole =
            r#"{"message":"No.","detail":"slow_down","validations":[{"field":"id","detail":"is empty"}]}"#;
        assert_eq!(told(whole), Some("No.|slow_down; id: is empty".to_owned()));
        assert_eq!(told(r#"{"message":""}"#), None);
        assert_eq!(told("<html>"), None);
    }
}
