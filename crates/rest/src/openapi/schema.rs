//! Short words for the schemas that are written by hand.

use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Array, ArrayBuilder, ObjectBuilder, RefOr, Schema};

/// Text.
pub(crate) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

/// One of a few words.
pub(crate) fn one_of(words: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    text().enum_values(Some(words))
}

/// A list.
pub(crate) fn list_of(items: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    Array::builder().items(items.into())
}

/// An object with one more member, which is always there.
pub(crate) fn member(object: ObjectBuilder, name: &str, schema: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    object.property(name, schema).required(name)
}
