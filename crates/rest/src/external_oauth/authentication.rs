//! Authentication of callers: before anything else is looked at.

use std::future::{Ready, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError as _, web};
use grantkeeper_domain::accounts::{AuthenticateError, Caller};

use super::error::ApiError;
use crate::Api;
use crate::limits::Attempt;
use crate::request_log::request_id;

/// Lets callers with a usable API token through.
pub(super) async fn authenticate<B: MessageBody>(
    api: web::Data<Api>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match caller(&api, request.request()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        // An answer, not an error: an error would pass by the request log and the headers.
        Err(error) => Ok(request.into_response(error.error_response()).map_into_right_body()),
    }
}

async fn caller(api: &Api, request: &HttpRequest) -> Result<Caller, ApiError> {
    let token = api_token(request).ok_or_else(ApiError::unauthenticated)?;
    let attempt = Attempt::begin(api, request)?;
    match api.use_cases.authenticate.run(token, request_id(request)).await {
        Ok(caller) => Ok(caller),
        Err(AuthenticateError::Unauthenticated) => {
            attempt.failed();
            Err(ApiError::unauthenticated())
        }
        Err(AuthenticateError::Store(error)) => Err(error.into()),
    }
}

/// `Authorization: Bearer <token>`, or `Token <token>`, which older clients send. Two such headers are none.
fn api_token(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return None;
    };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    known.then(|| token.trim())
}

/// The caller, in a handler behind [`authenticate`].
pub(super) struct Authenticated(pub(super) Caller);

impl FromRequest for Authenticated {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        ready(caller.map(Self).ok_or_else(ApiError::unauthenticated))
    }
}
