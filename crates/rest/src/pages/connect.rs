//! Our own page before the provider's, and the page at the end.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::authorizations::{ConfirmFlowError, FlowProgress, FlowSummary};
use grantkeeper_domain::ids::FlowId;
use serde::Deserialize;

use super::form::PageForm;
use super::links::because;
use super::own_path::OwnPath;
use super::page::{self, Link, no_session, see_other};
use super::same_origin::comes_from_us;
use super::{links, sign_in};
use crate::Api;
use crate::cookies::{FLOW, set_cookie};
use crate::session::session;

#[derive(Template)]
#[template(path = "connect.html")]
struct Connect<'a> {
    summary: &'a FlowSummary,
    form_token: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    decision: String,
    form_token: String,
}

pub(super) async fn show(api: web::Data<Api>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Ok(flow) = path.parse::<FlowId>() else {
        return page::not_valid();
    };
    if !api.settings.asks_people {
        return go_on(&api, None, flow, see_other).await;
    }
    let session = match session(&api, &request).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other(&sign_in::leading_to(&OwnPath::connecting(flow))),
        Err(error) => return no_session(&error),
    };
    match api.use_cases.confirm_flow.summary(&session.caller, flow).await {
        Ok(summary) => {
            let connect = Connect { summary: &summary, form_token: &session.form_token };
            page::form(StatusCode::OK, &connect)
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn answer(
    api: web::Data<Api>,
    request: HttpRequest,
    path: web::Path<String>,
    PageForm(form): PageForm<Answer>,
) -> HttpResponse {
    let Ok(flow) = path.parse::<FlowId>() else {
        return page::not_valid();
    };
    let session = match session(&api, &request).await {
        Ok(Some(session)) => session,
        Ok(None) => return page::not_valid(),
        Err(error) => return no_session(&error),
    };
    if !comes_from_us(&api, &request) || form.form_token != session.form_token {
        return page::not_valid();
    }
    match form.decision.as_str() {
        "yes" => go_on(&api, Some(&session.caller), flow, page::onward).await,
        "no" => match api.use_cases.confirm_flow.decline(&session.caller, flow).await {
            Ok(()) => ended(&api, flow, &end_of(flow)),
            Err(error) => failed(&error),
        },
        _ => page::not_valid(),
    }
}

/// On to the provider: the person wants it.
pub(super) async fn go_on(
    api: &Api,
    caller: Option<&Caller>,
    flow: FlowId,
    way: fn(&str) -> HttpResponse,
) -> HttpResponse {
    match api.use_cases.confirm_flow.confirm(caller, flow).await {
        Ok(confirmed) => {
            let mut response = way(confirmed.authorization_url.as_str());
            set_cookie(&mut response, &FLOW.of(api, flow, &confirmed.cookie));
            response
        }
        Err(error) => failed(&error),
    }
}

/// On to the page behind a flow that is over.
pub(super) fn ended(api: &Api, flow: FlowId, next: &str) -> HttpResponse {
    over(api, flow, see_other(next))
}

/// The cookie of a flow that is over is good for nothing any more.
pub(super) fn over(api: &Api, flow: FlowId, mut response: HttpResponse) -> HttpResponse {
    set_cookie(&mut response, &FLOW.spent(api, flow));
    response
}

/// The page at the end of a flow.
pub(super) fn end_of(flow: FlowId) -> String {
    format!("/connect/{flow}/done")
}

/// The page at the end: where the callback leads, with nothing in its address but the flow's public id.
pub(super) async fn done(api: web::Data<Api>, path: web::Path<String>) -> HttpResponse {
    let Ok(flow) = path.parse::<FlowId>() else {
        return page::not_valid();
    };
    let flow = match api.store.flow(flow).await {
        Ok(Some(flow)) => flow,
        Ok(None) => return page::not_valid(),
        Err(error) => return page::broken(&error),
    };
    let again = links::page_of(flow.provider_id);
    let links = [Link { uri: &again, label: "Start again" }];
    match api.use_cases.confirm_flow.progress(flow.id).await {
        Ok(FlowProgress::Authorized) => {
            page::message(StatusCode::OK, "Done", &["The account is linked. You can close this window."])
        }
        Ok(FlowProgress::UnderWay) => page::message(
            StatusCode::OK,
            "Almost there",
            &["The provider is slow to answer. Please reload this page."],
        ),
        Ok(FlowProgress::Refused { reason }) => {
            let why = format!("The account was not linked{}.", because(&reason));
            let lines = [&*why, "You can close this window, or start again."];
            page::message_with_links(StatusCode::OK, "Not linked", &lines, &links)
        }
        Ok(FlowProgress::Unavailable { reason }) => {
            let why = format!("The account was not linked{}.", because(&reason));
            let lines = [&*why, "Please start again in a moment."];
            page::message_with_links(StatusCode::OK, "Not linked", &lines, &links)
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &ConfirmFlowError) -> HttpResponse {
    match error {
        ConfirmFlowError::NotFound => page::not_valid(),
        ConfirmFlowError::ProviderNotActive => page::not_available(),
        ConfirmFlowError::Store(error) => page::broken(error),
        ConfirmFlowError::Seal(error) => {
            tracing::error!(%error, "the secrets of a flow do not open");
            page::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong here",
                &["Please start again."],
            )
        }
    }
}
