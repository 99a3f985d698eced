//! The control plane: what tests and demonstrations do to the provider behind its back. There is no authentication:
//! the simulator listens on loopback only.

mod device;
mod fault_request;
mod grants;
mod json_body;
mod personal_tokens;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, ServiceConfig, get, post, resource, scope};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::shared::{Shared, Sites};
use crate::sites::SiteRow;
use fault_request::FaultRequest;
use json_body::{parsed, unprocessable};

/// Adds the control plane under `/control`: of the plain provider, of every site, and of all of them together.
pub(crate) fn configure(app: &mut ServiceConfig, all: &Sites) {
    app.service(resource("/control/sites").route(get().to(sites)));
    for (row, shared) in all.iter() {
        let path = format!("/control/sites/{}", row.name);
        let of_site = scope(&path).app_data(Data::from(Arc::clone(shared)));
        app.service(of_site.configure(site).service(resource("/secrets").route(get().to(secrets))));
    }
    app.service(
        scope("/control")
            .configure(site)
            .service(resource("/secrets").route(get().to(all_secrets)))
            .service(resource("/device").route(post().to(device::decide))),
    );
}

/// What can be done to one site.
fn site(app: &mut ServiceConfig) {
    app.service(resource("/stats").route(get().to(stats)))
        .service(resource("/faults").route(post().to(faults)))
        .service(resource("/grants").route(post().to(grants::give)))
        .service(resource("/personal-tokens").route(post().to(personal_tokens::make)))
        .service(resource("/settings").route(get().to(settings)).route(post().to(update_settings)))
        .service(resource("/reset").route(post().to(reset)))
        .service(resource("/keys/rotate").route(post().to(rotate_keys)));
}

/// The sites and where they are.
async fn sites(sites: Data<Sites>) -> HttpResponse {
    let site = |(row, shared): (&SiteRow, &Arc<Shared>)| {
        let origin = shared.provider().place.origin.clone();
        let mounts: Vec<String> = row.mounts.iter().map(|mount| format!("{origin}{}", mount.path)).collect();
        json!({ "name": row.name, "mounts": mounts })
    };
    let sites: Vec<Value> = sites.iter().map(site).collect();
    HttpResponse::Ok().json(json!({ "sites": sites }))
}

async fn all_secrets(sites: Data<Sites>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "secrets": sites.issued_secrets() }))
}

async fn stats(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.stats())
}

/// Sets a fault, or clears all of them with `{}`.
async fn faults(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let request = match parsed::<FaultRequest>(&body).and_then(FaultRequest::into_fault) {
        Ok(fault) => fault,
        Err(reason) => return unprocessable(&reason),
    };
    let mut provider = shared.provider();
    match request {
        Some(fault) => provider.faults.set(fault),
        None => provider.faults.clear(),
    }
    HttpResponse::Ok().json(json!({ "waiting": provider.faults.len() }))
}

async fn settings(shared: Data<Shared>) -> HttpResponse {
    let settings = shared.provider().settings.clone();
    HttpResponse::Ok().json(settings)
}

/// Changes the settings named in the body and answers with all of them.
async fn update_settings(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let mut provider = shared.provider();
    match parsed::<Map<String, Value>>(&body).and_then(|changes| provider.settings.merged(changes)) {
        Ok(settings) => {
            provider.settings = settings;
            HttpResponse::Ok().json(&provider.settings)
        }
        Err(reason) => unprocessable(&reason),
    }
}

async fn reset(shared: Data<Shared>) -> HttpResponse {
    shared.reset();
    HttpResponse::NoContent().finish()
}

async fn secrets(shared: Data<Shared>) -> HttpResponse {
    let secrets = shared.provider().issued_secrets();
    HttpResponse::Ok().json(json!({ "secrets": secrets }))
}

/// The body of a key rotation; none at all means the default.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Rotation {
    /// Whether the keys so far vanish from the key set.
    drop_old: bool,
}

async fn rotate_keys(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let rotation = if body.is_empty() { Ok(Rotation::default()) } else { parsed(&body) };
    let Rotation { drop_old } = match rotation {
        Ok(rotation) => rotation,
        Err(reason) => return unprocessable(&reason),
    };
    let mut provider = shared.provider();
    match provider.keys.rotate(drop_old).and_then(|()| provider.keys.jwks()) {
        Ok(keys) => HttpResponse::Ok().json(keys),
        Err(_) => HttpResponse::InternalServerError().json(json!({ "message": "no key could be made" })),
    }
}
