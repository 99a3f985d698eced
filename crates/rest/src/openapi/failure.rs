//! How calls fail.

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::Example;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Header, Ref, RefOr, Response, ResponseBuilder, Schema};

use super::operation::{example, with_request_id};
use super::schema::text;

/// A way in which calls fail, described once and referred to by every operation that may fail so.
pub(crate) struct Failure {
    name: &'static str,
    status: StatusCode,
    description: &'static str,
    headers: Vec<(&'static str, Header)>,
    examples: Vec<(&'static str, Example)>,
    /// The schema of the body, and those it is made of.
    schema: Ref,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

/// Headers that say more about a failure.
const HEADERS: [(HeaderName, &str, &str); 2] = [
    (WWW_AUTHENTICATE, "WWW-Authenticate", "How to authenticate (RFC 6750, 3)."),
    (RETRY_AFTER, "Retry-After", "For how many seconds to wait before the next try."),
];

impl Failure {
    /// A failure under a name; status, headers and an example of the body are taken from the answer itself.
    pub(crate) fn of<E: ResponseError + Serialize + ToSchema>(
        name: &'static str,
        description: &'static str,
        error: &E,
    ) -> Self {
        let mut schemas = vec![(E::name().into_owned(), E::schema())];
        E::schemas(&mut schemas);
        let answer = error.error_response();
        let headers = HEADERS.into_iter().filter_map(|(header, spelling, meaning)| {
            let value = answer.headers().get(header)?.to_str().ok()?;
            Some((spelling, described(meaning, value)))
        });
        Self {
            name,
            status: error.status_code(),
            description,
            headers: headers.collect(),
            examples: vec![("one", example(json!(error)))],
            schema: Ref::from_schema_name(E::name()),
            schemas,
        }
    }

    /// One more body that tells of it, under a name.
    pub(crate) fn example(mut self, name: &'static str, body: Value) -> Self {
        self.examples.push((name, example(body)));
        self
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn response(self) -> Response {
        let content = ContentBuilder::new().schema(Some(self.schema)).examples_from_iter(self.examples);
        let response = ResponseBuilder::new().description(self.description);
        let response = with_request_id(response).content("application/json", content.build());
        let with_header = |response: ResponseBuilder, (name, header)| response.header(name, header);
        self.headers.into_iter().fold(response, with_header).build()
    }
}

/// A header, with a value that it may have.
fn described(meaning: &str, value: &str) -> Header {
    let header = HeaderBuilder::new().schema(Some(text())).description(Some(meaning));
    header.example(Some(value.into())).build()
}
