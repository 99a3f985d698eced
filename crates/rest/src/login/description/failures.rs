//! How calls of this API fail. Status, headers and example of each are taken from the answer itself.

use grantkeeper_domain::accounts::RevokeApiTokenError;
use grantkeeper_domain::login::LoginError;
use serde_json::json;

use super::super::error::ApiError;
use crate::authentication::Unauthenticated;
use crate::limits::Refused;
use crate::openapi::Failure;

fn failure(name: &'static str, description: &'static str, error: impl Into<ApiError>) -> Failure {
    match error.into() {
        ApiError::Invalid(invalid) => Failure::of(name, description, &invalid),
        ApiError::Failed(failed) => Failure::of(name, description, &failed),
    }
}

fn refusal(reason: &str) -> LoginError {
    LoginError::Refused { reason: reason.to_owned() }
}

pub(super) fn not_signed_in() -> Failure {
    let description = "No API token, or none that is valid. A wrong one is counted against the address it came from, and over \
                       the limit no token is looked at: the answer is the same.";
    failure("NoToken", description, Unauthenticated::NoToken)
}

pub(super) fn not_for_agents() -> Failure {
    let description = "The token is an agent's, which only reads access tokens.";
    failure("AgentsHaveNoTokens", description, Unauthenticated::OnlyReadsTokens)
}

pub(super) fn invalid() -> Failure {
    let description = "The request is not valid: a parameter is missing, comes twice or is not what it may be; no login \
                       provider has the name; a redirect is not on the allow-list; or the provider cannot tell that an \
                       access token was issued to this service's client.";
    failure("LoginInvalid", description, ApiError::invalid("provider: is required"))
        .example("provider", json!(ApiError::from(LoginError::UnknownProvider)))
        .example("redirect", json!(ApiError::from(LoginError::RedirectNotAllowed)))
        .example("token", json!(ApiError::from(LoginError::ForeignToken)))
}

pub(super) fn refused() -> Failure {
    let description = "The provider refuses the token or the code, or it was issued to another client; the person has said no; \
                       or a session is expired or unknown. The reason is in parentheses.";
    failure("LoginRefused", description, refusal("access_denied"))
        .example("session", json!(ApiError::from(refusal("unknown_session"))))
}

pub(super) fn not_allowed() -> Failure {
    let description = "Nobody signs in here, or not this person: their account is suspended or being deleted, or they have \
                       none and do not get one.";
    failure("LoginNotAllowed", description, LoginError::NotAllowed { reason: "not_invited" })
        .example("off", json!(ApiError::from(LoginError::NotAllowed { reason: "login_off" })))
}

/// Takes the place of [`not_allowed`] where both may happen: there is one description for each status.
pub(super) fn too_many() -> Failure {
    let description = "Nobody signs in here, or not this person: their account is suspended or being deleted, or they have \
                       none and do not get one. Or there were too many calls of this kind from the address, or too many wait: then \
                       `Retry-After` says for how many seconds to wait (clients of this API do not know 429).";
    failure("LoginNotAllowedNow", description, LoginError::NotAllowed { reason: "not_invited" })
        .example("off", json!(ApiError::from(LoginError::NotAllowed { reason: "login_off" })))
        .example("too_many", json!(ApiError::from(Refused::EXAMPLE)))
}

pub(super) fn unknown_state() -> Failure {
    let description = "The state is unknown or expired, or was used already. A wrong one is counted against the address it \
                       came from, and over the limit of those that are not known to be right few are looked at: the \
                       answer is the same.";
    failure("LoginUnknown", description, LoginError::UnknownState)
}

pub(super) fn no_such_token() -> Failure {
    let description =
        "The caller's account has no such token. Over the limit of wrong ids none is looked for.";
    failure("NoSuchToken", description, RevokeApiTokenError::NotFound)
}

pub(super) fn conflict() -> Failure {
    let description = "Somebody changed it at the same time; try again.";
    failure("TokenConflict", description, RevokeApiTokenError::Conflict)
}

pub(super) fn internal() -> Failure {
    let description =
        "The provider has not answered, or not sensibly; or the service itself fails. Its log has the cause.";
    let unavailable = LoginError::Unavailable { reason: "timeout".to_owned() };
    failure("LoginUnavailable", description, unavailable)
}
