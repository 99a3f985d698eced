//! How calls of this API fail. Status, headers and example of each are taken from the answer itself.

use grantkeeper_domain::authorizations::{BeginDeviceFlowError, PollDeviceFlowError};
use grantkeeper_domain::links::{AwaitLinkError, LendLinkTokenError};
use grantkeeper_domain::providers::{FindGitProviderError, GitRemoteError};
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

pub(super) fn not_for_agents() -> Failure {
    let description = "The token is an agent's, which only reads access tokens. Or the call comes with a cookie from \
                       somewhere else: it changes something and has no `Origin` with the address of this service, or it \
                       begins a device flow and the browser says that another site has led there.";
    let failure = failure("NotForAgents", description, Unauthenticated::OnlyReadsTokens);
    failure.example("origin", json!(ApiError::foreign_origin()))
}

pub(super) fn not_found() -> Failure {
    let description =
        "There is no such provider, or it is another organization's; or there is no link to end.";
    failure("NoSuchProvider", description, ApiError::not_found())
}

pub(super) fn nothing_there() -> Failure {
    let description = "There is no such provider, or the remote is at none: git may go on without.";
    failure("NoProviderThere", description, ApiError::not_found())
}

pub(super) fn not_one_provider() -> Failure {
    let description = "Not exactly one of `id` and `match`, or no git remote; or the provider is not active.";
    let failure = failure("NoOneProvider", description, ApiError::not_one_of(["id", "match"]));
    let malformed = FindGitProviderError::Remote(GitRemoteError::Malformed);
    failure
        .example("remote", json!(ApiError::from(malformed)))
        .example("inactive", json!(ApiError::from(LendLinkTokenError::ProviderNotActive)))
}

pub(super) fn several_providers() -> Failure {
    let description = "The remote is at several providers, none of which fits better than the others; `detail` has what they \
                       are called, for `id`.";
    let candidates = vec!["github".to_owned(), "github-enterprise".to_owned()];
    failure("SeveralProviders", description, FindGitProviderError::Several(candidates))
}

pub(super) fn no_token() -> Failure {
    let description = "The access token has expired, and the provider has not given another.";
    let error = LendLinkTokenError::Unavailable { reason: "timeout".to_owned() };
    failure("NoFreshToken", description, error)
}

pub(super) fn time_is_up() -> Failure {
    failure(
        "NothingLinked",
        "Nothing was linked while the call has waited; ask again.",
        AwaitLinkError::TimeIsUp,
    )
}

pub(super) fn stopping() -> Failure {
    let description =
        "The service cannot reach its store, or is being restarted while the call waits; try again.";
    let failure = failure("TryAgain", description, ApiError::unavailable());
    failure.example("restart", json!(ApiError::from(AwaitLinkError::Stopping)))
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
