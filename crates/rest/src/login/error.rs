//! The errors of this API: its two bodies, and one table from what went wrong to what the caller reads.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::accounts::RevokeApiTokenError;
use grantkeeper_domain::login::LoginError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::{ONLY_READS_TOKENS, Unauthenticated};
use crate::body::{self, BodyError};
use crate::limits::Refused;

/// The reason of a session of a login by device code that is not known.
pub(super) const UNKNOWN_SESSION: &str = "unknown_session";

/// An error as callers of `login` read it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ApiError {
    /// The request is not valid.
    Invalid(Invalid),
    /// Anything else.
    Failed(Failed),
}

/// A request that is not valid: 400.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoginIssues)]
pub(super) struct Invalid {
    /// What is wrong, each with the parameter's name before it; never empty.
    errors: Vec<String>,
}

/// A call that failed in another way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoginError)]
pub(super) struct Failed {
    #[serde(skip)]
    status: StatusCode,
    /// Seconds.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// What went wrong, and what to do about it.
    error: String,
}

impl ApiError {
    pub(super) fn invalid(issue: impl Into<String>) -> Self {
        Self::invalid_for(vec![issue.into()])
    }

    pub(super) fn invalid_for(errors: Vec<String>) -> Self {
        Self::Invalid(Invalid { errors })
    }

    fn failed(status: StatusCode, error: impl Into<String>) -> Self {
        Self::Failed(Failed { status, retry_after: None, error: error.into() })
    }

    pub(super) fn not_found(error: &str) -> Self {
        Self::failed(StatusCode::NOT_FOUND, error)
    }

    pub(super) fn conflict() -> Self {
        Self::failed(StatusCode::CONFLICT, RevokeApiTokenError::Conflict.to_string())
    }

    /// The answer to a session that is not known; and to any other, known or not, where too many were not.
    pub(super) fn unknown_session() -> Self {
        Self::from(LoginError::Refused { reason: UNKNOWN_SESSION.to_owned() })
    }

    fn internal() -> Self {
        Self::failed(StatusCode::INTERNAL_SERVER_ERROR, "the service cannot do this just now; try again")
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Failed(failed) => failed.fmt(f),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(invalid) => invalid.status_code(),
            Self::Failed(failed) => failed.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Invalid(invalid) => invalid.error_response(),
            Self::Failed(failed) => failed.error_response(),
        }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.errors.join("; "))
    }
}

impl ResponseError for Invalid {
    fn status_code(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::BadRequest().json(self)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error)
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status).json(self);
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

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        Self::from(&error)
    }
}

/// By reference, since all who wait for one login get one error.
impl From<&LoginError> for ApiError {
    fn from(error: &LoginError) -> Self {
        match error {
            LoginError::UnknownProvider => Self::invalid(format!("provider: {error}")),
            LoginError::RedirectNotAllowed => Self::invalid("redirect: is not on the allow-list for logins"),
            LoginError::ForeignToken => Self::invalid(format!("access-token: {error}")),
            LoginError::Refused { .. } => Self::failed(StatusCode::UNAUTHORIZED, error.to_string()),
            LoginError::NotAllowed { .. } => Self::failed(StatusCode::FORBIDDEN, error.to_string()),
            LoginError::UnknownState => Self::not_found(&error.to_string()),
            LoginError::Unavailable { reason } if reason == LoginError::STOPPING => Self::failed(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the service is being restarted; ask again with the same session",
            ),
            LoginError::Unavailable { reason } => {
                tracing::warn!(reason, "a provider does not let people sign in");
                let message = "the provider has not answered, or not sensibly; try again";
                Self::failed(StatusCode::INTERNAL_SERVER_ERROR, message)
            }
            LoginError::Seal(error) => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "the secrets of a login do not open"
                );
                Self::internal()
            }
            LoginError::Store(error) => Self::from(error),
        }
    }
}

/// The cause goes to the log; the caller learns that it is our fault.
impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        tracing::error!(error = error as &dyn std::error::Error, "the store failed");
        Self::internal()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// 429 is no status that clients know.
impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::Failed(Failed {
            status: StatusCode::FORBIDDEN,
            retry_after: Some(refused.retry_after()),
            error: refused.to_string(),
        })
    }
}

impl From<Unauthenticated> for ApiError {
    fn from(error: Unauthenticated) -> Self {
        match error {
            // Whoever has presented too many wrong tokens learns of none whether it is right.
            Unauthenticated::NoToken | Unauthenticated::Refused(_) => Self::failed(
                StatusCode::UNAUTHORIZED,
                "no API token, or none that is valid; send one as Authorization: Bearer <API token>",
            ),
            Unauthenticated::OnlyReadsTokens => Self::failed(StatusCode::FORBIDDEN, ONLY_READS_TOKENS),
            Unauthenticated::Store(error) => error.into(),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::invalid(format!("the body is larger than {} bytes", body::LARGEST)),
            BodyError::TooSlow => Self::invalid("the body took too long to come"),
            BodyError::Incomplete => Self::invalid("the body could not be read to its end"),
        }
    }
}

impl From<RevokeApiTokenError> for ApiError {
    fn from(error: RevokeApiTokenError) -> Self {
        match error {
            RevokeApiTokenError::NotFound => Self::not_found(&error.to_string()),
            RevokeApiTokenError::Conflict => Self::conflict(),
            RevokeApiTokenError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::sealing::SealError;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_failure_has_one_of_the_statuses_that_clients_know() {
        let reason = || "code_of_ours".to_owned();
        let invalid = |text: &str| (400, json!({ "errors": [text] }));
        let failed = |status: u16, text: &str| (status, json!({ "error": text }));
        let internal = || failed(500, "the service cannot do this just now; try again");
        for (error, (status, body)) in [
            (LoginError::UnknownProvider, invalid("provider: there is no login provider of this name")),
            (LoginError::RedirectNotAllowed, invalid("redirect: is not on the allow-list for logins")),
            (
                LoginError::ForeignToken,
                invalid(
                    "access-token: the provider cannot tell that this token was issued to this service's client; sign in \
                     on the web or by device",
                ),
            ),
            (
                LoginError::Refused { reason: reason() },
                failed(401, "the login was refused (code_of_ours); start again"),
            ),
            (
                LoginError::NotAllowed { reason: "login_off" },
                failed(403, "this login is not allowed (login_off)"),
            ),
            (LoginError::UnknownState, failed(404, "the state is unknown or expired; start again")),
            (
                LoginError::Unavailable { reason: reason() },
                failed(500, "the provider has not answered, or not sensibly; try again"),
            ),
            (LoginError::Seal(SealError::UnknownFormat), internal()),
            (LoginError::Store(StoreError::Unavailable("db.internal refused".into())), internal()),
            (LoginError::Store(StoreError::Unexpected("no such table".into())), internal()),
        ] {
            let error = ApiError::from(error);
            assert_eq!((error.status_code().as_u16(), serde_json::to_value(&error).unwrap()), (status, body));
        }
        assert_eq!(ApiError::conflict().status_code(), StatusCode::CONFLICT);
    }

    #[test]
    fn no_body_is_answered_with_another_status_than_400() {
        for error in [BodyError::TooLarge, BodyError::TooSlow, BodyError::Incomplete] {
            let error = ApiError::from(error);
            assert_eq!(error.status_code(), StatusCode::BAD_REQUEST);
            let body: Value = serde_json::to_value(&error).unwrap();
            assert_eq!(body["errors"].as_array().map(Vec::len), Some(1));
        }
    }
}
