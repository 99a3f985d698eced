//! Tables of routes.

mod pattern;
mod resources;

use actix_web::HttpResponse;
use actix_web::http::header::ALLOW;

pub(crate) use self::resources::{Otherwise, Resources, served};

/// Declares the routes of an API with their limits, public tables of both for the tests that walk over every route, and
/// the descriptions.
///
/// The module that calls it has an `ApiError`, the functions `no_such_path` and `method_not_allowed`, and a module
/// `description` with a function `route` and one for every handler, under the name of that: a route without a
/// description does not compile. A resource may have other paths behind its own, with `|`; the tables and the descriptions
/// name its own. `+ waits` behind a limit says that the handler waits for people, and reads no header: see
/// [`Served::waits`](resources::Served::waits).
macro_rules! routes {
    (
        $(#[$routes_doc:meta])* $routes:ident,
        $(#[$limits_doc:meta])* $limits:ident;
        $($path:literal $(| $alias:literal)* => { $($method:ident $module:ident :: $handler:ident : $limit:ident $(+ $manner:ident)?),+ $(,)? }),+ $(,)?
    ) => {
        $(#[$routes_doc])*
        pub const $routes: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];

        $(#[$limits_doc])*
        pub const $limits: &[Option<$crate::limits::Purpose>] =
            &[$($(<$crate::limits::$limit as $crate::limits::Limit>::PURPOSE),+),+];

        fn resources() -> $crate::routes::Resources {
            $crate::routes::Resources::new($crate::routes::Otherwise { no_such_path, method_not_allowed })
                $(.with(&[$path $(, $alias)*], &[$(stringify!($method)),+], vec![
                    $($crate::routes::served(actix_web::web::$method().to(
                        $crate::limits::behind::<$crate::limits::$limit, ApiError, _, _>($module::$handler)
                    ))$(.$manner())?),+
                ]))+
        }

        fn descriptions() -> Vec<$crate::openapi::Route> {
            vec![$($(description::route(stringify!($method), $path, description::$module::$handler())),+),+]
        }
    };
}

pub(crate) use routes;

/// An answer to a method that a path does not take, with those that it takes (RFC 9110, 15.5.6).
pub(crate) fn allowing(methods: &[&str], mut answer: HttpResponse) -> HttpResponse {
    if let Ok(value) = methods.join(", ").to_uppercase().parse() {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}
