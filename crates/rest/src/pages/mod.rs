//! The few pages people see: plain server-rendered HTML without scripts.

mod callback;
mod connect;
mod page;
mod sign_in;

use actix_web::web::{self, ServiceConfig};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/sign-in", web::get().to(sign_in::show))
        .route("/sign-in", web::post().to(sign_in::sign_in))
        .route("/connect/{flow}", web::get().to(connect::show))
        .route("/connect/{flow}", web::post().to(connect::answer))
        .route("/connect/{flow}/done", web::get().to(connect::done))
        .route("/callback/{provider}", web::get().to(callback::callback));
}
