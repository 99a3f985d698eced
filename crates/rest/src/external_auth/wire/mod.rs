//! What goes over the wire: members in `snake_case`, none of them left out unless it says so, and JSON that names its
//! character set.

mod access;
mod device;
mod link;
mod provider;
mod reason;
mod time;
mod unlinked;
mod user;
mod view;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

pub(super) use self::access::WireAccess;
pub(super) use self::device::WireDevice;
pub(super) use self::link::WireLinks;
pub(super) use self::unlinked::WireUnlinked;
pub(super) use self::view::WireView;

/// The content type of every body, as published clients know it.
const JSON: &str = "application/json; charset=utf-8";

/// An answer.
pub(super) fn json(status: StatusCode, body: impl Serialize) -> HttpResponse {
    HttpResponse::build(status).content_type(JSON).json(body)
}

/// Rounded up: whoever waits for so long has waited long enough.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}
