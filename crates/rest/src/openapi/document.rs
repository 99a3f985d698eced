//! One document of all operations.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, InfoBuilder, LicenseBuilder, Object, OpenApi, OpenApiBuilder, Paths, RefOr, Schema,
    ServerBuilder,
};

use super::operation::{Route, request_id};
use super::tag::Tag;

pub(super) const REQUEST_ID: &str = "#/components/headers/RequestId";

/// The document that describes these routes, in their order.
pub(super) fn of(routes: Vec<Route>) -> OpenApi {
    let mut schemas = BTreeMap::new();
    let mut responses = BTreeMap::new();
    let mut paths = Paths::new();
    for Route { method, path, mut operation } in routes {
        schemas.extend(operation.schemas.drain(..));
        responses.append(&mut operation.responses);
        paths.add_path_operation(path, vec![method], operation.build());
    }
    let mut components = Components::builder().header("RequestId", request_id());
    for (name, mut schema) in schemas {
        never_null(&mut schema);
        components = components.schema(name, schema);
    }
    for (name, response) in responses {
        components = components.response(name, response);
    }
    for (name, scheme) in security_schemes() {
        components = components.security_scheme(name, scheme);
    }
    OpenApiBuilder::new()
        .info(info())
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(
            Tag::ALL
                .map(|tag| TagBuilder::new().name(tag.name()).description(Some(tag.description())).build()),
        ))
        .security(Some(["bearer", "token"].map(|name| SecurityRequirement::new(name, [""; 0]))))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn info() -> utoipa::openapi::Info {
    let license =
        LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).identifier(Some(env!("CARGO_PKG_LICENSE")));
    InfoBuilder::new()
        .title("Grantkeeper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(include_str!("overview.md")))
        .license(Some(license.build()))
        .build()
}

/// The forms in which callers send their API token. The first two are those of most calls; others say so themselves.
fn security_schemes() -> [(&'static str, SecurityScheme); 4] {
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("gk_…")
        .description(Some("An API token: `Authorization: Bearer gk_…` (RFC 6750, 2.1)."))
        .build();
    let token = ApiKeyValue::with_description(
        "Authorization",
        "The same API token as older clients send it: `Authorization: Token gk_…`.",
    );
    let session_token = ApiKeyValue::with_description(
        "Coder-Session-Token",
        "The same API token as callers of `external-auth` send it: `Coder-Session-Token: gk_…`.",
    );
    let session_cookie = ApiKeyValue::with_description(
        "coder_session_token",
        "The session of a browser, whose cookie may have another name in the configuration. Calls that change something \
         need an `Origin` with the address of this service then.",
    );
    [
        ("bearer", SecurityScheme::Http(bearer)),
        ("token", SecurityScheme::ApiKey(ApiKey::Header(token))),
        ("coderSessionToken", SecurityScheme::ApiKey(ApiKey::Header(session_token))),
        ("coderSessionCookie", SecurityScheme::ApiKey(ApiKey::Cookie(session_cookie))),
    ]
}

/// A member without a value is left out, unless it is said to be null. The derived schemas take an `Option` for both.
fn never_null(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for property in object.properties.values_mut() {
        if let RefOr::T(Schema::Object(Object { schema_type, .. })) = property
            && let SchemaType::Array(types) = schema_type
            && let [one, Type::Null] = &types[..]
        {
            *schema_type = SchemaType::Type(one.clone());
        }
    }
}
