//! Signing in by device code (RFC 8628).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::login::LoginError;
use grantkeeper_domain::secret::SecretHash;

use super::body::SessionInBody;
use super::error::{ApiError, UNKNOWN_SESSION};
use super::wire::{WireDeviceLogin, WireTokenWithSecret, json};
use crate::Api;
use crate::limits::{Attempt, Waiter, recognize};
use crate::request_log::request_id;

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn start(api: web::Data<Api>) -> Answer {
    let begun = api.use_cases.begin_device_login.run().await?;
    recognize(&api, SecretHash::of(begun.handle.expose()));
    Ok(json(StatusCode::OK, WireDeviceLogin::of(&begun)))
}

/// Answers when the person has. Nothing is held meanwhile but this future, which is dropped when the client leaves.
pub(super) async fn complete(
    api: web::Data<Api>,
    request: HttpRequest,
    SessionInBody(handle): SessionInBody,
) -> Answer {
    let hash = SecretHash::of(handle.expose());
    let Ok(attempt) = Attempt::of_login(&api, &request, &hash) else {
        return Err(ApiError::unknown_session());
    };
    let _waits = Waiter::of_login(&api, &request, &hash)?;
    match api.use_cases.complete_device_login.run(&handle, request_id(&request)).await {
        Ok(issued) => {
            attempt.succeeded(hash);
            Ok(json(StatusCode::OK, WireTokenWithSecret::of(&issued)))
        }
        Err(error) => {
            if is_unknown(&error) {
                attempt.failed();
            }
            Err(told(&error))
        }
    }
}

/// Only that may be a guess: a person who says no, or nothing, has a session that is right.
fn is_unknown(error: &LoginError) -> bool {
    matches!(error, LoginError::Refused { reason } if reason == UNKNOWN_SESSION)
}

/// There is no state here that a caller could have got wrong: what is gone is the session.
fn told(error: &LoginError) -> ApiError {
    match error {
        LoginError::UnknownState => ApiError::unknown_session(),
        error => error.into(),
    }
}
