//! Why a call was of no use.

use std::error::Error;
use std::time::Duration;

use crate::ServiceUrl;
use crate::credentials::{TOKEN_VARIABLE, TokenSource};

/// Why a call was of no use. The texts are for people; nothing in them is secret.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or one that broke.
    #[error("the service at {url} cannot be reached: {reason}")]
    Unreachable {
        /// Which service.
        url: ServiceUrl,
        /// In the words of whatever failed.
        reason: String,
    },
    /// The service has said no.
    #[error(transparent)]
    Refused(Refusal),
    /// Something before the service has answered in its place, as proxies do while it is away.
    #[error("{url} is answered with {status} before the service is reached")]
    OnTheWay {
        /// Which service.
        url: ServiceUrl,
        /// The HTTP status.
        status: u16,
        /// When it may be asked again.
        retry_after: Option<Duration>,
    },
    /// Something answers there that does not speak as the service does.
    #[error("what answers at {url} does not speak like Grantkeeper ({reason}): is the address right?")]
    NotUnderstood {
        /// Which service.
        url: ServiceUrl,
        /// What is strange.
        reason: String,
    },
    /// A name that no provider can have.
    #[error("no provider has such a name; `grantkeeper external-auth list` shows those there are")]
    NoSuchName,
    /// The TLS of this machine cannot be used.
    #[error("no call can be made from this machine: {0}")]
    NoClient(String),
}

/// The service has said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told())]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong; never empty.
    pub message: String,
    /// More about it, or a code; empty where there is no more.
    pub detail: String,
    /// When it may be asked again.
    pub retry_after: Option<Duration>,
    /// Where the token is from that it was called with; `None`: there was none, or nobody has said.
    pub token_source: Option<TokenSource>,
}

impl Refusal {
    fn told(&self) -> String {
        let what = if self.detail.is_empty() {
            self.message.clone()
        } else {
            format!("{} ({})", self.message, self.detail)
        };
        match (self.status, self.token_source) {
            (401, Some(TokenSource::Login)) => {
                format!("{what}: the token is not good any more; `grantkeeper login` gets another")
            }
            (401, Some(TokenSource::Environment)) => {
                format!(
                    "{what}: the token in {TOKEN_VARIABLE} is not good any more; set it to another, or to none"
                )
            }
            _ => what,
        }
    }
}

/// Whether the same call may be of use a moment later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskAgain {
    /// It is not.
    Never,
    /// A waiting call has reached its limit, and all is well: ask so much later, however often that was.
    After(Duration),
    /// Something is wrong that may pass: ask so much later, a number of times.
    Patiently(Duration),
}

/// How long to leave a service alone that does not say.
const A_MOMENT: Duration = Duration::from_secs(1);
/// How long to leave a service alone that is not there.
const LONGER: Duration = Duration::from_secs(5);

impl ClientError {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(Refusal { status, .. }) | Self::OnTheWay { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether to ask again.
    pub fn ask_again(&self) -> AskAgain {
        match self {
            Self::Refused(Refusal { status: 504, .. }) => AskAgain::After(A_MOMENT),
            Self::Refused(Refusal { status: 503, retry_after, .. }) => {
                AskAgain::Patiently(retry_after.unwrap_or(A_MOMENT))
            }
            Self::Refused(Refusal { status: 429, retry_after, .. }) => {
                AskAgain::Patiently(retry_after.unwrap_or(LONGER))
            }
            Self::OnTheWay { retry_after, .. } => AskAgain::Patiently(retry_after.unwrap_or(LONGER)),
            Self::Unreachable { .. } | Self::Refused(Refusal { status: 408 | 500 | 502, .. }) => {
                AskAgain::Patiently(LONGER)
            }
            Self::Refused(_) | Self::NotUnderstood { .. } | Self::NoSuchName | Self::NoClient(_) => {
                AskAgain::Never
            }
        }
    }
}

/// The last cause, without the address: a state may travel in that.
pub(crate) fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let error = error.without_url();
    let mut innermost: &dyn Error = &error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, detail: &str) -> ClientError {
        let retry_after = (status == 429).then_some(Duration::from_secs(30));
        ClientError::Refused(Refusal {
            status,
            message: "No.".to_owned(),
            detail: detail.to_owned(),
            retry_after,
            token_source: None,
        })
    }

    #[test]
    fn a_refusal_is_told_with_its_detail() {
        assert_eq!(refusal(409, "a, b").to_string(), "No. (a, b)");
        assert_eq!(refusal(404, "").to_string(), "No.");
        assert_eq!(refusal(401, "").to_string(), "No.");
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        assert_eq!(refusal(504, "").ask_again(), AskAgain::After(A_MOMENT));
        assert_eq!(refusal(429, "").ask_again(), AskAgain::Patiently(Duration::from_secs(30)));
        assert_eq!(refusal(503, "").ask_again(), AskAgain::Patiently(A_MOMENT));
        for status in [408, 500, 502] {
            assert_eq!(refusal(status, "").ask_again(), AskAgain::Patiently(LONGER), "{status}");
        }
        for status in [400, 401, 403, 404, 409] {
            assert_eq!(refusal(status, "").ask_again(), AskAgain::Never, "{status}");
        }
    }
}
