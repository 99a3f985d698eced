//! Which forms are ours.

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;

use crate::Api;

/// Browsers name the origin of every form they post; another one's form is refused.
pub(super) fn comes_from_us(api: &Api, request: &HttpRequest) -> bool {
    let mut origins = request.headers().get_all(ORIGIN);
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.as_bytes() == api.settings.public_url.as_bytes(),
        (Some(_), Some(_)) => false,
    }
}
