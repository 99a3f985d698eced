//! The `external_oauth` API: providers, authorizations, access tokens and jobs.

mod authentication;
mod authorizations;
mod body;
mod error;
mod fields;
mod jobs;
mod providers;
mod version;
mod wire;

use actix_web::http::header::ALLOW;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, ResponseError as _};

use self::error::ApiError;

/// The path that current clients call, and the one of older releases of the SDK.
const BASES: [&str; 2] = ["/api/v2/externalOAuth", "/externalOAuth"];

/// Declares the routes, and a table of them for the tests that walk over every route.
macro_rules! routes {
    ($($path:literal => { $($method:ident $handler:path),+ $(,)? }),+ $(,)?) => {
        /// Every route of the `external_oauth` API below its base paths: method and path, for tests that walk over all
        /// of them.
        pub const EXTERNAL_OAUTH_ROUTES: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];

        fn resources() -> Vec<Resource> {
            vec![$(web::resource($path)
                $(.route(web::$method().to($handler)))+
                .default_service(web::to(|| async {
                    method_not_allowed(&[$(stringify!($method)),+])
                }))),+]
        }
    };
}

routes! {
    "/providers" => { get providers::list, post providers::create },
    "/providers/callback" => { post authorizations::callback },
    "/providers/{id}" => { get providers::show, patch providers::update, delete providers::delete },
    "/providers/{id}/authorize" => { post authorizations::authorize },
    "/authorizedProviders" => { get authorizations::list },
    "/authorizedProviders/{id}" => { get authorizations::show, delete authorizations::delete },
    "/authorizedProviders/{id}/accessToken" => { post authorizations::access_token },
    "/authorizedProviders/{id}/token" => { post authorizations::access_token },
    "/authorizedProviders/{id}/userinfo" => { get authorizations::user_info },
    "/jobs" => { get jobs::list, post jobs::create },
    "/jobs/{id}" => { get jobs::show },
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/api/v2/version")
            .route(web::get().to(version::version))
            .default_service(web::to(|| async { method_not_allowed(&["get"]) })),
    );
    for base in BASES {
        let scope = resources().into_iter().fold(web::scope(base), actix_web::Scope::service);
        config.service(
            scope.default_service(web::to(no_such_path)).wrap(from_fn(authentication::authenticate)),
        );
    }
}

/// Whatever stands below no route.
pub(crate) async fn no_such_path(_request: HttpRequest) -> HttpResponse {
    ApiError::not_found("there is nothing at this path").error_response()
}

fn method_not_allowed(allowed: &[&str]) -> HttpResponse {
    let mut response = ApiError::method_not_allowed().error_response();
    let allowed = allowed.join(", ").to_uppercase();
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
