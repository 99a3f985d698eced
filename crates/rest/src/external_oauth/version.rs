//! The version handshake of the published SDK; open to all.

use actix_web::HttpResponse;
use serde_json::json;

/// The SDK warns of servers whose minor version is lower than the one it was made for.
const MINOR: u32 = 49;

pub(super) async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "major": 2,
        "minor": MINOR,
        "versionString": format!("2.{MINOR}.0"),
    }))
}
