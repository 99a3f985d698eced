//! How calls of this API fail. Status, headers and example of each are taken from the answer itself.

use grantkeeper_domain::accounts::Forbidden;
use grantkeeper_domain::authorizations::{CompleteFlowError, StartFlowError};
use grantkeeper_domain::tokens::LendError;
use serde_json::json;

use super::super::error::ApiError;
use crate::authentication::Unauthenticated;
use crate::body::BodyError;
use crate::limits::Refused;
use crate::openapi::Failure;

fn failure(name: &'static str, description: &'static str, error: &ApiError) -> Failure {
    Failure::of(name, description, error)
}

pub(super) fn unauthenticated() -> Failure {
    let description = "No API token, or none that is valid. It is looked at before anything else.";
    failure("Unauthenticated", description, &Unauthenticated::NoToken.into())
}

pub(super) fn not_for_agents() -> Failure {
    let description = "The token is an agent's, which only reads access tokens.";
    failure("OnlyReadsTokens", description, &Unauthenticated::OnlyReadsTokens.into())
}

pub(super) fn administrators_only() -> Failure {
    let description = "Only administrators of the organization may do this, and no agents.";
    let failure = failure("AdministratorsOnly", description, &Forbidden.into());
    failure.example("agent", json!(ApiError::from(Unauthenticated::OnlyReadsTokens)))
}

pub(super) fn not_found() -> Failure {
    let description = "There is no such thing, or it is another organization's or another user's.";
    failure("NotFound", description, &ApiError::not_found("there is no such provider"))
}

pub(super) fn invalid() -> Failure {
    let description = "The request is not valid; every field and parameter that is at fault is named.";
    failure("Invalid", description, &ApiError::invalid("name", "is required"))
}

pub(super) fn too_large() -> Failure {
    failure("TooLarge", "The body is too large.", &BodyError::TooLarge.into())
}

pub(super) fn too_slow() -> Failure {
    failure("TooSlow", "The body took too long to come.", &BodyError::TooSlow.into())
}

pub(super) fn too_many() -> Failure {
    let description = "Too many calls of this kind, by the caller or from the address; or too many wrong \
                       API tokens from the address. `Retry-After` says for how many seconds to wait.";
    failure("TooMany", description, &Refused::EXAMPLE.into())
}

pub(super) fn internal() -> Failure {
    failure("Internal", "A defect of the service; its log has the cause.", &ApiError::internal())
}

pub(super) fn unavailable() -> Failure {
    failure("Unavailable", "The service cannot reach its store; try again.", &ApiError::unavailable())
}

pub(super) fn flow_refused() -> Failure {
    let refused = CompleteFlowError::Refused { reason: "invalid_grant".to_owned() };
    let description =
        "The state is unknown, expired, used up or another caller's; or the provider refused the code.";
    let failure = failure("FlowRefused", description, &CompleteFlowError::InvalidState.into());
    failure.example("another", json!(ApiError::from(refused)))
}

pub(super) fn not_ready_for_flows() -> Failure {
    let description = "The provider is not active, and takes no new users.";
    failure("ProviderNotActive", description, &StartFlowError::NotActive.into())
}

pub(super) fn not_ready_for_tokens() -> Failure {
    let description =
        "The provider is paused, or it refuses our client credentials and the stored token has expired.";
    failure("NoTokensFromProvider", description, &LendError::ProviderNotActive.into())
}

pub(super) fn not_ready_for_users() -> Failure {
    let description = "The provider is paused, or it refuses our client credentials and the stored token has expired. Or \
                       the token is an agent's, which only reads access tokens.";
    let failure = failure("NoUsersFromProvider", description, &LendError::ProviderNotActive.into());
    failure.example("agent", json!(ApiError::from(Unauthenticated::OnlyReadsTokens)))
}

pub(super) fn grant_dead() -> Failure {
    let error = LendError::GrantDead { reason: "invalid_grant".to_owned() };
    failure("GrantDead", "The grant is dead for good: the user has to authorize again.", &error.into())
}

pub(super) fn provider_silent() -> Failure {
    let error = LendError::Unavailable { reason: "timeout".to_owned() };
    let description = "The provider has not answered, or not sensibly. The work goes on, and the same \
                       call, repeated, gets its outcome.";
    failure("ProviderSilent", description, &error.into())
}
