//! Where callers of this API put their token.

use std::borrow::Cow;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};

use super::error::ApiError;
use crate::authentication::{self, authorization_token, let_through};

/// The caller, in a handler behind [`authenticate`].
pub(super) type Authenticated = authentication::Authenticated<ApiError>;

/// The same, and it may be an agent.
pub(super) type TokenReader = authentication::TokenReader<ApiError>;

/// Lets callers with a usable API token through.
pub(super) async fn authenticate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let_through::<ApiError, B>(token_in, request, next).await
}

/// `Authorization: Bearer <token>`, or `Token <token>`, which older clients send.
fn token_in(request: &HttpRequest) -> Option<Cow<'_, str>> {
    authorization_token(request, &["bearer", "token"]).map(Cow::Borrowed)
}
