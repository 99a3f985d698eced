//! The REST APIs, the OAuth callback, the pages people see and health.
//!
//! A handler does three things: read, call one use case, render. Each API has its own wire types and its own table
//! of errors, and knows nothing of the other APIs.

mod api;
mod authentication;
mod body;
mod client_address;
mod cookies;
mod external_auth;
mod external_oauth;
mod fetch_metadata;
mod headers;
mod health;
mod limits;
mod login;
mod normal_path;
mod openapi;
mod pages;
mod query;
mod request_id;
mod request_log;
mod routes;
mod session;

use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, web};

pub use api::{Api, Readiness, RestSettings};
pub use external_auth::{EXTERNAL_AUTH_LIMITS, EXTERNAL_AUTH_ROUTES};
pub use external_oauth::{EXTERNAL_OAUTH_LIMITS, EXTERNAL_OAUTH_ROUTES};
pub use limits::{LimitSettings, PerMinute, Purpose};
pub use login::{LOGIN_LIMITS, LOGIN_ROUTES};
pub use openapi::description;
pub use pages::PAGES;

use self::request_id::RequestIds;

/// The whole web application over one [`Api`].
pub fn app(
    api: web::Data<Api>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    let ids = Rc::new(RequestIds::new(&*api.random));
    App::new()
        .app_data(api)
        // First, since the router tries one after the other.
        .configure(external_oauth::routes)
        .configure(external_auth::routes)
        .configure(login::routes)
        .configure(health::routes)
        .configure(openapi::routes)
        .configure(pages::routes)
        .default_service(web::to(|| async { external_oauth::no_such_path() }))
        .wrap_fn(headers::set)
        .wrap_fn(move |request, next| request_log::log(&ids, request, next))
        .wrap_fn(normal_path::normalize)
}
