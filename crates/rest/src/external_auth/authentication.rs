//! Where callers of this API put their token.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};

use super::error::ApiError;
use crate::authentication::{self, authorization_token, let_through, only_header};

/// The header of the dashboard, the command line and the workspace agent.
static SESSION_TOKEN: HeaderName = HeaderName::from_static("coder-session-token");

/// The caller, in a handler behind [`authenticate`].
pub(super) type Authenticated = authentication::Authenticated<ApiError>;

/// Lets callers with a usable API token through.
pub(super) async fn authenticate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let_through::<ApiError, B>(token_in, request, next).await
}

/// Of the ways to send a token the first that is used counts, be the token a good one or not.
fn token_in(request: &HttpRequest) -> Option<&str> {
    let way = if request.headers().contains_key(&SESSION_TOKEN) { session_token } else { bearer_token };
    way(request).filter(|token| !token.is_empty())
}

fn session_token(request: &HttpRequest) -> Option<&str> {
    only_header(request, &SESSION_TOKEN).map(str::trim)
}

fn bearer_token(request: &HttpRequest) -> Option<&str> {
    authorization_token(request, &["bearer"])
}
