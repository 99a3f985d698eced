//! Our own page before the provider's, and the page at the end.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::authorizations::{ConfirmFlowError, FlowProgress, FlowSummary};
use grantkeeper_domain::ids::FlowId;
use serde::Deserialize;

use super::form::PageForm;
use super::page::{self, no_session, see_other};
use super::same_origin::comes_from_us;
use crate::Api;
use crate::cookies::FLOW;
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
        return go_on(&api, None, flow).await;
    }
    let session = match session(&api, &request).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other(&format!("/sign-in?return_to=%2Fconnect%2F{flow}")),
        Err(error) => return no_session(&error),
    };
    match api.use_cases.confirm_flow.summary(&session.caller, flow).await {
        Ok(summary) => {
            let connect = Connect { summary: &summary, form_token: &session.form_token };
            page::form(StatusCode::OK, &connect, Some(&summary.leads_to))
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
        "yes" => go_on(&api, Some(&session.caller), flow).await,
        "no" => match api.use_cases.confirm_flow.decline(&session.caller, flow).await {
            Ok(()) => see_other(&format!("/connect/{flow}/done")),
            Err(error) => failed(&error),
        },
        _ => page::not_valid(),
    }
}

async fn go_on(api: &Api, caller: Option<&Caller>, flow: FlowId) -> HttpResponse {
    match api.use_cases.confirm_flow.confirm(caller, flow).await {
        Ok(confirmed) => HttpResponse::SeeOther()
            .cookie(FLOW.of(api, flow, &confirmed.cookie))
            .insert_header((LOCATION, confirmed.authorization_url.as_str()))
            .finish(),
        Err(error) => failed(&error),
    }
}

/// The page at the end: where the callback leads, with nothing in its address but the flow's public id.
pub(super) async fn done(api: web::Data<Api>, path: web::Path<String>) -> HttpResponse {
    let Ok(flow) = path.parse::<FlowId>() else {
        return page::not_valid();
    };
    match api.use_cases.confirm_flow.progress(flow).await {
        Ok(FlowProgress::Authorized) => {
            page::message(StatusCode::OK, "Done", &["The account is linked. You can close this window."])
        }
        Ok(FlowProgress::UnderWay) => page::message(
            StatusCode::OK,
            "Almost there",
            &["The provider is slow to answer. Please reload this page."],
        ),
        Ok(FlowProgress::Refused { reason }) => {
            let code = format!("The account was not linked ({reason}).");
            page::message(
                StatusCode::OK,
                "Not linked",
                &[&code, "You can close this window, or start again."],
            )
        }
        Ok(FlowProgress::Unavailable { reason }) => {
            let code = format!("The provider could not be reached ({reason}).");
            page::message(StatusCode::OK, "Not linked", &[&code, "Please start again in a moment."])
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &ConfirmFlowError) -> HttpResponse {
    match error {
        ConfirmFlowError::NotFound => page::not_valid(),
        ConfirmFlowError::ProviderNotActive => page::message(
            StatusCode::CONFLICT,
            "This provider is not available",
            &["It is paused or switched off. Please ask an administrator of your organization."],
        ),
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
