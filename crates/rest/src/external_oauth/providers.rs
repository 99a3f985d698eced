//! Handlers of `providers/`.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::{
    NewProvider, ProviderFilter, ProviderKind, ProviderUpdate, RequestedStatus, Slug,
};

use super::authentication::Authenticated;
use super::body::JsonObject;
use super::error::ApiError;
use super::fields::{FOREIGN_ID, Fields, NAME, URL};
use super::wire::{Listing, WireProvider, checked_id, id_in_path, job_location, location};
use crate::Api;
use crate::query::Query;

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn list(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let query = Query::of(&request)?;
    let Some(filter) = filter(&query)? else {
        return Ok(HttpResponse::Ok().json(Listing::<WireProvider>::default()));
    };
    let providers = api.use_cases.list_providers.run(&caller.0, &filter).await?;
    let data = providers.iter().map(|view| WireProvider::of(view, &api)).collect();
    Ok(HttpResponse::Ok().json(Listing { data }))
}

/// `None` where ids were asked for and none of them can be ours.
fn filter(query: &Query) -> Result<Option<ProviderFilter>, ApiError> {
    let asked = query.list("ids");
    let mut ids = Vec::with_capacity(asked.len());
    for id in &asked {
        ids.extend(checked_id::<ProviderId>("ids", id)?);
    }
    let kind =
        |name: &str| ProviderKind::from_name(name).ok_or_else(|| ApiError::invalid("types", one_of_types()));
    let kinds = query.list("types").into_iter().map(kind).collect::<Result<_, _>>()?;
    let hosts = query.list("host").into_iter().map(str::to_owned).collect();
    let newest_first = match query.one("orderBy") {
        Ok(None | Some("createdAt")) => false,
        Ok(Some("-createdAt")) => true,
        _ => {
            return Err(ApiError::invalid("orderBy", "must be one of createdAt, -createdAt, and given once"));
        }
    };
    // Last: a query that is not valid is refused whatever it asks for.
    let asks_for_strangers_alone = ids.is_empty() && !asked.is_empty();
    Ok((!asks_for_strangers_alone).then_some(ProviderFilter { ids, kinds, hosts, newest_first }))
}

pub(super) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    body: Result<JsonObject, ApiError>,
) -> Answer {
    caller.0.require_admin()?;
    let new = new_provider(body?.0)?;
    let view = api.use_cases.register_provider.run(&caller.0, new).await?;
    Ok(HttpResponse::Created().json(WireProvider::of(&view, &api)))
}

fn new_provider(mut fields: Fields) -> Result<NewProvider, ApiError> {
    let kind = fields.required_text("type", NAME);
    let known = ProviderKind::from_name(&kind);
    if known.is_none() && !kind.is_empty() {
        fields.refuse("type", one_of_types());
    }
    let slug = fields.text("slug", NAME).and_then(|text| match Slug::parse(&text) {
        Ok(slug) => Some(slug),
        Err(error) => {
            fields.refuse("slug", error.to_string());
            None
        }
    });
    let new = NewProvider {
        // Only taken when `finish` has found nothing wrong, and then the type is known.
        kind: known.unwrap_or(ProviderKind::Oidc),
        name: fields.required_text("name", NAME),
        client_id: fields.required_text("clientId", FOREIGN_ID),
        client_secret: fields.required_secret("clientSecret"),
        slug,
        host: fields.text("host", URL),
        scopes: fields.scopes("scopes"),
        device_flow: fields.boolean("deviceFlow").unwrap_or(false),
        app_slug: fields.text("appSlug", NAME),
        git_hosts: fields.git_hosts("gitHosts").unwrap_or_default(),
        skip_consent: fields.boolean("skipConsent"),
        keep_alive: fields.boolean("keepAlive"),
    };
    fields.finish()?;
    Ok(new)
}

pub(super) async fn show(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let id = id_in_path(&request, "there is no such provider")?;
    let view = api.use_cases.view_provider.run(&caller.0, id).await?;
    Ok(HttpResponse::Ok().json(WireProvider::of(&view, &api)))
}

pub(super) async fn update(
    api: web::Data<Api>,
    caller: Authenticated,
    request: HttpRequest,
    body: Result<JsonObject, ApiError>,
) -> Answer {
    caller.0.require_admin()?;
    let id = id_in_path(&request, "there is no such provider")?;
    let update = provider_update(body?.0)?;
    let view = api.use_cases.update_provider.run(&caller.0, id, update).await?;
    Ok(HttpResponse::Ok().json(WireProvider::of(&view, &api)))
}

fn provider_update(mut fields: Fields) -> Result<ProviderUpdate, ApiError> {
    let update = ProviderUpdate {
        name: fields.text("name", NAME),
        client_secret: fields.secret("clientSecret"),
        skip_consent: fields.boolean("skipConsent"),
        status: fields.choice("status", requested_status, "active, inactive, disabled"),
        scopes: fields.scopes("scopes"),
        device_flow: fields.boolean("deviceFlow"),
        git_hosts: fields.git_hosts("gitHosts"),
        keep_alive: fields.boolean("keepAlive"),
    };
    fields.finish()?;
    Ok(update)
}

fn requested_status(name: &str) -> Option<RequestedStatus> {
    match name {
        "active" => Some(RequestedStatus::Active),
        "inactive" => Some(RequestedStatus::Inactive),
        "disabled" => Some(RequestedStatus::Disabled),
        _ => None,
    }
}

pub(super) async fn delete(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    caller.0.require_admin()?;
    let id = id_in_path(&request, "there is no such provider")?;
    let job = api.use_cases.delete_provider.run(&caller.0, id).await?;
    let url = job_location(&api, &job);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, url.clone())).json(location(url)))
}

fn one_of_types() -> String {
    format!("must be one of {}", ProviderKind::ALL.map(ProviderKind::as_str).join(", "))
}
