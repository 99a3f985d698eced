//! The caller of those calls that want one.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grantkeeper_domain::accounts::Caller;

use super::error::ApiError;
use crate::Api;
use crate::authentication::{Unauthenticated, authorization_token, caller_with};

/// The caller. Most calls of this API are of people who have no token yet, so it is asked for by handler.
pub(super) struct Authenticated(pub(super) Caller);

impl FromRequest for Authenticated {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = authorization_token(&request, &["bearer"]).filter(|token| !token.is_empty());
            let token = token.ok_or(Unauthenticated::NoToken)?;
            Ok(Self(caller_with(Api::of(&request), &request, token).await?))
        })
    }
}
