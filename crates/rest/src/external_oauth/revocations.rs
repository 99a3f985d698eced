//! Handlers of `revocations/`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::revocations::RevocationFilter;

use super::authentication::Authenticated;
use super::error::ApiError;
use super::wire::{Listing, REVOCATION_STATUSES, WireRevocation, checked_id, id_in_path, json};
use crate::Api;
use crate::query::Query;

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn list(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let Some(filter) = filter(&Query::of(&request)?)? else {
        return json(StatusCode::OK, &Listing::<WireRevocation<'_>>::default());
    };
    let revocations = api.use_cases.view_revocations.list(&caller.0, &filter).await?;
    let data = revocations.iter().map(WireRevocation::of).collect();
    json(StatusCode::OK, &Listing { data })
}

/// `None` where an id was asked for that cannot be ours.
fn filter(query: &Query) -> Result<Option<RevocationFilter>, ApiError> {
    let status = match once(query, "status")? {
        None => None,
        Some(name) => {
            let named = REVOCATION_STATUSES.into_iter().find(|(_, known)| *known == name);
            Some(named.ok_or_else(|| ApiError::invalid("status", one_of_statuses()))?.0)
        }
    };
    let asked = (once(query, "authorizationId")?, once(query, "providerId")?);
    let authorization_id = asked.0.map(|id| checked_id("authorizationId", id)).transpose()?.flatten();
    let provider_id = asked.1.map(|id| checked_id("providerId", id)).transpose()?.flatten();
    // Last: a query that is not valid is refused whatever it asks for.
    let asks_for_strangers =
        (asked.0.is_some() && authorization_id.is_none()) || (asked.1.is_some() && provider_id.is_none());
    Ok((!asks_for_strangers).then_some(RevocationFilter { authorization_id, provider_id, status }))
}

pub(super) async fn show(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let id = id_in_path(&request, "there is no such revocation")?;
    let revocation = api.use_cases.view_revocations.get(&caller.0, id).await?;
    json(StatusCode::OK, &WireRevocation::of(&revocation))
}

fn once<'q>(query: &'q Query, name: &str) -> Result<Option<&'q str>, ApiError> {
    query.one(name).map_err(|_| ApiError::invalid(name, "must be given once"))
}

fn one_of_statuses() -> String {
    format!("must be one of {}, and given once", REVOCATION_STATUSES.map(|(_, name)| name).join(", "))
}
