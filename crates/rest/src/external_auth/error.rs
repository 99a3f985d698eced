//! The errors of this API: one body, and one table from what went wrong to what the caller reads.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::authorizations::{BeginDeviceFlowError, PollDeviceFlowError};
use grantkeeper_domain::links::{AwaitLinkError, LendLinkTokenError, UnlinkError};
use grantkeeper_domain::providers::{FindGitProviderError, GitRemoteError, ProviderNotFound};
use grantkeeper_domain::sealing::SealError;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{json, whole_seconds};
use crate::authentication::Unauthenticated;
use crate::body::{self, BodyError};
use crate::limits::Refused;
use crate::query::UnreadableParameter;

/// The one text of every 404: what a caller may not see does not exist for them.
const NOT_FOUND: &str = "Resource not found or you do not have access to this resource";

/// When a provider that limits us, and does not say for how long, may be asked again.
const UNNAMED_WAIT: Duration = Duration::from_secs(60);

/// An error as callers of `external-auth` read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExternalAuthError)]
pub(super) struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    /// Seconds.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// What went wrong; never empty.
    message: String,
    /// More about it, or a code; empty where there is no more to tell.
    detail: String,
    /// The fields at fault; empty where none is.
    validations: Vec<Validation>,
}

/// A field at fault.
#[derive(Debug, Serialize, ToSchema)]
struct Validation {
    /// Its name.
    field: Cow<'static, str>,
    /// What is wrong with it.
    detail: String,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            retry_after: None,
            message: message.into(),
            detail: String::new(),
            validations: Vec::new(),
        }
    }

    fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "This path does not take this method.")
    }

    /// Where the JSON breaks; never what stands there, it may be a secret.
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request body must be valid JSON.").with_detail(format!(
            "It breaks at line {}, column {}.",
            error.line(),
            error.column()
        ))
    }

    pub(super) fn invalid(field: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::invalid_fields(vec![Validation { field: field.into(), detail: detail.into() }])
    }

    /// Exactly one of these has to be there.
    pub(super) fn not_one_of(fields: [&'static str; 2]) -> Self {
        let detail = format!("exactly one of {} must be given, and not be empty", fields.join(" and "));
        let validation = |field| Validation { field: Cow::Borrowed(field), detail: detail.clone() };
        Self::invalid_fields(fields.map(validation).into())
    }

    fn invalid_fields(validations: Vec<Validation>) -> Self {
        Self { validations, ..Self::new(StatusCode::BAD_REQUEST, "Validation failed.") }
    }

    /// A call with a cookie that no page of this service has made.
    pub(super) fn foreign_origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This call did not come from a page of this service.").with_detail(
            "A call that changes something and comes with a cookie needs an Origin header with the address of this service, \
             and another site cannot begin a device flow.",
        )
    }

    /// Why a poll did not link the account, as one of the codes of RFC 8628, 3.5: clients poll on after
    /// `authorization_pending` and `slow_down`, and after nothing else.
    pub(super) fn not_exchanged(code: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Failed to exchange device code.").with_detail(code)
    }

    pub(super) fn unavailable() -> Self {
        let message = "The service cannot reach its store. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).after(1)
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred.")
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = json(self.status, self);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"grantkeeper\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The cause goes to the log; the caller learns that it is our fault.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
        match error {
            StoreError::Unavailable(_) => Self::unavailable(),
            StoreError::Unexpected(_) => Self::internal(),
        }
    }
}

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        error.into_store_error().into()
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = "Too many requests of this kind.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, message)
            .with_detail(refused.to_string())
            .after(refused.retry_after())
    }
}

impl From<Unauthenticated> for ApiError {
    fn from(error: Unauthenticated) -> Self {
        match error {
            Unauthenticated::NoToken => {
                Self::new(StatusCode::UNAUTHORIZED, "You must be signed in to do this.").with_detail(
                    "Send a valid API token as Coder-Session-Token: <API token>, or as \
                     Authorization: Bearer <API token>.",
                )
            }
            Unauthenticated::Refused(refused) => refused.into(),
            Unauthenticated::OnlyReadsTokens => {
                Self::new(StatusCode::FORBIDDEN, "This token only reads access tokens.")
            }
            Unauthenticated::Store(error) => error.into(),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.")
                .with_detail(format!("It is larger than {} bytes.", body::LARGEST)),
            BodyError::TooSlow => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "Request body took too long to come.")
            }
            BodyError::Incomplete => {
                Self::new(StatusCode::BAD_REQUEST, "Request body could not be read to its end.")
            }
        }
    }
}

impl From<ProviderNotFound> for ApiError {
    fn from(error: ProviderNotFound) -> Self {
        match error {
            ProviderNotFound::NotFound => Self::not_found(),
            ProviderNotFound::Store(error) => error.into(),
        }
    }
}

impl From<UnreadableParameter> for ApiError {
    fn from(error: UnreadableParameter) -> Self {
        let name = error.name.map_or(Cow::Borrowed("query"), Cow::Owned);
        Self::invalid(name, "must be UTF-8 in percent-encoding")
    }
}

impl From<FindGitProviderError> for ApiError {
    fn from(error: FindGitProviderError) -> Self {
        match error {
            FindGitProviderError::Remote(error @ GitRemoteError::Malformed) => {
                Self::invalid("match", error.to_string())
            }
            // Nobody's token is of use there: git is left to its own devices.
            FindGitProviderError::Remote(GitRemoteError::Transport) | FindGitProviderError::NotFound => {
                Self::not_found()
            }
            FindGitProviderError::Several(candidates) => {
                let message = "The remote is at several providers, none of which fits better than the others. Ask with id.";
                Self::new(StatusCode::CONFLICT, message).with_detail(candidates.join(", "))
            }
            FindGitProviderError::Store(error) => error.into(),
        }
    }
}

impl From<UnlinkError> for ApiError {
    fn from(error: UnlinkError) -> Self {
        match error {
            UnlinkError::NotFound => Self::not_found(),
            UnlinkError::Store(error) => error.into(),
        }
    }
}

impl From<LendLinkTokenError> for ApiError {
    fn from(error: LendLinkTokenError) -> Self {
        match error {
            LendLinkTokenError::ProviderNotActive => {
                let message = "This provider is not active and gives no access tokens. Ask an administrator.";
                Self::new(StatusCode::BAD_REQUEST, message)
            }
            LendLinkTokenError::Unavailable { reason } => {
                let message =
                    "The access token has expired and the provider has not given another. Try again.";
                Self::new(StatusCode::BAD_GATEWAY, message).with_detail(reason)
            }
            LendLinkTokenError::Store(error) => error.into(),
        }
    }
}

impl From<AwaitLinkError> for ApiError {
    fn from(error: AwaitLinkError) -> Self {
        match error {
            // An error, for published clients ask again at any error, and take all else for a token.
            AwaitLinkError::TimeIsUp => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "Nothing was linked in time; ask again.")
            }
            AwaitLinkError::Stopping => {
                let message = "The service is being restarted; ask again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message).after(1)
            }
            AwaitLinkError::Caller(error) => Unauthenticated::from(error).into(),
            AwaitLinkError::Lend(error) => error.into(),
        }
    }
}

impl From<BeginDeviceFlowError> for ApiError {
    fn from(error: BeginDeviceFlowError) -> Self {
        match error {
            BeginDeviceFlowError::ProviderNotFound => Self::not_found(),
            BeginDeviceFlowError::NotActive => not_active(),
            BeginDeviceFlowError::NotOffered => no_device_flow(),
            BeginDeviceFlowError::RateLimited { retry_after } => {
                let wait = whole_seconds(retry_after.unwrap_or(UNNAMED_WAIT)).max(1);
                let message = "The provider limits how often it may be asked. Try again later.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, message).after(wait)
            }
            BeginDeviceFlowError::Unavailable { reason } => {
                Self::new(StatusCode::BAD_GATEWAY, "The provider gave no device code.").with_detail(reason)
            }
            BeginDeviceFlowError::Seal(error) => error.into(),
            BeginDeviceFlowError::Store(error) => error.into(),
        }
    }
}

impl From<PollDeviceFlowError> for ApiError {
    fn from(error: PollDeviceFlowError) -> Self {
        match error {
            PollDeviceFlowError::ProviderNotFound => Self::not_found(),
            PollDeviceFlowError::NotActive => not_active(),
            PollDeviceFlowError::NotOffered => no_device_flow(),
            PollDeviceFlowError::Store(error) => error.into(),
        }
    }
}

/// Clients of this API know 400 as the status of what cannot go on, and show its message.
fn not_active() -> ApiError {
    let message = "This provider is not active and takes no new links. Ask an administrator.";
    ApiError::new(StatusCode::BAD_REQUEST, message)
}

fn no_device_flow() -> ApiError {
    let message = "This provider has no device flow, or it is not switched on.";
    ApiError::new(StatusCode::BAD_REQUEST, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_store_that_failed_is_our_fault_and_its_words_stay_with_us() {
        let unavailable = || StoreError::Unavailable("db.internal refused".into());
        let unexpected = || StoreError::Unexpected("no such table".into());
        for (error, status, retry_after, message) in [
            (unavailable().into(), 503, Some("1"), "The service cannot reach its store. Try again."),
            (
                PollDeviceFlowError::Store(unavailable()).into(),
                503,
                Some("1"),
                "The service cannot reach its store. Try again.",
            ),
            (BeginDeviceFlowError::Store(unexpected()).into(), 500, None, "An internal error occurred."),
            (ApiError::from(Unauthenticated::Store(unexpected())), 500, None, "An internal error occurred."),
        ] {
            let answer = error.error_response();
            let named = answer.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap());
            assert_eq!((answer.status().as_u16(), named), (status, retry_after));
            let body: Value = serde_json::to_value(&error).unwrap();
            assert_eq!(body, json!({ "message": message, "detail": "", "validations": [] }));
        }
    }
}
