//! The description of the service: OpenAPI 3.1 at `/openapi.json`, and a page made of it at `/docs`.
//!
//! Every API describes its own routes, beside its table of them; here is the vocabulary to do so with, and what makes
//! one document of it all.

mod document;
mod failure;
mod operation;
mod page;
mod schema;
mod tag;

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use utoipa::openapi::{HttpMethod, ObjectBuilder, OpenApi};

pub(crate) use self::failure::Failure;
pub(crate) use self::operation::{Operation, Route};
pub(crate) use self::schema::{list_of, member, one_of, text};
pub(crate) use self::tag::Tag;
use crate::external_oauth::method_not_allowed;

/// Where the description is.
const DOCUMENT: &str = "/openapi.json";

/// Made at the first call: most services are never asked.
static DESCRIPTION: LazyLock<Description> = LazyLock::new(Description::made);

struct Description {
    json: String,
    page: String,
}

impl Description {
    fn made() -> Self {
        let document = document();
        // There is no map in it whose keys are not strings.
        let mut json = document.to_pretty_json().expect("an OpenAPI document is JSON");
        json.push('\n');
        Self { page: page::of(&document), json }
    }
}

/// The description of the API, as it is served: an OpenAPI 3.1 document.
pub fn description() -> &'static str {
    &DESCRIPTION.json
}

fn document() -> OpenApi {
    let mut routes = crate::external_oauth::described();
    routes.extend(crate::external_auth::described());
    routes.extend(crate::login::described());
    routes.extend(crate::health::described());
    routes.push(described());
    document::of(routes)
}

fn described() -> Route {
    let document = ObjectBuilder::new().description(Some("An OpenAPI 3.1 document.")).build();
    let operation = Operation::new(Tag::Service, "describeApi", "Describe the API")
        .described("This document. A page made of it is at `/docs`.")
        .open_to_all()
        .gives(StatusCode::OK, "The document.", document, None);
    Route::new(HttpMethod::Get, DOCUMENT, operation)
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(resource(DOCUMENT, json)).service(resource("/docs", docs));
}

fn resource(path: &str, answer: fn() -> HttpResponse) -> Resource {
    let get = web::get().to(move || async move { answer() });
    web::resource(path).route(get).default_service(web::to(|| async { method_not_allowed(&["get"]) }))
}

fn json() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(description())
}

fn docs() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((header::CONTENT_SECURITY_POLICY, page::POLICY))
        .body(DESCRIPTION.page.as_str())
}
