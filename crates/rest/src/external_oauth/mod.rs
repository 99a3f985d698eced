//! The `external_oauth` API: providers, authorizations, access tokens, revocations and jobs.

mod authentication;
mod authorizations;
mod body;
mod description;
mod error;
mod fields;
mod jobs;
mod providers;
mod revocations;
mod version;
mod wire;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError as _};

use self::error::ApiError;
pub(crate) use self::wire::WrittenProviders;
use crate::openapi::Route;
use crate::routes::{allowing, routes};

/// The path that current clients call, and the one of older releases of the SDK.
const BASES: [&str; 2] = ["/api/v2/externalOAuth", "/externalOAuth"];

// The router tries one after the other, so what is called all the time comes first.
routes! {
    /// Every route of the `external_oauth` API below its base paths: method and path, for tests that walk over all of them.
    EXTERNAL_OAUTH_ROUTES,
    /// What each of [`EXTERNAL_OAUTH_ROUTES`] is limited as, in their order.
    EXTERNAL_OAUTH_LIMITS;
    "/authorizedProviders/{id}/token" => { post authorizations::token: TokenRead },
    "/authorizedProviders/{id}/accessToken" => { post authorizations::access_token: TokenRead },
    "/providers" => { get providers::list: Unlimited, post providers::create: Unlimited },
    "/providers/callback" => { post authorizations::callback: Callback },
    "/providers/{id}" => {
        get providers::show: Unlimited,
        patch providers::update: Unlimited,
        delete providers::delete: Unlimited,
    },
    "/providers/{id}/authorize" => { post authorizations::authorize: StartFlow },
    "/authorizedProviders" => { get authorizations::list: Unlimited },
    "/authorizedProviders/{id}" => { get authorizations::show: Unlimited, delete authorizations::delete: Unlimited },
    "/authorizedProviders/{id}/userinfo" => { get authorizations::user_info: TokenRead },
    "/revocations" => { get revocations::list: Unlimited },
    "/revocations/{id}" => { get revocations::show: Unlimited },
    "/jobs" => { get jobs::list: Unlimited, post jobs::create: Unlimited },
    "/jobs/{id}" => { get jobs::show: Unlimited },
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource(version::PATH)
            .route(web::get().to(version::version))
            .default_service(web::to(|| async { method_not_allowed(&["get"]) })),
    );
    for base in BASES {
        let scope = web::scope(base).default_service(resources());
        config.service(scope.wrap(from_fn(authentication::authenticate)));
    }
}

/// What is described of this API.
pub(crate) fn described() -> Vec<Route> {
    let mut routes = descriptions();
    routes.push(version::described());
    routes
}

/// Whatever stands below no route.
pub(crate) fn no_such_path() -> HttpResponse {
    ApiError::not_found("there is nothing at this path").error_response()
}

/// A path that takes only other methods.
pub(crate) fn method_not_allowed(allowed: &[&str]) -> HttpResponse {
    allowing(allowed, ApiError::method_not_allowed().error_response())
}
