//! The endpoints of the provider, over HTTP.

pub(crate) mod answers;
pub(crate) mod api;
pub(crate) mod authorize;
pub(crate) mod device;
pub(crate) mod discovery;
pub(crate) mod faulted;
pub(crate) mod introspect;
mod lost;
pub(crate) mod pages;
mod rate_limit;
pub(crate) mod revoke;
pub(crate) mod sent;
pub(crate) mod token;
pub(crate) mod userinfo;

use actix_web::web::{ServiceConfig, get, post, resource};

/// Adds the endpoints. Each is a resource of its own, so that a wrong method is 405 and not 404.
pub(crate) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/.well-known/openid-configuration").route(get().to(discovery::metadata)))
        .service(resource("/.well-known/oauth-authorization-server").route(get().to(discovery::metadata)))
        .service(resource("/jwks").route(get().to(discovery::jwks)))
        .service(resource("/authorize").route(get().to(authorize::ask)).route(post().to(authorize::decide)))
        .service(resource("/token").route(post().to(token::token)))
        .service(
            resource("/userinfo").route(get().to(userinfo::userinfo)).route(post().to(userinfo::userinfo)),
        )
        .service(resource("/revoke").route(post().to(revoke::revoke)))
        .service(resource("/introspect").route(post().to(introspect::introspect)))
        .service(resource("/device_authorization").route(post().to(device::authorize)))
        .service(resource("/device").route(get().to(device::ask)).route(post().to(device::decide)));
}
