//! Health: is the process there, and can it work?

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use serde_json::json;

use crate::Api;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/healthz", web::get().to(alive))
        .route("/healthz", web::head().to(alive))
        .route("/readyz", web::get().to(ready))
        .route("/readyz", web::head().to(ready));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
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
        failed.push(what);
    }
    if failed.is_empty() {
        HttpResponse::Ok().json(json!({ "status": "ok" }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "unavailable", "failed": failed }))
    }
}
