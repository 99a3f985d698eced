//! The few pages people see: plain server-rendered HTML without scripts.

mod callback;
mod connect;
mod page;
mod sign_in;

use actix_web::error::InternalError;
use actix_web::web::{self, FormConfig, ServiceConfig};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(form_config())
        .route("/sign-in", web::get().to(sign_in::show))
        .route("/sign-in", web::post().to(sign_in::sign_in))
        .route("/connect/{flow}", web::get().to(connect::show))
        .route("/connect/{flow}", web::post().to(connect::answer))
        .route("/connect/{flow}/done", web::get().to(connect::done))
        .route("/callback/{provider}", web::get().to(callback::callback));
}

/// A form that is not one of ours gets a page too, and the same as any other request that leads nowhere.
fn form_config() -> FormConfig {
    FormConfig::default()
        .error_handler(|error, _| InternalError::from_response(error, page::not_valid()).into())
}
