//! The common callback: where every provider sends the browser back to.

use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Callback, CompleteFlowError};
use grantkeeper_domain::ids::ProviderId;

use super::connect::see_other;
use super::page;
use crate::Api;
use crate::query::Query;
use crate::request_log::request_id;
use crate::session::{flow_cookies, spent_flow_cookie};

/// What comes of a flow is told at an address without code and state (RFC 9700, 4.2.4). What does not belong to a flow
/// of this browser gets one and the same answer, on the spot.
pub(super) async fn callback(
    api: web::Data<Api>,
    request: HttpRequest,
    path: web::Path<String>,
) -> HttpResponse {
    let callback = path.parse().ok().and_then(|provider_id| read(provider_id, &Query::of(&request).ok()?));
    let Some(callback) = callback else {
        return page::not_valid();
    };
    let cookies = flow_cookies(&api, &request);
    match api.use_cases.complete_flow.for_browser(callback, &cookies, request_id(&request)).await {
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
                if let Err(error) = response.add_cookie(&spent_flow_cookie(&api, ended.flow_id)) {
                    tracing::error!(%error, "a cookie does not fit into a header");
                }
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

/// `None` for what is no authorization response: parameters missing, both code and error, or one of them twice
/// (RFC 6749, 3.1).
fn read(provider_id: ProviderId, query: &Query) -> Option<Callback> {
    let one = |name| query.one(name).ok();
    let state = one("state")?.filter(|state| !state.is_empty())?;
    let answer = match (one("code")?, one("error")?) {
        (Some(code), None) if !code.is_empty() => Ok(Secret::new(code.to_owned())),
        (None, Some(error)) => Err(error.to_owned()),
        _ => return None,
    };
    let iss = one("iss")?.map(str::to_owned);
    Some(Callback { provider_id, state: Secret::new(state.to_owned()), answer, iss })
}
