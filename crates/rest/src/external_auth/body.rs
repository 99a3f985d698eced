//! Reading JSON bodies of this API.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grantkeeper_domain::Secret;
use serde_json::Value;

use super::error::ApiError;
use crate::body;

/// The body of a poll. Members that are not known are passed by, as in the reference.
pub(super) struct DevicePoll {
    /// What the caller polls with.
    pub(super) device_code: Secret,
}

/// The member that a poll is about.
const DEVICE_CODE: &str = "device_code";

impl FromRequest for DevicePoll {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = body::whole(request, payload);
        Box::pin(async move { Self::read(&body.await?) })
    }
}

impl DevicePoll {
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let mut poll: Value = serde_json::from_slice(body).map_err(|error| ApiError::malformed(&error))?;
        match poll.get_mut(DEVICE_CODE).map(Value::take) {
            Some(Value::String(code)) if !code.is_empty() => Ok(Self { device_code: Secret::new(code) }),
            _ => Err(ApiError::invalid(DEVICE_CODE, "must be a string that is not empty")),
        }
    }
}
