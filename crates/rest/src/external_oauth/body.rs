//! Reading JSON bodies: whatever is wrong with one is answered in this API's own form.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde_json::Value;

use super::error::ApiError;
use super::fields::Fields;
use crate::limits::in_time;

/// Room for a client secret or a code of tens of kilobytes, and no more.
pub(super) const LARGEST: usize = 256 * 1024;

/// The members of the JSON object that is the body.
pub(super) struct JsonObject(pub(super) Fields);

impl FromRequest for JsonObject {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Payload::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let incomplete = |_| ApiError::invalid("body", "could not be read to its end");
            let body = body.await.map_err(incomplete)?;
            let bytes = match in_time(&request, body.to_bytes_limited(LARGEST)).await {
                None => return Err(ApiError::too_slow()),
                Some(Err(_)) => return Err(ApiError::too_large(LARGEST)),
                Some(Ok(bytes)) => bytes.map_err(incomplete)?,
            };
            match serde_json::from_slice(&bytes) {
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
