//! Health: is the process there, and can it work?

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Handler, HttpResponse, Resource};
use serde_json::{Value, json};
use utoipa::openapi::{HttpMethod, Object, ObjectBuilder};

use crate::Api;
use crate::external_oauth::method_not_allowed;
use crate::openapi::{Operation, Route, Tag, list_of, member, one_of, text};

const ALIVE: &str = "/healthz";
const READY: &str = "/readyz";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(resource(ALIVE, alive)).service(resource(READY, ready));
}

fn resource<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args, Output = HttpResponse>,
    Args: actix_web::FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(|| async { method_not_allowed(&["get", "head"]) }))
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(in_order())
}

/// The store is reachable and has this version's schema, and the key opens what is in it.
async fn ready(api: web::Data<Api>) -> HttpResponse {
    let mut failed = Vec::new();
    if let Err(error) = api.store.check().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "not ready: store");
        failed.push("store".to_owned());
    }
    if let Err(what) = api.readiness.check().await {
        tracing::warn!(what, "not ready");
        // It may be the store that the key cannot be compared with.
        if !failed.contains(&what) {
            failed.push(what);
        }
    }
    if failed.is_empty() {
        HttpResponse::Ok().json(in_order())
    } else {
        HttpResponse::ServiceUnavailable().json(not_in_order(&failed))
    }
}

fn in_order() -> Value {
    json!({ "status": "ok" })
}

fn not_in_order(failed: &[String]) -> Value {
    json!({ "status": "unavailable", "failed": failed })
}

pub(crate) fn described() -> Vec<Route> {
    let ok = || member(ObjectBuilder::new(), "status", one_of(["ok"])).build();
    let alive = |id, summary| {
        Operation::new(Tag::Service, id, summary).open_to_all().gives(
            StatusCode::OK,
            "It is there.",
            ok(),
            Some(in_order()),
        )
    };
    let ready = |id, summary| {
        let failed = ["store".to_owned()];
        Operation::new(Tag::Service, id, summary)
            .open_to_all()
            .gives(StatusCode::OK, "It can work.", ok(), Some(in_order()))
            .gives(StatusCode::SERVICE_UNAVAILABLE, "It cannot.", unavailable(), Some(not_in_order(&failed)))
    };
    vec![
        Route::new(HttpMethod::Get, ALIVE, alive("isAlive", "Is the process there?")),
        Route::new(HttpMethod::Head, ALIVE, alive("isAliveHead", "The same, without a body")),
        Route::new(HttpMethod::Get, READY, ready("isReady", "Can the service work?")),
        Route::new(HttpMethod::Head, READY, ready("isReadyHead", "The same, without a body")),
    ]
}

fn unavailable() -> Object {
    let failed = list_of(text()).description(Some("What is not in order: `store`, `key`."));
    member(member(ObjectBuilder::new(), "status", one_of(["unavailable"])), "failed", failed).build()
}
