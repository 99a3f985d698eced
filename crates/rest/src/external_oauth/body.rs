//! Reading JSON bodies: whatever is wrong with one is answered in this API's own form.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;

use super::error::ApiError;
use super::fields::Fields;
use crate::body;

/// The members of the JSON object that is the body.
pub(super) struct JsonObject(pub(super) Fields);

impl FromRequest for JsonObject {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = body::whole(request, payload);
        Box::pin(async move {
            match serde_json::from_slice(&body.await?) {
                Ok(Value::Object(members)) => Ok(Self(Fields::new(members))),
                Ok(_) => Err(ApiError::invalid("body", "must be a JSON object")),
                Err(error) => Err(ApiError::invalid("body", malformed(&error))),
            }
        })
    }
}

/// Where the JSON breaks; never what stands there, it may be a secret.
fn malformed(error: &serde_json::Error) -> String {
    format!("is not valid JSON (line {}, column {})", error.line(), error.column())
}
