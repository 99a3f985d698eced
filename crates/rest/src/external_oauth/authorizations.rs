//! Handlers of flows and of `authorizedProviders/`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Callback, StartFlowRequest};
use grantkeeper_domain::ids::ProviderId;

use super::authentication::{Authenticated, TokenReader};
use super::body::JsonObject;
use super::error::ApiError;
use super::fields::{FOREIGN_ID, Fields, URL};
use super::wire::{
    Listing, WireAuthorization, WireCompletedFlow, WireStartedFlow, WireToken, WireUserInfo, checked_id,
    id_in_path, json, revocation_location,
};
use crate::Api;
use crate::query::Query;

type Answer = Result<HttpResponse, ApiError>;

const NO_PROVIDER: &str = "there is no such provider";
const NO_AUTHORIZATION: &str = "there is no such authorization";
/// Longer than any client's state; short enough for every provider's address line.
pub(super) const LONGEST_STATE: usize = 2048;
/// Whole seconds.
pub(super) const LONGEST_MIN_TTL: u64 = 3600;

pub(super) async fn authorize(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let provider_id = id_in_path(&request, NO_PROVIDER)?;
    let start = start_request(provider_id, &Query::of(&request)?)?;
    let started = api.use_cases.start_flow.run(&caller.0, start).await?;
    json(StatusCode::OK, &WireStartedFlow::of(&started))
}

fn start_request(provider_id: ProviderId, query: &Query) -> Result<StartFlowRequest, ApiError> {
    let state = once(query, "state")?.filter(|state| !state.is_empty());
    if state.is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(ApiError::invalid("state", format!("must not be longer than {LONGEST_STATE} bytes")));
    }
    let redirect_uri = once(query, "redirect_uri")?;
    if redirect_uri == Some("") {
        return Err(ApiError::invalid(
            "redirect_uri",
            "must not be empty; leave it out to use our own pages",
        ));
    }
    let skip_consent = match once(query, "skip_consent")? {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(ApiError::invalid("skip_consent", "must be true or false")),
    };
    Ok(StartFlowRequest {
        provider_id,
        redirect_uri: redirect_uri.map(str::to_owned),
        state: state.map(|state| Secret::new(state.to_owned())),
        skip_consent,
        return_to: None,
    })
}

pub(super) async fn callback(
    api: web::Data<Api>,
    caller: Authenticated,
    body: Result<JsonObject, ApiError>,
) -> Answer {
    let callback = callback_of(body?.0)?;
    let completed = api.use_cases.complete_flow.for_caller(&caller.0, callback).await?;
    json(StatusCode::OK, &WireCompletedFlow::of(&completed.authorization, &api))
}

fn callback_of(mut fields: Fields) -> Result<Callback, ApiError> {
    let provider = fields.required_text("providerId", FOREIGN_ID);
    let code = fields.required_secret("code");
    let state = fields.required_secret("state");
    // Ours: a page that passes on the `iss` it was called with gets it checked (RFC 9207).
    let iss = fields.text("iss", URL);
    fields.finish()?;
    let provider_id = checked_id("providerId", &provider)?.ok_or_else(|| ApiError::not_found(NO_PROVIDER))?;
    Ok(Callback { provider_id, state, answer: Ok(code), iss })
}

pub(super) async fn list(api: web::Data<Api>, caller: Authenticated) -> Answer {
    let views = api.use_cases.view_authorizations.list(&caller.0).await?;
    let data = views.iter().map(|view| WireAuthorization::of(view, &api)).collect();
    json(StatusCode::OK, &Listing { data })
}

pub(super) async fn show(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let id = id_in_path(&request, NO_AUTHORIZATION)?;
    let view = api.use_cases.view_authorizations.get(&caller.0, id).await?;
    json(StatusCode::OK, &WireAuthorization::of(&view, &api))
}

pub(super) async fn delete(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let id = id_in_path(&request, NO_AUTHORIZATION)?;
    let revocation = api.use_cases.delete_authorization.run(&caller.0, id).await?;
    let url = revocation_location(&api, revocation);
    Ok(HttpResponse::NoContent().insert_header((LOCATION, url)).finish())
}

pub(super) async fn access_token(api: web::Data<Api>, caller: TokenReader, request: HttpRequest) -> Answer {
    let id = id_in_path(&request, NO_AUTHORIZATION)?;
    let min_ttl = min_ttl(&Query::of(&request)?)?;
    let lent = api.use_cases.lend_access_token.run(&caller.0, id, min_ttl).await?;
    json(StatusCode::CREATED, &WireToken::of(&lent, &api))
}

/// The same at the path that the SDK calls.
pub(super) use self::access_token as token;

fn min_ttl(query: &Query) -> Result<Duration, ApiError> {
    let Some(text) = once(query, "min_ttl")? else {
        return Ok(Duration::ZERO);
    };
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| is_digits && *seconds <= LONGEST_MIN_TTL);
    let wrong = || ApiError::invalid("min_ttl", format!("must be whole seconds from 0 to {LONGEST_MIN_TTL}"));
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

pub(super) async fn user_info(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let id = id_in_path(&request, NO_AUTHORIZATION)?;
    let user = api.use_cases.look_up_user.run(&caller.0, id).await?;
    json(StatusCode::OK, &WireUserInfo::of(&user))
}

fn once<'q>(query: &'q Query, name: &str) -> Result<Option<&'q str>, ApiError> {
    query.one(name).map_err(|_| ApiError::invalid(name, "must be given once"))
}
