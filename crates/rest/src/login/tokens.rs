//! The caller's own API tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::accounts::RevokeApiTokenError;

use super::authentication::{AnyCaller, Authenticated};
use super::error::ApiError;
use super::wire::{WireListedToken, WireToken, json};
use crate::Api;
use crate::authentication::Unauthenticated;
use crate::limits::Naming;

type Answer = Result<HttpResponse, ApiError>;

/// The token of the call.
pub(super) async fn show(api: web::Data<Api>, caller: AnyCaller) -> Answer {
    let token = api.use_cases.list_api_tokens.current(&caller.0).await?;
    let token = token.ok_or(Unauthenticated::NoToken)?;
    Ok(json(StatusCode::OK, WireToken::of(&token)))
}

/// Revokes the token of the call.
pub(super) async fn sign_out(api: web::Data<Api>, caller: AnyCaller) -> Answer {
    match api.use_cases.revoke_api_token.of_caller(&caller.0, caller.0.token_id).await {
        // It has just been removed: whoever signs out wants no more.
        Ok(_) | Err(RevokeApiTokenError::NotFound) => Ok(HttpResponse::NoContent().finish()),
        Err(error) => Err(error.into()),
    }
}

/// Those that are good for something.
pub(super) async fn list(api: web::Data<Api>, caller: Authenticated) -> Answer {
    let mut tokens = api.use_cases.list_api_tokens.run(caller.0.account_id).await?;
    let now = api.clock.now();
    tokens.retain(|token| token.is_usable(now));
    Ok(json(StatusCode::OK, tokens.iter().map(WireListedToken::of).collect::<Vec<_>>()))
}

pub(super) async fn revoke(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let Ok(naming) = Naming::begin(&api, &caller.0) else {
        return Err(RevokeApiTokenError::NotFound.into());
    };
    let revoked = match request.match_info().get("id").unwrap_or_default().parse() {
        Ok(id) => api.use_cases.revoke_api_token.of_caller(&caller.0, id).await,
        Err(_) => Err(RevokeApiTokenError::NotFound),
    };
    match revoked {
        Ok(_) => Ok(HttpResponse::NoContent().finish()),
        Err(error) => {
            if matches!(error, RevokeApiTokenError::NotFound) {
                naming.failed();
            }
            Err(error.into())
        }
    }
}
