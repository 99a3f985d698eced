//! One operation: how it is called, and how it answers.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    HttpMethod, Object, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};

use super::schema::{list_of, member, text};
use super::{Failure, Tag, document};

/// An operation and where it is.
pub(crate) struct Route {
    pub(super) method: HttpMethod,
    pub(super) path: String,
    pub(super) operation: Operation,
}

impl Route {
    pub(crate) fn new(method: HttpMethod, path: impl Into<String>, operation: Operation) -> Self {
        Self { method, path: path.into(), operation }
    }

    /// A route of a table, which has its method by name.
    pub(crate) fn in_table(method: &str, path: impl Into<String>, operation: Operation) -> Self {
        let method = match method {
            "delete" => HttpMethod::Delete,
            "patch" => HttpMethod::Patch,
            "post" => HttpMethod::Post,
            _ => HttpMethod::Get,
        };
        Self::new(method, path, operation)
    }
}

/// How an operation is called, and how it answers.
pub(crate) struct Operation {
    tag: Tag,
    id: &'static str,
    summary: &'static str,
    description: Option<&'static str>,
    /// The ways to send the API token, by the names of the document; `None`: those of all other calls.
    tokens: Option<Vec<&'static str>>,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: Vec<(StatusCode, Response)>,
    failures: BTreeMap<u16, &'static str>,
    /// What it refers to: schemas and failures by their names.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    pub(super) responses: BTreeMap<&'static str, Response>,
}

impl Operation {
    /// An operation with a stable id, and a line that says what it does.
    pub(crate) fn new(tag: Tag, id: &'static str, summary: &'static str) -> Self {
        Self {
            tag,
            id,
            summary,
            description: None,
            tokens: None,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            failures: BTreeMap::new(),
            schemas: Vec::new(),
            responses: BTreeMap::new(),
        }
    }

    /// The same operation under another id, with a line of its own.
    pub(crate) fn also_called(mut self, id: &'static str, summary: &'static str) -> Self {
        self.id = id;
        self.summary = summary;
        self
    }

    /// What there is to know beyond the summary, in Markdown.
    pub(crate) fn described(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Without an API token.
    pub(crate) fn open_to_all(mut self) -> Self {
        self.tokens = Some(Vec::new());
        self
    }

    /// With an API token in one of these forms, instead of those of most calls.
    pub(crate) fn called_with<const N: usize>(mut self, forms: [&'static str; N]) -> Self {
        self.tokens = Some(forms.to_vec());
        self
    }

    /// A parameter in the path.
    pub(crate) fn path_parameter(
        self,
        name: &str,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.parameter(ParameterIn::Path, Required::True, name, description, schema)
    }

    /// A parameter in the query, which may be left out.
    pub(crate) fn query(self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, Required::False, name, description, schema)
    }

    /// A parameter in the query that must be there.
    pub(crate) fn needs(self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, Required::True, name, description, schema)
    }

    fn parameter(
        mut self,
        place: ParameterIn,
        required: Required,
        name: &str,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        // Those of the path come first, as they do in a call.
        let index = if place == ParameterIn::Path { 0 } else { self.parameters.len() };
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(description))
            .schema(Some(schema));
        self.parameters.insert(index, parameter.build());
        self
    }

    pub(crate) fn has_query(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.parameter_in == ParameterIn::Query)
    }

    pub(crate) fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// A JSON body, whose schema gets a name, and examples of it under names.
    pub(crate) fn takes<const N: usize>(
        mut self,
        name: &str,
        schema: impl Into<Schema>,
        examples: [(&'static str, Value); N],
    ) -> Self {
        self.schemas.push((name.to_owned(), RefOr::T(schema.into())));
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name)));
        let content =
            content.examples_from_iter(examples.map(|(name, value)| (name, example(value)))).build();
        let body =
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        self.body = Some(body.build());
        self
    }

    /// An answer with a JSON body.
    pub(crate) fn gives(
        mut self,
        status: StatusCode,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
        example: Option<Value>,
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
        let response = ResponseBuilder::new().description(description).content("application/json", content);
        self.answers.push((status, with_request_id(response).build()));
        self
    }

    /// An answer whose body is a type of the wire.
    pub(crate) fn gives_a<T: ToSchema>(
        mut self,
        status: StatusCode,
        description: &str,
        example: Value,
    ) -> Self {
        let reference = self.refer_to::<T>();
        self.gives(status, description, reference, Some(example))
    }

    /// An answer whose body is a list, as the member `data` of an object.
    pub(crate) fn gives_list_of<T: ToSchema>(mut self, description: &str, example: &Value) -> Self {
        let items = list_of(self.refer_to::<T>());
        let listing = member(ObjectBuilder::new(), "data", items).build();
        let example = serde_json::json!({ "data": [example] });
        self.gives(StatusCode::OK, description, listing, Some(example))
    }

    /// An answer whose body is a list.
    pub(crate) fn gives_items<T: ToSchema>(mut self, description: &str, example: &Value) -> Self {
        let items = list_of(self.refer_to::<T>()).build();
        self.gives(StatusCode::OK, description, Schema::Array(items), Some(serde_json::json!([example])))
    }

    /// The answer that was described last may be a page for people as well.
    pub(crate) fn or_a_page(mut self) -> Self {
        if let Some((_, response)) = self.answers.last_mut() {
            response
                .content
                .insert("text/html".to_owned(), ContentBuilder::new().schema(Some(text())).build().into());
        }
        self
    }

    /// An answer without a body.
    pub(crate) fn gives_nothing(mut self, status: StatusCode, description: &str) -> Self {
        let response = with_request_id(ResponseBuilder::new().description(description)).build();
        self.answers.push((status, response));
        self
    }

    /// A header of the answer that was described last.
    pub(crate) fn with_header(mut self, name: &str, description: &str, schema: Object) -> Self {
        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
        if let Some((_, response)) = self.answers.last_mut() {
            response.headers.insert(name.to_owned(), header.into());
        }
        self
    }

    /// Operations that take an id which the answer that was described last has at `expression`, a runtime expression
    /// of OpenAPI.
    pub(crate) fn leads_to<const N: usize>(mut self, expression: &str, operations: [&str; N]) -> Self {
        if let Some((_, response)) = self.answers.last_mut() {
            for id in operations {
                let link = Link::builder().operation_id(id).parameter("id", expression);
                response.links.insert(id.to_owned(), link.build().into());
            }
        }
        self
    }

    /// Ways in which it fails.
    pub(crate) fn fails<const N: usize>(mut self, failures: [Failure; N]) -> Self {
        for mut failure in failures {
            self.schemas.append(&mut failure.schemas);
            let name = failure.name();
            self.failures.insert(failure.status().as_u16(), name);
            self.responses.insert(name, failure.response());
        }
        self
    }

    /// The same, but where a failure of that status is described.
    pub(crate) fn or_fails<const N: usize>(mut self, failures: [Failure; N]) -> Self {
        for failure in failures {
            if !self.failures.contains_key(&failure.status().as_u16()) {
                self = self.fails([failure]);
            }
        }
        self
    }

    fn refer_to<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name()).into()
    }

    pub(super) fn build(self) -> utoipa::openapi::path::Operation {
        let mut operation = OperationBuilder::new()
            .tag(self.tag.name())
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(self.description)
            .request_body(self.body);
        if let Some(forms) = self.tokens {
            let one_of = forms.into_iter().map(|form| SecurityRequirement::new(form, [""; 0]));
            operation = operation.securities(Some(one_of));
        }
        for parameter in self.parameters {
            operation = operation.parameter(parameter);
        }
        for (status, answer) in self.answers {
            operation = operation.response(status.as_str(), answer);
        }
        for (status, name) in self.failures {
            operation = operation.response(status.to_string(), Ref::from_response_name(name));
        }
        operation.build()
    }
}

pub(super) fn example(value: Value) -> Example {
    ExampleBuilder::new().value(Some(value)).build()
}

/// Every answer has the id of its request.
pub(super) fn with_request_id(response: ResponseBuilder) -> ResponseBuilder {
    response.header_ref("X-Request-Id", Ref::new(document::REQUEST_ID))
}

/// The header that every answer has.
pub(super) fn request_id() -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(text().pattern(Some("^[0-9a-f]{16}$"))))
        .description(Some("The id of the request, which the log and the audit log name as well."))
        .build()
}
