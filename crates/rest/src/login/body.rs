//! Reading the one body of this API: a JSON string.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grantkeeper_domain::Secret;

use super::encoded_session::decoded;
use super::error::ApiError;
use crate::body;

/// The session of a device login, as its client sends it back.
pub(super) struct SessionInBody(pub(super) Secret);

impl FromRequest for SessionInBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = body::whole(request, payload);
        Box::pin(async move {
            let text: String = serde_json::from_slice(&body.await?)
                .map_err(|_| ApiError::invalid("the body must be a JSON string"))?;
            let handle = decoded(&Secret::new(text));
            handle
                .map(Self)
                .ok_or_else(|| ApiError::invalid("the body must be an encodedSession as it was given"))
        })
    }
}
