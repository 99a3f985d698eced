//! How calls fail.

use actix_web::http::StatusCode;
use serde_json::Value;
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

impl Failure {
    /// A failure under a name, told in a body of type `T`.
    pub(crate) fn told_as<T: ToSchema>(
        name: &'static str,
        status: StatusCode,
        description: &'static str,
    ) -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        let schema = Ref::from_schema_name(T::name());
        Self { name, status, description, headers: Vec::new(), examples: Vec::new(), schema, schemas }
    }

    /// A body that tells of it, under a name.
    pub(crate) fn example(mut self, name: &'static str, body: Value) -> Self {
        self.examples.push((name, example(body)));
        self
    }

    /// A header of the answer, with a value that it may have.
    pub(crate) fn header(mut self, name: &'static str, description: &str, value: &str) -> Self {
        let header = HeaderBuilder::new().schema(Some(text())).description(Some(description));
        self.headers.push((name, header.example(Some(value.into())).build()));
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
