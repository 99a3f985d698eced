//! The `login` API: signing in with a provider, and one's own API tokens.
//!
//! Published clients know six statuses of failures, 400, 401, 403, 404, 409 and 500, and give up in confusion at any other:
//! whatever goes wrong below these paths is one of them, with a body of this API's own.

mod authentication;
mod body;
mod description;
mod device;
mod encoded_session;
mod error;
mod exchange;
mod parameters;
mod tokens;
mod web;
mod wire;

use actix_web::guard::{self, Guard};
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, ResponseError as _};

use self::error::ApiError;
use crate::openapi::Route;
use crate::routes::{allowing, routes};

/// What the paths of the API begin with. Clients call the device flow without the version.
const BEGINNINGS: [&str; 2] = ["/v1", "/login/oauth2"];

// The router tries one after the other, so what is called all the time comes first.
routes! {
    /// Every route of the `login` API: method and path, for tests that walk over all of them.
    LOGIN_ROUTES,
    /// What each of [`LOGIN_ROUTES`] is limited as, in their order.
    LOGIN_LIMITS;
    "/v1/login/oauth2/web/poll" => { get web::poll: Unlimited },
    "/login/oauth2/device/complete" | "/v1/login/oauth2/device/complete" => { post device::complete: Unlimited + waits },
    "/login/oauth2/device/start" | "/v1/login/oauth2/device/start" => { post device::start: StartDeviceLogin },
    "/v1/oauth2" | "/v1/login/oauth2" => { post exchange::sign_in: StartLogin },
    "/v1/login/oauth2/web/authorize" => { get web::authorize: StartLogin },
    "/v1/login/oauth2/web/callback/{provider}" | "/v1/login/oauth2/web/callback" => { get web::callback: Callback },
    "/v1/login/token" | "/v1/me/token" => { get tokens::show: Unlimited, delete tokens::sign_out: Unlimited },
    "/v1/me/tokens" => { get tokens::list: Unlimited },
    "/v1/me/tokens/{id}" => { delete tokens::revoke: Unlimited },
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = actix_web::web::scope("").guard(below_a_beginning());
    config.service(scope.default_service(resources()));
}

fn below_a_beginning() -> impl Guard {
    guard::fn_guard(|context| {
        let rest = |beginning| context.head().uri.path().strip_prefix(beginning);
        BEGINNINGS.into_iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What is described of this API.
pub(crate) fn described() -> Vec<Route> {
    descriptions()
}

/// Whatever stands below no route.
fn no_such_path() -> HttpResponse {
    ApiError::not_found("there is nothing at this path").error_response()
}

/// A path that takes only other methods. 405 is no status that clients know.
fn method_not_allowed(allowed: &[&str]) -> HttpResponse {
    allowing(allowed, ApiError::invalid("this path does not take this method").error_response())
}
