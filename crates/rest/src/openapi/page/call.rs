//! Operations on the page.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::{Content, RefOr, Response};

use super::entry::{Row, examples, own, pretty};
use super::html;
use super::kind::{Kind, last_of};

/// An operation.
pub(super) struct Call<'a> {
    pub(super) tag: &'a str,
    pub(super) id: &'a str,
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    pub(super) summary: &'a str,
    pub(super) about: String,
    pub(super) open_to_all: bool,
    pub(super) parameters: Vec<Row<'a>>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer<'a>>,
}

/// A body and examples of it.
pub(super) struct Body {
    pub(super) kind: Kind,
    pub(super) examples: Vec<String>,
}

/// How a call is answered: described here, or in the list of failures.
pub(super) struct Answer<'a> {
    pub(super) status: &'a str,
    pub(super) about: &'a str,
    pub(super) failure: Option<&'a str>,
    pub(super) body: Option<Body>,
}

impl<'a> Call<'a> {
    /// The operations at a path.
    pub(super) fn all(path: &'a str, item: &'a PathItem) -> impl Iterator<Item = Self> {
        let methods = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
            ("HEAD", &item.head),
        ];
        methods
            .into_iter()
            .filter_map(move |(method, operation)| Some(Self::of(method, path, operation.as_ref()?)))
    }

    fn of(method: &'static str, path: &'a str, operation: &'a Operation) -> Self {
        let content_of = |body: &'a RequestBody| body.content.values().next();
        let body = operation.request_body.as_ref().and_then(own).and_then(content_of).and_then(own);
        Self {
            tag: operation.tags.iter().flatten().next().map_or("", String::as_str),
            id: operation.operation_id.as_deref().unwrap_or_default(),
            method,
            path,
            summary: operation.summary.as_deref().unwrap_or_default(),
            about: html(operation.description.as_deref()),
            open_to_all: operation.security.as_ref().is_some_and(Vec::is_empty),
            parameters: operation
                .parameters
                .iter()
                .flatten()
                .filter_map(own)
                .map(Row::of_parameter)
                .collect(),
            body: body.map(Body::of),
            answers: operation
                .responses
                .responses
                .iter()
                .map(|(status, answer)| Answer::of(status, answer))
                .collect(),
        }
    }

    /// The call with curl.
    pub(super) fn curl(&self) -> String {
        let method = match self.method {
            "GET" => String::new(),
            "HEAD" => " --head".to_owned(),
            method => format!(" -X {method}"),
        };
        let token = if self.open_to_all { "" } else { " -H \"Authorization: Bearer $TOKEN\"" };
        let path = self.path.replace("{id}", "$ID");
        let example = self.body.as_ref().and_then(|body| body.examples.first());
        let body = example.map(|example| format!(" -d '{example}'")).unwrap_or_default();
        format!("curl{method}{token} \"$GRANTKEEPER{path}\"{body}")
    }
}

impl Body {
    fn of(content: &Content) -> Self {
        Self { kind: Kind::of(content.schema.as_ref()), examples: examples(content).map(pretty).collect() }
    }
}

impl<'a> Answer<'a> {
    fn of(status: &'a str, answer: &'a RefOr<Response>) -> Self {
        match answer {
            RefOr::Ref(reference) => {
                Self { status, about: "", failure: Some(last_of(&reference.ref_location)), body: None }
            }
            RefOr::T(answer) => {
                let body = answer.content.values().next().and_then(own).map(Body::of);
                Self { status, about: &answer.description, failure: None, body }
            }
        }
    }
}
