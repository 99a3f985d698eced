//! Handlers of links, for people and their programs.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::authentication::Authenticated;
use super::error::ApiError;
use super::provider_in_path::provider_in_path;
use super::wire::{WireLinks, WireUnlinked, WireView, json};
use crate::Api;

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn list(api: web::Data<Api>, caller: Authenticated) -> Answer {
    let links = api.use_cases.list_links.run(&caller.0).await?;
    Ok(json(StatusCode::OK, WireLinks::of(&links)))
}

pub(super) async fn show(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let provider = provider_in_path(&api, &caller.0, &request).await?;
    let view = api.use_cases.view_link.run(&caller.0, &provider).await?;
    let can_revoke = provider.revocation_scope(&*api.clients).is_some();
    Ok(json(StatusCode::OK, WireView::of(&view, &provider, can_revoke)))
}

pub(super) async fn unlink(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let provider = provider_in_path(&api, &caller.0, &request).await?;
    let unlinked = api.use_cases.unlink.run(&caller.0, provider.id).await?;
    Ok(json(StatusCode::OK, WireUnlinked::of(&unlinked)))
}
