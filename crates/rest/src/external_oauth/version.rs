//! The version handshake of the published SDK; open to all.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{HttpMethod, ObjectBuilder};

use crate::openapi::{Operation, Route, Tag, member, text};

pub(super) const PATH: &str = "/api/v2/version";

/// The SDK warns of servers whose minor version is lower than the one it was made for.
const MINOR: u32 = 49;

pub(super) async fn version() -> HttpResponse {
    HttpResponse::Ok().json(body())
}

fn body() -> Value {
    json!({
        "major": 2,
        "minor": MINOR,
        "versionString": format!("2.{MINOR}.0"),
    })
}

pub(super) fn described() -> Route {
    let number = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(0));
    let version = member(member(ObjectBuilder::new(), "major", number()), "minor", number());
    let version = member(version, "versionString", text()).build();
    let operation = Operation::new(Tag::Service, "getVersion", "Get the version of the API")
        .described("The handshake of the published SDK.")
        .open_to_all()
        .gives(StatusCode::OK, "The version of the reference that this API follows.", version, Some(body()));
    Route::new(HttpMethod::Get, format!("{PATH}/"), operation)
}
