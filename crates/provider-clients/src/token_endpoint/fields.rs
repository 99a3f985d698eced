//! The fields of an answer, whether it is JSON or a form, whatever its content type claims.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

/// The fields in the order sent. They may hold tokens, therefore they have no `Debug`.
pub(super) struct Fields(Vec<(String, Value)>);

/// A field that came twice, with two different values: nobody can say which one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeated;

impl Fields {
    /// Reads a body. `None`: it is neither a JSON object nor a form.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            return serde_json::from_str(text).ok();
        }
        // A page (`<`) is no form, and neither is any other JSON.
        let form = text.contains('=') && !text.starts_with(['<', '[', '"']);
        let pair = |(name, value): (_, String)| (name, Value::String(value));
        form.then(|| Self(form_urlencoded::parse(text.as_bytes()).into_owned().map(pair).collect()))
    }

    /// Takes a field out. JSON's null counts as left out.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Value>, Repeated> {
        let mut found: Option<Value> = None;
        for (_, value) in self.0.iter_mut().filter(|(field, value)| field == name && !value.is_null()) {
            let value = value.take();
            if found.as_ref().is_some_and(|found| *found != value) {
                return Err(Repeated);
            }
            found = Some(value);
        }
        Ok(found)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(body: &str, name: &str) -> Option<Result<Option<Value>, Repeated>> {
        Some(Fields::read(body.as_bytes())?.take(name))
    }

    #[test]
    fn the_content_decides_what_it_is() {
        for body in [r#"{"a": "x y"}"#, "\u{feff} {\"a\":\"x y\"}\n", "a=x+y", "b=1&a=x%20y\n", "a=x+y&a=x+y"]
        {
            assert_eq!(take(body, "a"), Some(Ok(Some(json!("x y")))), "{body}");
        }
        for body in ["", "<html a='b'>", "[1]", "\"a=b\"", "{", "{\"a\":1} trailing", "plain words"] {
            assert!(take(body, "a").is_none(), "{body}");
        }
        assert!(Fields::read(b"a=\xff").is_none());
    }

    #[test]
    fn a_repeated_field_must_repeat_its_value() {
        assert_eq!(take(r#"{"a":"1","a":"1"}"#, "a"), Some(Ok(Some(json!("1")))));
        for body in [r#"{"a":"1","a":"2"}"#, r#"{"a":"1","a":1}"#, "a=1&a=2"] {
            assert_eq!(take(body, "a"), Some(Err(Repeated)), "{body}");
        }
        assert_eq!(take(r#"{"a":null,"a":"2"}"#, "a"), Some(Ok(Some(json!("2")))));
        assert_eq!(take(r#"{"a":null}"#, "a"), Some(Ok(None)));
    }
}
