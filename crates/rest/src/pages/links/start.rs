//! Starting a flow from the browser: what programs link to, and the button on the page of a link.

use actix_web::HttpRequest;
use grantkeeper_domain::authorizations::StartFlowError;

use super::{Answer, provider, visitor};
use crate::Api;
use crate::fetch_metadata::{is_ahead_of_person, is_led_by_another_site, is_led_by_us};
use crate::limits::{Purpose, admit};
use crate::pages::connect;
use crate::pages::own_path::OwnPath;
use crate::pages::page::see_other;
use crate::pages::turned_away::TurnedAway;
use crate::query::Query;

/// Starts a flow of whoever is signed in, and leads to the page that asks them: anything on the web can lead a browser here. Past
/// that page goes only who comes from one of ours, where they have pressed a button.
pub(in crate::pages) async fn start(api: &Api, request: &HttpRequest, name: &str, query: &Query) -> Answer {
    if is_ahead_of_person(request) {
        return Err(TurnedAway::NotValid);
    }
    let back = query.one("redirect").ok().flatten().and_then(OwnPath::page);
    let session = visitor(api, request, OwnPath::start(name, back.as_ref())).await?;
    if is_led_by_another_site(request) {
        // It can do so again and again, and each flow counts against the person.
        let page = OwnPath::link(name).ok_or(TurnedAway::NotFound)?;
        return Ok(see_other(page.as_str()));
    }
    admit(Purpose::StartFlow, request, Some(&session.caller))?;
    let provider = provider(api, &session, name).await?;
    let return_to = back.or_else(|| OwnPath::linked(&provider.named())).map(OwnPath::into_string);
    let flow = api.use_cases.start_flow.on_our_route(&session.caller, provider.id, return_to).await?;
    if is_led_by_us(request) && query.one("ask") == Ok(None) {
        return Ok(connect::go_on(api, Some(&session.caller), flow, see_other).await);
    }
    Ok(see_other(OwnPath::connecting(flow).as_str()))
}

impl From<StartFlowError> for TurnedAway {
    fn from(error: StartFlowError) -> Self {
        match error {
            StartFlowError::ProviderNotFound => Self::NotFound,
            StartFlowError::NotActive => Self::NotAvailable,
            StartFlowError::RedirectUri(_) | StartFlowError::RedirectNotAllowed => Self::NotValid,
            StartFlowError::Seal(error) => error.into_store_error().into(),
            StartFlowError::Store(error) => error.into(),
        }
    }
}
