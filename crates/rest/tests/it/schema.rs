//! Whether JSON fits a schema: as much of JSON Schema as the description uses. A keyword that is not known here fails,
//! so that none is passed by.

use chrono::DateTime;
use serde_json::Value;

use crate::described::resolved;

/// What does not fit, and where. Members that an object's schema does not have do not fit either: callers must not find
/// any that nobody has described.
pub(crate) fn fits(schema: &'static Value, value: &Value) -> Result<(), String> {
    let schema = resolved(schema);
    for (keyword, expected) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "type" => has_type(expected.as_str().unwrap(), value),
            "enum" => expected.as_array().unwrap().contains(value),
            "required" => {
                expected.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "properties" => {
                members_fit(expected, value)?;
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    fits(expected, item)?;
                }
                true
            }
            "oneOf" => {
                let choices = expected.as_array().unwrap().iter();
                choices.filter(|choice| fits(choice, value).is_ok()).count() == 1
            }
            "maxItems" => {
                value.as_array().is_some_and(|items| items.len() as u64 <= expected.as_u64().unwrap())
            }
            "minItems" => {
                value.as_array().is_some_and(|items| items.len() as u64 >= expected.as_u64().unwrap())
            }
            "minLength" => length(value) >= expected.as_u64().unwrap(),
            "maxLength" => length(value) <= expected.as_u64().unwrap(),
            "minimum" => value.as_u64() >= expected.as_u64(),
            "maximum" => value.as_u64() <= expected.as_u64(),
            "format" => has_format(expected.as_str().unwrap(), value.as_str().unwrap_or_default()),
            // Of what has `properties`, all others are refused anyway.
            "additionalProperties" => expected == false,
            // Notes; and patterns, which schemathesis holds against the running service.
            "default" | "description" | "examples" | "pattern" | "writeOnly" => true,
            _ => return Err(format!("the tests do not know the keyword {keyword}")),
        };
        if !holds {
            return Err(format!("{value} is not as {keyword} says: {expected}"));
        }
    }
    Ok(())
}

fn members_fit(properties: &'static Value, value: &Value) -> Result<(), String> {
    for (name, member) in value.as_object().into_iter().flatten() {
        let schema = properties.get(name).ok_or_else(|| format!("{name} is not described"))?;
        fits(schema, member).map_err(|wrong| format!("{name}: {wrong}"))?;
    }
    Ok(())
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => false,
    }
}

fn has_format(name: &str, text: &str) -> bool {
    match name {
        "date-time" => DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z'),
        "uri" => url::Url::parse(text).is_ok(),
        "uri-reference" => text.starts_with('/') || url::Url::parse(text).is_ok(),
        "uuid" => text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()),
        _ => false,
    }
}

fn length(value: &Value) -> u64 {
    value.as_str().map_or(0, |text| text.chars().count() as u64)
}
