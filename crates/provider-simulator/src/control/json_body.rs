//! JSON bodies of the control plane; what content type they are sent with does not matter.

use actix_web::HttpResponse;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Reads a body; the error is for people.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// Tells what is wrong with a body.
pub(super) fn unprocessable(reason: &str) -> HttpResponse {
    HttpResponse::UnprocessableEntity().json(json!({ "message": reason }))
}
