//! How calls of this API fail. Status, headers and example of each are taken from the answer itself.

use grantkeeper_domain::authorizations::{BeginDeviceFlowError, PollDeviceFlowError};
use serde_json::json;

use super::super::error::ApiError;
use crate::authentication::Unauthenticated;
use crate::body::BodyError;
use crate::limits::Refused;
use crate::openapi::Failure;

fn failure(name: &'static str, description: &'static str, error: impl Into<ApiError>) -> Failure {
    Failure::of(name, description, &error.into())
}

pub(super) fn unauthenticated() -> Failure {
    let description = "No API token, or none that is valid. It is looked at before anything else.";
    failure("NotSignedIn", description, Unauthenticated::NoToken)
}

pub(super) fn not_found() -> Failure {
    let description = "There is no such provider, or it is another organization's.";
    failure("NoSuchProvider", description, ApiError::not_found())
}

pub(super) fn too_large() -> Failure {
    failure("BodyTooLarge", "The body is too large.", BodyError::TooLarge)
}

pub(super) fn too_slow() -> Failure {
    failure("BodyTooSlow", "The body took too long to come.", BodyError::TooSlow)
}

pub(super) fn too_many() -> Failure {
    let description = "Too many calls of this kind, by the caller or from the address; too many wrong API tokens from \
                       the address; or the provider limits the rate. `Retry-After` says for how many seconds to wait.";
    let failure = failure("TooOften", description, Refused::EXAMPLE);
    let limited = BeginDeviceFlowError::RateLimited { retry_after: None };
    failure.example("provider", json!(ApiError::from(limited)))
}

pub(super) fn internal() -> Failure {
    let description = "A defect of the service; its log has the cause.";
    failure("InternalError", description, ApiError::internal())
}

pub(super) fn unavailable() -> Failure {
    let description = "The service cannot reach its store; try again.";
    failure("StoreUnavailable", description, ApiError::unavailable())
}

pub(super) fn no_device_flow() -> Failure {
    let description =
        "The provider has no device flow, or its `deviceFlow` is switched off; or it is not active.";
    let failure = failure("NoDeviceFlow", description, BeginDeviceFlowError::NotOffered);
    failure.example("inactive", json!(ApiError::from(BeginDeviceFlowError::NotActive)))
}

pub(super) fn no_device_code() -> Failure {
    let error = BeginDeviceFlowError::Unavailable { reason: "timeout".to_owned() };
    failure("NoDeviceCode", "The provider has refused, or has not answered, or not sensibly.", error)
}

pub(super) fn not_linked() -> Failure {
    let description = "Not linked. With the message `Failed to exchange device code.` the `detail` is one of \
                       `authorization_pending`, `slow_down` (poll on), `expired_token` and `access_denied` (it is over; a \
                       code that is unknown or another account's has expired). Any other message: the body is not valid, or \
                       the provider has no device flow or is not active.";
    let failure = failure("NotLinked", description, ApiError::not_exchanged("authorization_pending"));
    let invalid = ApiError::invalid("device_code", "must be a string that is not empty");
    failure
        .example("slow_down", json!(ApiError::not_exchanged("slow_down")))
        .example("expired_token", json!(ApiError::not_exchanged("expired_token")))
        .example("access_denied", json!(ApiError::not_exchanged("access_denied")))
        .example("invalid", json!(invalid))
        .example("no_device_flow", json!(ApiError::from(PollDeviceFlowError::NotOffered)))
        .example("inactive", json!(ApiError::from(PollDeviceFlowError::NotActive)))
}
