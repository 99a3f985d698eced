//! Reading single fields of a provider's documents, forgiving what is harmless.

use serde_json::{Map, Value};
use url::Url;

/// The longest text that is taken, in bytes: far more than any name, address or URL of a picture needs.
const LONGEST: usize = 4096;

/// The longest subject, in characters (OpenID Connect Core, 2).
const LONGEST_SUBJECT: usize = 255;

/// An e-mail address and whether the provider has verified it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Email {
    pub(super) address: Option<String>,
    pub(super) verified: Option<bool>,
}

impl Email {
    /// Without an address there is nothing that could be verified.
    pub(super) fn new(address: Option<String>, verified: Option<bool>) -> Self {
        Self { verified: verified.filter(|_| address.is_some()), address }
    }
}

/// The stable id of the user. It is printed, compared and indexed.
pub(super) fn subject(document: &Map<String, Value>, name: &str) -> Option<String> {
    text(document, name)
        .filter(|subject| subject.len() <= LONGEST_SUBJECT && !subject.chars().any(char::is_control))
}

/// A text, or a whole number in decimal. What is empty is absent.
pub(super) fn text(document: &Map<String, Value>, name: &str) -> Option<String> {
    match document.get(name)? {
        Value::String(text) if text.trim().is_empty() || text.len() > LONGEST => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A boolean, or its name as text.
pub(super) fn boolean(document: &Map<String, Value>, name: &str) -> Option<bool> {
    match document.get(name)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An absolute https URL without a user name. Nobody here fetches it.
pub(super) fn picture(document: &Map<String, Value>, name: &str) -> Option<String> {
    let is_web_picture = |text: &String| {
        Url::parse(text)
            .is_ok_and(|url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none())
    };
    text(document, name).filter(is_web_picture)
}

/// The one entry of a list whose flag says that it is the primary one.
pub(super) fn primary<'a>(entries: &'a Value, flag: &str) -> Option<&'a Map<String, Value>> {
    let mut entries = entries.as_array()?.iter().filter_map(Value::as_object);
    entries.find(|entry| boolean(entry, flag) == Some(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(value: Value) -> Map<String, Value> {
        [("field".to_owned(), value)].into_iter().collect()
    }

    #[test]
    fn numbers_become_decimals_and_empty_values_disappear() {
        for (value, expected) in [
            (json!("Ada"), Some("Ada")),
            (json!(12_345_678_901_234_u64), Some("12345678901234")),
            (json!(u64::MAX), Some("18446744073709551615")),
            (json!(-7), Some("-7")),
            (json!(1.5), None),
            (json!(""), None),
            (json!(" \t\n"), None),
            (json!(null), None),
            (json!(true), None),
            (json!(["Ada"]), None),
            (json!("a".repeat(LONGEST + 1)), None),
        ] {
            assert_eq!(text(&document(value.clone()), "field").as_deref(), expected, "{value}");
        }
        assert_eq!(text(&Map::new(), "field"), None);
    }

    #[test]
    fn a_subject_is_short_and_printable() {
        let longest = "a".repeat(LONGEST_SUBJECT);
        assert_eq!(subject(&document(json!(longest)), "field"), Some(longest));
        for value in
            [json!("a".repeat(LONGEST_SUBJECT + 1)), json!("a\0b"), json!("a\nb"), json!({"sub": "x"})]
        {
            assert_eq!(subject(&document(value.clone()), "field"), None, "{value}");
        }
    }

    #[test]
    fn only_a_clear_yes_or_no_is_a_boolean() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!("true"), Some(true)),
            (json!(false), Some(false)),
            (json!("false"), Some(false)),
            (json!("TRUE"), None),
            (json!(1), None),
            (json!("1"), None),
            (json!(null), None),
        ] {
            assert_eq!(boolean(&document(value.clone()), "field"), expected, "{value}");
        }
    }

    #[test]
    fn without_an_address_nothing_is_verified() {
        assert_eq!(Email::new(None, Some(true)), Email::default());
        let address = || Some("a@b.example".to_owned());
        assert_eq!(Email::new(address(), Some(false)), Email { address: address(), verified: Some(false) });
    }

    #[test]
    fn a_picture_is_an_absolute_https_url() {
        let picture = |text: &str| picture(&document(json!(text)), "field");
        let good = "https://idp.example/a.png?s=1";
        assert_eq!(picture(good).as_deref(), Some(good));
        for other in [
            "http://127.0.0.1/",
            "/a.png",
            "//idp.example/a.png",
            "data:image/png,x",
            "javascript:1",
            "https://u@x/",
            "https://:p@x/",
        ] {
            assert_eq!(picture(other), None, "{other}");
        }
    }

    #[test]
    fn the_primary_entry_is_the_one_that_says_so() {
        let entries = json!([1, {"primary": false}, {"n": 2}, {"primary": true, "n": 3}, {"primary": true}]);
        assert_eq!(text(primary(&entries, "primary").unwrap(), "n").as_deref(), Some("3"));
        for none in [json!([]), json!({"primary": true}), json!(null), json!([{"primary": 1}])] {
            assert_eq!(primary(&none, "primary"), None, "{none}");
        }
    }
}
