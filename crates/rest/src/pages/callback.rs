//! The common callback: where every provider sends the browser back to.

use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Callback, CompleteFlowError};
use grantkeeper_domain::ids::ProviderId;

use super::landing::{Visitor, land};
use super::login;
use super::page::{self, see_other};
use crate::Api;
use crate::cookies::{FLOW, LOGIN, set_cookie};
use crate::query::Query;
use crate::request_log::request_id;

/// What does not belong to a login or a flow of this browser gets one and the same answer, on the spot.
pub(super) async fn callback(
    api: web::Data<Api>,
    request: HttpRequest,
    path: web::Path<String>,
) -> HttpResponse {
    let Ok(query) = Query::of(&request) else {
        return page::not_valid();
    };
    let read = |provider_id| read(provider_id, &query);
    let (Some(of_login), Some(of_flow)) =
        (path.parse().ok().and_then(read), path.parse().ok().and_then(read))
    else {
        return page::not_valid();
    };
    let cookies = LOGIN.shown(&api, &request);
    let landed = match api.use_cases.complete_web_login.run(of_login, &cookies).await {
        Ok(Some(returned)) => land(&api, &request, returned, Visitor::Browser).await,
        Ok(None) => return end_of_flow(&api, &request, of_flow).await,
        Err(error) => Err(error),
    };
    landed.unwrap_or_else(|error| login::failed(&error))
}

/// What comes of a flow is told at an address without code and state (RFC 9700, 4.2.4).
async fn end_of_flow(api: &Api, request: &HttpRequest, callback: Callback) -> HttpResponse {
    let cookies = FLOW.shown(api, request);
    match api.use_cases.complete_flow.for_browser(callback, &cookies, request_id(request)).await {
        Ok(ended) => match ended.result {
            Err(CompleteFlowError::InvalidState) => page::not_valid(),
            Err(CompleteFlowError::Store(error)) => page::broken(&error),
            Ok(_)
            | Err(
                CompleteFlowError::ProviderNotFound
                | CompleteFlowError::Refused { .. }
                | CompleteFlowError::Unavailable { .. },
            ) => {
                let mut response = see_other(&format!("/connect/{}/done", ended.flow_id));
                set_cookie(&mut response, &FLOW.spent(api, ended.flow_id));
                response
            }
        },
        Err(CompleteFlowError::Store(error)) => page::broken(&error),
        Err(
            CompleteFlowError::InvalidState
            | CompleteFlowError::ProviderNotFound
            | CompleteFlowError::Refused { .. }
            | CompleteFlowError::Unavailable { .. },
        ) => page::not_valid(),
    }
}

/// `None` for what is no authorization response: parameters missing or empty, both code and error, or one of them twice
/// (RFC 6749, 3.1).
fn read(provider_id: ProviderId, query: &Query) -> Option<Callback> {
    let one = |name| query.one(name).ok().filter(|value| value.is_none_or(|value| !value.is_empty()));
    let state = one("state")??;
    let answer = match (one("code")?, one("error")?) {
        (Some(code), None) => Ok(Secret::new(code.to_owned())),
        (None, Some(error)) => Err(error.to_owned()),
        _ => return None,
    };
    let iss = one("iss")?.map(str::to_owned);
    Some(Callback { provider_id, state: Secret::new(state.to_owned()), answer, iss })
}
