//! The `external_auth` API: a user's links to providers, the device flow, and access tokens for machines.
//!
//! Its keys are in `snake_case`, its errors have a body of their own, and a provider is named by its slug or its id.

mod agent;
mod authentication;
mod body;
mod description;
mod device;
mod error;
mod links;
mod provider_in_path;
mod wire;

use actix_web::guard::{self, Guard};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError as _};

use self::error::ApiError;
use crate::openapi::Route;
use crate::routes::{allowing, routes};

/// What the paths of the API begin with: links, and what a workspace's agent calls.
const BEGINNINGS: [&str; 2] = ["/api/v2/external-auth", "/api/v2/workspaceagents/me"];
/// The latter.
const AGENTS: &str = BEGINNINGS[1];

// The router tries one after the other, so what is called all the time comes first.
routes! {
    /// Every route of the `external_auth` API: method and path, for tests that walk over all of them.
    EXTERNAL_AUTH_ROUTES,
    /// What each of [`EXTERNAL_AUTH_ROUTES`] is limited as, in their order.
    EXTERNAL_AUTH_LIMITS;
    "/api/v2/workspaceagents/me/external-auth" => { get agent::access_token: TokenRead + waits },
    "/api/v2/external-auth/{id}/device" => { get device::begin: StartDeviceFlow, post device::poll: PollDeviceFlow },
    "/api/v2/external-auth/{id}" => { get links::show: TokenRead, delete links::unlink: Unlimited },
    "/api/v2/external-auth" => { get links::list: TokenRead },
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = web::scope("").guard(below_a_beginning()).default_service(resources());
    config.service(scope.wrap(from_fn(authentication::authenticate)));
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
    ApiError::not_found().error_response()
}

/// A path that takes only other methods.
fn method_not_allowed(allowed: &[&str]) -> HttpResponse {
    allowing(allowed, ApiError::method_not_allowed().error_response())
}
