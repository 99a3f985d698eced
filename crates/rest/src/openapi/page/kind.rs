//! What a value may be, in words.

use utoipa::Number;
use utoipa::openapi::schema::{ArrayItems, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Object, RefOr, Schema};

/// What a value may be; where it has a schema with a name, its name.
pub(super) struct Kind {
    pub(super) words: String,
    pub(super) named: Option<String>,
}

impl Kind {
    pub(super) fn of(schema: Option<&RefOr<Schema>>) -> Self {
        match schema {
            Some(RefOr::Ref(reference)) => {
                let name = last_of(&reference.ref_location).to_owned();
                Self { words: String::new(), named: Some(name) }
            }
            Some(RefOr::T(Schema::Array(array))) => {
                let items = match &array.items {
                    ArrayItems::RefOrSchema(items) => Self::of(Some(items)),
                    ArrayItems::False => Self::of(None),
                };
                Self { words: format!("list of {}", items.words), named: items.named }
            }
            Some(RefOr::T(Schema::Object(object))) => Self::of_object(object),
            Some(RefOr::T(Schema::OneOf(choice))) => Self::of_choice(&choice.items),
            _ => Self { words: "anything".to_owned(), named: None },
        }
    }

    fn of_choice(choices: &[RefOr<Schema>]) -> Self {
        let mut named = None;
        let words = choices.iter().map(|choice| {
            let choice = Self::of(Some(choice));
            named = named.take().or(choice.named);
            choice.words
        });
        let words: Vec<_> = words.filter(|words| !words.is_empty()).collect();
        let or = if named.is_some() { " or" } else { "" };
        Self { words: format!("{}{or}", words.join(" or ")), named }
    }

    fn of_object(object: &Object) -> Self {
        if object.properties.is_empty() {
            return Self { words: words(object), named: None };
        }
        let mut named = None;
        let members = object.properties.iter().map(|(name, schema)| {
            let member = Self::of(Some(schema));
            named = named.take().or(member.named);
            format!("{name}: {}", member.words)
        });
        let members = members.collect::<Vec<_>>().join(", ");
        Self { words: format!("object with {members}"), named }
    }
}

/// The name at the end of a reference.
pub(super) fn last_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

fn words(object: &Object) -> String {
    if let Some(words) = &object.enum_values {
        return words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" | ");
    }
    let mut told = vec![name_of(&object.schema_type).to_owned()];
    told.extend(object.format.as_ref().map(name_of_format));
    told.extend(range("", object.minimum.as_ref().map(digits), object.maximum.as_ref().map(digits)));
    let lengths =
        [object.min_length, object.max_length].map(|length| length.map(|length| length.to_string()));
    let [shortest, longest] = lengths;
    told.extend(range(" characters", shortest, longest));
    told.join(", ")
}

fn name_of(schema_type: &SchemaType) -> &'static str {
    match schema_type {
        SchemaType::Type(Type::String) => "text",
        SchemaType::Type(Type::Integer) => "whole number",
        SchemaType::Type(Type::Boolean) => "true or false",
        SchemaType::Type(Type::Object) => "object",
        SchemaType::Type(Type::Null) => "null",
        _ => "anything",
    }
}

fn name_of_format(format: &SchemaFormat) -> String {
    match format {
        SchemaFormat::Custom(name) if name == "uri" => "a URL".to_owned(),
        SchemaFormat::Custom(name) => name.clone(),
        SchemaFormat::KnownFormat(_) => "RFC 3339".to_owned(),
    }
}

fn digits(number: &Number) -> String {
    match number {
        Number::Int(number) => number.to_string(),
        Number::UInt(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    }
}

fn range(what: &str, from: Option<String>, to: Option<String>) -> Option<String> {
    match (from, to) {
        (Some(from), Some(to)) => Some(format!("{from} to {to}{what}")),
        (Some(from), None) => Some(format!("at least {from}{what}")),
        (None, Some(to)) => Some(format!("at most {to}{what}")),
        (None, None) => None,
    }
}
