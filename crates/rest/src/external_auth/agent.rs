//! The handler of access tokens, for machines that act for a person.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::links::LentLinkToken;
use grantkeeper_domain::providers::Provider;

use super::authentication::TokenReader;
use super::error::ApiError;
use super::wire::{WireAccess, json};
use crate::Api;
use crate::limits::Waiter;
use crate::query::Query;

type Answer = Result<HttpResponse, ApiError>;

/// What a machine asks for. Thousands may wait with one of these each: there is no more in it than has to be.
struct Asked {
    provider: ProviderId,
    /// What people and programs call that provider.
    name: String,
    /// Whether to wait until there is a link.
    waits: bool,
}

pub(super) async fn access_token(api: web::Data<Api>, caller: TokenReader, request: HttpRequest) -> Answer {
    let asked = Box::pin(Asked::read(&api, &caller.0, &request)).await?;
    if asked.waits {
        let _waiter = Waiter::of_caller(&api, &caller.0)?;
        let lent = api.use_cases.await_link.run(&caller.0, asked.provider).await?;
        return Ok(json(StatusCode::OK, WireAccess::linked(&lent)));
    }
    match Box::pin(api.use_cases.lend_link_token.run(&caller.0, asked.provider)).await? {
        LentLinkToken::Token(lent) => Ok(json(StatusCode::OK, WireAccess::linked(&lent))),
        LentLinkToken::NotLinked => {
            let page = format!("{}/external-auth/{}", api.settings.public_url, asked.name);
            Ok(json(StatusCode::OK, WireAccess::not_linked(&page)))
        }
    }
}

impl Asked {
    async fn read(api: &Api, caller: &Caller, request: &HttpRequest) -> Result<Self, ApiError> {
        let query = Query::of(request)?;
        let provider = provider(api, caller, &query).await?;
        let waits = query.all("listen").next().is_some();
        Ok(Self { provider: provider.id, name: provider.named(), waits })
    }
}

/// By its name or by a git remote: clients send both parameters, and one of them is empty.
async fn provider(api: &Api, caller: &Caller, query: &Query) -> Result<Provider, ApiError> {
    match (once(query, "id")?, once(query, "match")?) {
        (Some(name), None) => Ok(api.use_cases.find_provider.run(caller, name).await?),
        (None, Some(remote)) => Ok(api.use_cases.find_git_provider.run(caller, remote).await?),
        (None, None) | (Some(_), Some(_)) => Err(ApiError::not_one_of(["id", "match"])),
    }
}

/// The value of a parameter that is not empty.
fn once<'q>(query: &'q Query, name: &'static str) -> Result<Option<&'q str>, ApiError> {
    let value = query.one(name).map_err(|_| ApiError::invalid(name, "must be given once"))?;
    Ok(value.filter(|value| !value.is_empty()))
}
