//! Where callers of this API put their token.

use std::borrow::Cow;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::cookie::Cookie;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, ResponseError as _};

use super::AGENTS;
use super::error::ApiError;
use crate::Api;
use crate::authentication::{self, authorization_token, let_through, only_header};
use crate::fetch_metadata::is_led_by_another_site;
use crate::query::Query;

/// The header of the dashboard, the command line and the workspace agent.
static SESSION_TOKEN: HeaderName = HeaderName::from_static("coder-session-token");
/// The same in a query.
const SESSION_TOKEN_PARAMETER: &str = "coder_session_token";
/// The parameter of RFC 6750, 2.3.
const ACCESS_TOKEN_PARAMETER: &str = "access_token";

/// The caller, in a handler behind [`authenticate`].
pub(super) type Authenticated = authentication::Authenticated<ApiError>;

/// The same, and it may be an agent.
pub(super) type TokenReader = authentication::TokenReader<ApiError>;

/// Lets callers with a usable API token through.
pub(super) async fn authenticate<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if is_made_elsewhere(&request) {
        let refused = ApiError::foreign_origin().error_response();
        return Ok(request.into_response(refused).map_into_right_body());
    }
    if request.path().starts_with(AGENTS) {
        keep_token_headers(&mut request);
    }
    let_through::<ApiError, B>(token_in, request, next).await
}

/// The calls of agents may wait, and thousands of them may come at once: while the store is asked who they are, they keep no
/// more of their heads than it takes. The values are copied, for they are parts of the buffer that all of it was read into.
fn keep_token_headers(call: &mut ServiceRequest) {
    let mut kept = HeaderMap::new();
    for name in [&COOKIE, &SESSION_TOKEN, &AUTHORIZATION] {
        let copies = call.headers().get_all(name).map(|value| HeaderValue::from_bytes(value.as_bytes()));
        copies.flatten().for_each(|copy| kept.append(name.clone(), copy));
    }
    *call.head_mut().headers_mut() = kept;
}

/// A browser sends the cookie along with whatever a page of somebody else makes it call, and says whose page that is.
fn is_made_elsewhere(call: &ServiceRequest) -> bool {
    let request = call.request();
    if cookie(request).is_none() {
        return false;
    }
    if call.method().is_safe() {
        return begins_device_flow(call.match_info().unprocessed()) && is_led_by_another_site(request);
    }
    only_header(request, ORIGIN) != Some(&Api::of(request).settings.public_url)
}

/// A `GET`, as published clients have it, though it starts something.
fn begins_device_flow(path: &str) -> bool {
    let rest = path.strip_prefix("/api/v2/external-auth/").and_then(|rest| rest.split_once('/'));
    rest.is_some_and(|(_, rest)| rest == "device")
}

/// Of the ways to send a token the first that is used counts, be the token a good one or not. An empty one is none; one that
/// cannot be read, or comes twice, is none that is good.
fn token_in(request: &HttpRequest) -> Option<Cow<'_, str>> {
    let api = Api::of(request);
    let query = api.settings.tokens_in_query.then(|| Query::of(request).ok()).flatten();
    let in_query = |name| {
        let mut values = query.as_ref().into_iter().flat_map(|query| query.all(name));
        let first = values.find(|value| !value.is_empty())?;
        Some(values.next().is_none().then(|| Cow::Owned(first.to_owned())))
    };
    let header = || {
        is_used(request, &SESSION_TOKEN)
            .then(|| only_header(request, &SESSION_TOKEN).map(|token| Cow::Borrowed(token.trim())))
    };
    let bearer = || authorization_token(request, &["bearer"]).filter(|token| !token.is_empty());
    cookie(request)
        .map(|cookie| Some(Cow::Owned(cookie.value().to_owned())))
        .or_else(|| in_query(SESSION_TOKEN_PARAMETER))
        .or_else(header)
        .or_else(|| bearer().map(Cow::Borrowed).map(Some))
        .or_else(|| in_query(ACCESS_TOKEN_PARAMETER))
        .flatten()
}

/// Whether a header says something.
fn is_used(request: &HttpRequest, name: &HeaderName) -> bool {
    request.headers().get_all(name).any(|value| !value.as_bytes().trim_ascii().is_empty())
}

fn cookie(request: &HttpRequest) -> Option<Cookie<'static>> {
    let cookie = request.cookie(&Api::of(request).settings.session_cookie);
    cookie.filter(|cookie| !cookie.value().is_empty())
}
