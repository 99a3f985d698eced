//! The values that members may have.

use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder};

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
