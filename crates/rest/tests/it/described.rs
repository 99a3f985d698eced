//! The description of the API, and whether what was sent and answered is as it says.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::schema::fits;
use crate::service::{AGENT_CALL, Answer, BASE, EXTERNAL_AUTH};

/// The description, as it is served.
pub(crate) static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(grantkeeper_rest::description()).unwrap());

/// An operation of the description.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) value: &'static Value,
}

impl Operation {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        DESCRIPTION["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, value)| Self { method, path, value })
        })
    }

    /// The one that a call meets: the older base path counts as the current one, and a slash at the end for nothing.
    fn of(method: &str, path: &str) -> Option<Self> {
        let path =
            path.strip_prefix("/externalOAuth").map_or(path.to_owned(), |rest| format!("{BASE}{rest}"));
        let called = segments(&path);
        let meets = |described: &str| {
            let described = segments(described);
            let meets =
                |(described, called): (&&str, &&str)| described == called || described.starts_with('{');
            described.len() == called.len() && described.iter().zip(&called).all(meets)
        };
        // A path without parameters goes before one with them.
        let paths = DESCRIPTION["paths"].as_object().unwrap().keys();
        let path = paths.filter(|path| meets(path)).min_by_key(|path| path.contains('{'))?;
        let called =
            |operation: &Self| operation.path == path && operation.method.eq_ignore_ascii_case(method);
        Self::all().find(called)
    }

    fn body(self) -> Option<&'static Value> {
        self.value.pointer("/requestBody/content/application~1json/schema")
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_end_matches('/').split('/').collect()
}

/// What a reference leads to; the value itself where it is none.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DESCRIPTION.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

/// Fails unless an answer is one that the description has.
pub(crate) fn check_answer(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = Operation::of(method, path) else { return };
    let call = format!("{method} {path}, described as {}", operation.value["operationId"]);
    let described = &operation.value["responses"][answer.status.as_str()];
    assert!(described.is_object(), "{call}: its description lacks {}", answer.status);
    let described = resolved(described);
    for (name, _) in described["headers"].as_object().into_iter().flatten() {
        assert!(answer.headers.contains_key(name), "{call}: {} without {name}", answer.status);
    }
    let Some(content) = described["content"].as_object() else {
        assert!(answer.body.is_empty() && !answer.headers.contains_key(CONTENT_TYPE), "{call}: {answer:?}");
        return;
    };
    let content_type = answer.header(CONTENT_TYPE);
    // A description names media types without parameters; this API's clients want one.
    let wants_one = path.starts_with(EXTERNAL_AUTH) || path.starts_with(AGENT_CALL);
    let parameter = if wants_one { "; charset=utf-8" } else { "" };
    let media_type = content_type.strip_suffix(parameter).unwrap_or_default();
    if content_type.starts_with("text/html") && content.contains_key("text/html") {
        return;
    }
    let content = content.get(media_type);
    let content = content.unwrap_or_else(|| panic!("{call}: another content type: {answer:?}"));
    fits(&content["schema"], &answer.json()).unwrap_or_else(|wrong| panic!("{call}: {wrong}: {answer:?}"));
}

/// Fails if a body that was taken is not one that the description has.
pub(crate) fn check_body(method: &str, path: &str, body: &Value, status: StatusCode) {
    let schema = Operation::of(method, path).and_then(Operation::body);
    if let (Some(schema), true) = (schema, status.is_success()) {
        fits(schema, body).unwrap_or_else(|wrong| panic!("{method} {path} took {body}: {wrong}"));
    }
}
