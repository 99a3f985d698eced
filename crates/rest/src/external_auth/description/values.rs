//! The values that members may have.

use grantkeeper_domain::providers::ProviderKind;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder};

use crate::openapi::one_of;

pub(in super::super) fn provider_type() -> Object {
    one_of(ProviderKind::ALL.map(ProviderKind::as_str)).description(Some("What the provider is.")).build()
}

pub(in super::super) fn token_type() -> Object {
    one_of(["bearer"]).description(Some("How the token is used (RFC 6750).")).build()
}

pub(in super::super) fn foreign_id() -> Object {
    let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
    number
        .description(Some("The id at the provider, where it fits 64 bits with a sign; otherwise 0."))
        .build()
}

pub(in super::super) fn expires_in() -> Object {
    seconds().description(Some("For how many seconds both codes live.")).build()
}

pub(in super::super) fn interval() -> Object {
    let description = "How many seconds to wait between two polls; five more after every `slow_down`.";
    seconds().description(Some(description)).build()
}

fn seconds() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(0))
}
