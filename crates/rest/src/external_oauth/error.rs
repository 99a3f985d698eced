//! The errors of this API: one body, and one table from what went wrong to what the caller reads.

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::accounts::Forbidden;
use grantkeeper_domain::authorizations::{
    AuthorizationNotFound, CompleteFlowError, DeleteAuthorizationError, LookUpUserError, StartFlowError,
};
use grantkeeper_domain::jobs::{QueueStatsError, ViewJobError};
use grantkeeper_domain::providers::{
    DeleteProviderError, ProviderNotFound, RegisterProviderError, RegistrationError, UpdateProviderError,
};
use grantkeeper_domain::revocations::ViewRevocationError;
use grantkeeper_domain::sealing::SealError;
use grantkeeper_domain::tokens::LendError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::{ONLY_READS_TOKENS, Unauthenticated};
use crate::body::{self, BodyError};
use crate::limits::Refused;
use crate::query::UnreadableParameter;

/// An error as the caller reads it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    /// Seconds.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// What went wrong, and what to do about it.
    message: String,
    /// The fields and parameters at fault; empty where none is.
    error_fields: Vec<FieldError>,
}

/// A field at fault, and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldError {
    /// Its name; `body` or `query` where it is all of it.
    pub(super) name: String,
    /// What is wrong with it.
    pub(super) message: String,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, retry_after: None, message: message.into(), error_fields: Vec::new() }
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
    }

    pub(super) fn unavailable() -> Self {
        let message = "the service cannot reach its store; try again";
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message) }
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    pub(super) fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let message = format!("the request is not valid: {}", names.join(", "));
        Self { error_fields: fields, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message) }
    }

    pub(super) fn invalid(name: &str, message: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldError { name: name.to_owned(), message: message.into() }])
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
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"grantkeeper\""));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.json(self)
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
        let retry_after = Some(refused.retry_after());
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, refused.to_string()) }
    }
}

impl From<Unauthenticated> for ApiError {
    fn from(error: Unauthenticated) -> Self {
        match error {
            Unauthenticated::NoToken => Self::new(
                StatusCode::UNAUTHORIZED,
                "a valid API token is needed: Authorization: Bearer <API token>",
            ),
            Unauthenticated::Refused(refused) => refused.into(),
            Unauthenticated::OnlyReadsTokens => Self::new(StatusCode::FORBIDDEN, ONLY_READS_TOKENS),
            Unauthenticated::Store(error) => error.into(),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is larger than {} bytes", body::LARGEST),
            ),
            BodyError::TooSlow => Self::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to come"),
            BodyError::Incomplete => Self::invalid("body", "could not be read to its end"),
        }
    }
}

impl From<UnreadableParameter> for ApiError {
    fn from(error: UnreadableParameter) -> Self {
        Self::invalid(error.name.as_deref().unwrap_or("query"), "must be percent-encoded UTF-8")
    }
}

impl From<Forbidden> for ApiError {
    fn from(error: Forbidden) -> Self {
        Self::new(StatusCode::FORBIDDEN, error.to_string())
    }
}

impl From<RegistrationError> for ApiError {
    fn from(error: RegistrationError) -> Self {
        Self::invalid(error.field, error.message)
    }
}

impl From<ProviderNotFound> for ApiError {
    fn from(error: ProviderNotFound) -> Self {
        match error {
            ProviderNotFound::NotFound => Self::not_found("there is no such provider"),
            ProviderNotFound::Store(error) => error.into(),
        }
    }
}

impl From<RegisterProviderError> for ApiError {
    fn from(error: RegisterProviderError) -> Self {
        match error {
            RegisterProviderError::Forbidden(error) => error.into(),
            RegisterProviderError::Invalid(error) => error.into(),
            RegisterProviderError::Seal(error) => error.into(),
            RegisterProviderError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateProviderError> for ApiError {
    fn from(error: UpdateProviderError) -> Self {
        match error {
            UpdateProviderError::Forbidden(error) => error.into(),
            UpdateProviderError::NotFound => ProviderNotFound::NotFound.into(),
            UpdateProviderError::Invalid(error) => error.into(),
            UpdateProviderError::Seal(error) => error.into(),
            UpdateProviderError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteProviderError> for ApiError {
    fn from(error: DeleteProviderError) -> Self {
        match error {
            DeleteProviderError::Forbidden(error) => error.into(),
            DeleteProviderError::NotFound => ProviderNotFound::NotFound.into(),
            DeleteProviderError::Store(error) => error.into(),
        }
    }
}

impl From<StartFlowError> for ApiError {
    fn from(error: StartFlowError) -> Self {
        match error {
            StartFlowError::ProviderNotFound => ProviderNotFound::NotFound.into(),
            StartFlowError::NotActive => Self::new(StatusCode::CONFLICT, error.to_string()),
            StartFlowError::RedirectUri(_) | StartFlowError::RedirectNotAllowed => {
                Self::invalid("redirect_uri", error.to_string())
            }
            StartFlowError::Seal(error) => error.into(),
            StartFlowError::Store(error) => error.into(),
        }
    }
}

impl From<CompleteFlowError> for ApiError {
    fn from(error: CompleteFlowError) -> Self {
        match error {
            CompleteFlowError::ProviderNotFound => ProviderNotFound::NotFound.into(),
            // Callers are signed in by their token.
            CompleteFlowError::InvalidState | CompleteFlowError::NotSignedIn => Self {
                error_fields: vec![FieldError {
                    name: "state".to_owned(),
                    message: "is unknown, expired, used up or not yours".to_owned(),
                }],
                ..Self::new(StatusCode::BAD_REQUEST, error.to_string())
            },
            CompleteFlowError::Refused { .. } => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            CompleteFlowError::Unavailable { .. } => Self::new(StatusCode::BAD_GATEWAY, error.to_string()),
            CompleteFlowError::Store(error) => error.into(),
        }
    }
}

impl From<AuthorizationNotFound> for ApiError {
    fn from(error: AuthorizationNotFound) -> Self {
        match error {
            AuthorizationNotFound::NotFound => Self::not_found("there is no such authorization"),
            AuthorizationNotFound::Store(error) => error.into(),
        }
    }
}

impl From<DeleteAuthorizationError> for ApiError {
    fn from(error: DeleteAuthorizationError) -> Self {
        match error {
            DeleteAuthorizationError::NotFound => AuthorizationNotFound::NotFound.into(),
            DeleteAuthorizationError::Store(error) => error.into(),
        }
    }
}

impl From<LendError> for ApiError {
    fn from(error: LendError) -> Self {
        match error {
            LendError::NotFound => AuthorizationNotFound::NotFound.into(),
            LendError::ProviderNotActive => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            LendError::GrantDead { .. } => Self::new(StatusCode::GONE, error.to_string()),
            LendError::Unavailable { .. } => Self::new(StatusCode::BAD_GATEWAY, error.to_string()),
            LendError::Store(error) => error.into(),
        }
    }
}

impl From<LookUpUserError> for ApiError {
    fn from(error: LookUpUserError) -> Self {
        match error {
            LookUpUserError::Token(error) => error.into(),
            LookUpUserError::TokenRefused => Self::new(StatusCode::GONE, error.to_string()),
            LookUpUserError::Unavailable { .. } => Self::new(StatusCode::BAD_GATEWAY, error.to_string()),
        }
    }
}

impl From<ViewRevocationError> for ApiError {
    fn from(error: ViewRevocationError) -> Self {
        match error {
            ViewRevocationError::NotFound => Self::not_found("there is no such revocation"),
            ViewRevocationError::Store(error) => error.into(),
        }
    }
}

impl From<QueueStatsError> for ApiError {
    fn from(error: QueueStatsError) -> Self {
        match error {
            QueueStatsError::Forbidden(error) => error.into(),
            QueueStatsError::Store(error) => error.into(),
        }
    }
}

impl From<ViewJobError> for ApiError {
    fn from(error: ViewJobError) -> Self {
        match error {
            ViewJobError::Forbidden(error) => error.into(),
            ViewJobError::NotFound => Self::not_found("there is no such job"),
            ViewJobError::Store(error) => error.into(),
        }
    }
}
