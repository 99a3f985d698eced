//! The callback: where every provider sends the browser back to, and where a browser starts that has nothing to bring.

use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::authorizations::{Callback, CompleteFlowError, ConnectResult};
use grantkeeper_domain::ids::{FlowId, ProviderId};
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{Secret, StoreError};

use super::connect::{end_of, ended, over};
use super::landing::{Visitor, land};
use super::own_path::OwnPath;
use super::turned_away::TurnedAway;
use super::{links, login, page};
use crate::Api;
use crate::cookies::{FLOW, LOGIN};
use crate::query::Query;
use crate::request_log::request_id;
use crate::session::session;

/// The common callback, and those of the reference, which are the same. What does not belong to a login or a flow of this
/// browser gets one and the same answer, on the spot.
pub(super) async fn callback(
    api: web::Data<Api>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, TurnedAway> {
    let query = Query::of(&request).map_err(|_| TurnedAway::NotValid)?;
    if !is_answer(&query) {
        return links::start(&api, &request, &name, &query).await;
    }
    let brought = Brought::read(&query).ok_or(TurnedAway::NotValid)?;
    if let Ok(provider) = name.parse() {
        return come_back(&api, &request, &name, provider, &brought).await;
    }
    let provider = provider_called(&api, &request, &name, &brought.state).await?;
    let provider = provider.ok_or(TurnedAway::NotValid)?;
    end_of_flow(&api, &request, &name, brought.at(provider)).await
}

/// Whether a provider may have sent the browser here (RFC 6749, 4.1.2).
fn is_answer(query: &Query) -> bool {
    ["code", "error", "state"].iter().any(|name| query.one(name) != Ok(None))
}

async fn come_back(
    api: &Api,
    request: &HttpRequest,
    name: &str,
    provider: ProviderId,
    brought: &Brought,
) -> Result<HttpResponse, TurnedAway> {
    let cookies = LOGIN.shown(api, request);
    let landed = match api.use_cases.complete_web_login.run(brought.at(provider), &cookies).await {
        Ok(Some(returned)) => land(api, request, returned, Visitor::Browser).await,
        Ok(None) => return end_of_flow(api, request, name, brought.at(provider)).await,
        Err(error) => Err(error),
    };
    Ok(landed.unwrap_or_else(|error| login::failed(&error)))
}

/// The provider with that slug. Each organization has slugs of its own, and whoever comes back from a provider may not be signed
/// in any more: the organization is that of the flow, for which the browser shows a cookie.
async fn provider_called(
    api: &Api,
    request: &HttpRequest,
    slug: &str,
    state: &Secret,
) -> Result<Option<ProviderId>, StoreError> {
    let state = Some(SecretHash::of(state.expose()));
    for id in FLOW.runs::<FlowId>(api, request) {
        let flow = api.store.flow(id).await?;
        if let Some(flow) = flow.filter(|flow| flow.state_hash == state) {
            let called = api.use_cases.find_provider.in_organization(flow.organization_id, slug).await?;
            return Ok(called.map(|provider| provider.id).filter(|id| *id == flow.provider_id));
        }
    }
    Ok(None)
}

/// What comes of a flow is told at an address without code and state (RFC 9700, 4.2.4).
async fn end_of_flow(
    api: &Api,
    request: &HttpRequest,
    name: &str,
    callback: Callback,
) -> Result<HttpResponse, TurnedAway> {
    match completed(api, request, callback).await? {
        Ok(end) => match end.result {
            Err(CompleteFlowError::InvalidState | CompleteFlowError::NotSignedIn) => {
                Ok(over(api, end.flow_id, page::not_valid()))
            }
            Err(CompleteFlowError::Store(error)) => Ok(page::broken(&error)),
            Ok(_) => Ok(ended(api, end.flow_id, &end.return_to.unwrap_or_else(|| end_of(end.flow_id)))),
            Err(
                CompleteFlowError::ProviderNotFound
                | CompleteFlowError::Refused { .. }
                | CompleteFlowError::Unavailable { .. },
            ) => Ok(ended(api, end.flow_id, &end_of(end.flow_id))),
        },
        // The code is as good as before, but it is not kept: who has signed in starts again from the page of the link.
        Err(CompleteFlowError::NotSignedIn) => {
            Err(TurnedAway::SignIn(OwnPath::link(name).unwrap_or_else(OwnPath::account)))
        }
        Err(CompleteFlowError::Store(error)) => Ok(page::broken(&error)),
        Err(
            CompleteFlowError::InvalidState
            | CompleteFlowError::ProviderNotFound
            | CompleteFlowError::Refused { .. }
            | CompleteFlowError::Unavailable { .. },
        ) => Err(TurnedAway::NotValid),
    }
}

/// Completes a flow for whoever is signed in, or for anybody where nobody is asked.
async fn completed(
    api: &Api,
    request: &HttpRequest,
    callback: Callback,
) -> Result<Result<ConnectResult, CompleteFlowError>, TurnedAway> {
    let cookies = FLOW.shown(api, request);
    let complete = &api.use_cases.complete_flow;
    if !api.settings.asks_people {
        return Ok(complete.for_unattended_browser(callback, &cookies, request_id(request)).await);
    }
    let session = session(api, request).await?;
    let visitor = session.as_ref().map(|session| &session.caller);
    Ok(complete.for_browser(callback, &cookies, visitor).await)
}

/// What the provider has sent back.
struct Brought {
    state: Secret,
    answer: Result<Secret, String>,
    iss: Option<String>,
}

impl Brought {
    /// `None` for what is no authorization response: parameters missing or empty, both code and error, or one of them twice
    /// (RFC 6749, 3.1).
    fn read(query: &Query) -> Option<Self> {
        let one = |name| query.one(name).ok().filter(|value| value.is_none_or(|value| !value.is_empty()));
        let state = one("state")??;
        let answer = match (one("code")?, one("error")?) {
            (Some(code), None) => Ok(Secret::new(code.to_owned())),
            (None, Some(error)) => Err(error.to_owned()),
            _ => return None,
        };
        let iss = one("iss")?.map(str::to_owned);
        Some(Self { state: Secret::new(state.to_owned()), answer, iss })
    }

    fn at(&self, provider_id: ProviderId) -> Callback {
        let copy = |secret: &Secret| Secret::new(secret.expose().to_owned());
        Callback {
            provider_id,
            state: copy(&self.state),
            answer: self.answer.as_ref().map(copy).map_err(String::clone),
            iss: self.iss.clone(),
        }
    }
}
