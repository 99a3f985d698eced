//! Parameters, members, failures and schemas on the page.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{Components, Content, RefOr, Required, Response, Schema};

use super::html;
use super::kind::Kind;

/// A parameter, or a member of an object.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'static str,
    pub(super) required: bool,
    pub(super) kind: Kind,
    pub(super) about: String,
}

impl<'a> Row<'a> {
    pub(super) fn of_parameter(parameter: &'a Parameter) -> Self {
        Self {
            name: &parameter.name,
            place: if parameter.parameter_in == ParameterIn::Path { "path" } else { "query" },
            required: parameter.required == Required::True,
            kind: Kind::of(parameter.schema.as_ref()),
            about: html(parameter.description.as_deref()),
        }
    }

    fn of_member(name: &'a str, schema: &'a RefOr<Schema>, required: bool) -> Self {
        let about = match schema {
            RefOr::T(Schema::Object(object)) => object.description.as_deref(),
            RefOr::T(Schema::Array(array)) => array.description.as_deref(),
            _ => None,
        };
        Self { name, place: "", required, kind: Kind::of(Some(schema)), about: html(about) }
    }
}

/// A way in which calls fail.
pub(super) struct Failure<'a> {
    pub(super) name: &'a str,
    pub(super) about: String,
    pub(super) headers: Vec<&'a str>,
    pub(super) bodies: Vec<String>,
}

impl<'a> Failure<'a> {
    pub(super) fn all(components: &'a Components) -> impl Iterator<Item = Self> {
        components.responses.iter().filter_map(|(name, response)| Some(Self::of(name, own(response)?)))
    }

    fn of(name: &'a str, response: &'a Response) -> Self {
        let bodies = response.content.values().filter_map(own).flat_map(examples);
        Self {
            name,
            about: html(Some(&response.description)),
            headers: response.headers.keys().map(String::as_str).collect(),
            bodies: bodies.map(pretty).collect(),
        }
    }
}

/// A schema with a name.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) about: String,
    pub(super) members: Vec<Row<'a>>,
}

impl<'a> Named<'a> {
    pub(super) fn all(components: &'a Components) -> impl Iterator<Item = Self> {
        components.schemas.iter().filter_map(|(name, schema)| {
            let RefOr::T(Schema::Object(object)) = schema else { return None };
            let row = |(name, schema): (&'a String, _)| {
                Row::of_member(name, schema, object.required.contains(name))
            };
            let members = object.properties.iter().map(row).collect();
            Some(Self { name, about: html(object.description.as_deref()), members })
        })
    }
}

/// What stands here itself. Only the answers of an operation stand elsewhere.
pub(super) fn own<T>(value: &RefOr<T>) -> Option<&T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

/// The examples of a body.
pub(super) fn examples(content: &Content) -> impl Iterator<Item = &Value> {
    let several = content.examples.values().filter_map(own).filter_map(|example| example.value.as_ref());
    content.example.iter().chain(several)
}

/// JSON for people.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
