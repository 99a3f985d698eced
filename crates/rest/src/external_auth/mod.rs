//! The `external_auth` API: a user's links to providers, and the device flow.
//!
//! Its keys are in `snake_case`, its errors have a body of their own, and a provider is named by its slug or its id.

mod authentication;
mod body;
mod description;
mod device;
mod error;
mod wire;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError as _};

use self::error::ApiError;
use crate::openapi::Route;
use crate::routes::{allowing, routes};

/// Where the API is.
const BASE: &str = "/api/v2/external-auth";

routes! {
    /// Every route of the `external_auth` API below its base path: method and path, for tests that walk over all of them.
    EXTERNAL_AUTH_ROUTES,
    /// What each of [`EXTERNAL_AUTH_ROUTES`] is limited as, in their order.
    EXTERNAL_AUTH_LIMITS;
    "/{id}/device" => { get device::begin: StartDeviceFlow, post device::poll: PollDeviceFlow },
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = web::scope(BASE).default_service(resources());
    config.service(scope.wrap(from_fn(authentication::authenticate)));
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
