//! The caller of those calls that want one.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grantkeeper_domain::accounts::Caller;

use super::error::ApiError;
use crate::Api;
use crate::authentication::{Unauthenticated, authorization_token, caller_with, token_reader_with};

/// The caller; not an agent. Most calls of this API are of people who have no token yet, so it is asked for by handler.
pub(super) struct Authenticated(pub(super) Caller);

impl FromRequest for Authenticated {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = token_in(&request)?;
            Ok(Self(caller_with(Api::of(&request), &request, token).await?))
        })
    }
}

/// The same, and it may be an agent: whoever has a token may ask about it, and give it up.
pub(super) struct AnyCaller(pub(super) Caller);

impl FromRequest for AnyCaller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = token_in(&request)?;
            Ok(Self(token_reader_with(Api::of(&request), &request, token).await?))
        })
    }
}

fn token_in(request: &HttpRequest) -> Result<&str, Unauthenticated> {
    let token = authorization_token(request, &["bearer"]).filter(|token| !token.is_empty());
    token.ok_or(Unauthenticated::NoToken)
}
