//! Signing in to a browser session: at a provider, or with an API token.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use grantkeeper_domain::accounts::OpenSessionError;
use grantkeeper_domain::login::Offered;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::form::PageForm;
use super::own_path::OwnPath;
use super::page;
use super::same_origin::comes_from_us;
use crate::Api;
use crate::limits::Attempt;
use crate::query::Query;
use crate::request_log::request_id;
use crate::session::session_cookie;

/// Where the page is.
pub(super) const PATH: &str = "/sign-in";

/// The same for somebody who wants to see a page of ours, and comes there.
pub(super) fn leading_to(page: &OwnPath) -> String {
    format!("{PATH}?return_to={}", utf8_percent_encode(page.as_str(), NON_ALPHANUMERIC))
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    providers: &'a [Offered],
    return_to: &'a str,
    refused: bool,
}

#[derive(Deserialize)]
pub(super) struct Form {
    token: String,
    return_to: Option<String>,
}

pub(super) async fn show(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let Ok(query) = Query::of(&request) else {
        return page::not_valid();
    };
    match query.one("return_to").ok().and_then(OwnPath::after_sign_in) {
        Some(return_to) => form(&api, StatusCode::OK, &return_to, false).await,
        None => page::not_valid(),
    }
}

pub(super) async fn sign_in(
    api: web::Data<Api>,
    request: HttpRequest,
    PageForm(Form { token, return_to }): PageForm<Form>,
) -> HttpResponse {
    // Signing a victim in to an attacker's account is an attack too.
    let return_to = OwnPath::after_sign_in(return_to.as_deref()).filter(|_| comes_from_us(&api, &request));
    let Some(return_to) = return_to else {
        return page::not_valid();
    };
    let attempt = match Attempt::begin(&api, &request) {
        Ok(attempt) => attempt,
        Err(refused) => return page::too_many_requests(refused),
    };
    match api.use_cases.open_session.run(token.trim(), request_id(&request)).await {
        Ok((_, session)) => HttpResponse::SeeOther()
            .cookie(session_cookie(&api, &session.secret))
            .insert_header((LOCATION, return_to.as_str()))
            .finish(),
        Err(OpenSessionError::Refused) => {
            attempt.failed();
            form(&api, StatusCode::UNAUTHORIZED, &return_to, true).await
        }
        Err(OpenSessionError::Store(error)) => page::broken(&error),
    }
}

async fn form(api: &Api, status: StatusCode, return_to: &OwnPath, refused: bool) -> HttpResponse {
    let providers = match api.use_cases.login_providers.offered().await {
        Ok(providers) => providers,
        Err(error) => return page::broken(&error),
    };
    let sign_in = SignIn { providers: &providers, return_to: return_to.as_str(), refused };
    page::form(status, &sign_in)
}
