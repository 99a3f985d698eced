//! Signing in to a browser session with an API token.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, ORIGIN};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use grantkeeper_domain::accounts::OpenSessionError;
use serde::Deserialize;

use super::form::PageForm;
use super::page;
use crate::Api;
use crate::limits::Attempt;
use crate::query::Query;
use crate::request_log::request_id;
use crate::session::session_cookie;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    return_to: &'a str,
    refused: bool,
}

#[derive(Deserialize)]
pub(super) struct Form {
    token: String,
    return_to: String,
}

pub(super) async fn show(request: HttpRequest) -> HttpResponse {
    let Ok(query) = Query::of(&request) else {
        return page::not_valid();
    };
    match query.one("return_to") {
        Ok(Some(path)) if is_own_path(path) => form(StatusCode::OK, path, false),
        _ => page::not_valid(),
    }
}

pub(super) async fn sign_in(
    api: web::Data<Api>,
    request: HttpRequest,
    PageForm(Form { token, return_to }): PageForm<Form>,
) -> HttpResponse {
    // Signing a victim in to an attacker's account is an attack too.
    if !comes_from_us(&api, &request) || !is_own_path(&return_to) {
        return page::not_valid();
    }
    let attempt = match Attempt::begin(&api, &request) {
        Ok(attempt) => attempt,
        Err(refused) => return page::too_many_requests(refused),
    };
    match api.use_cases.open_session.run(token.trim(), request_id(&request)).await {
        Ok((_, session)) => HttpResponse::SeeOther()
            .cookie(session_cookie(&api, &session.secret))
            .insert_header((LOCATION, return_to))
            .finish(),
        Err(OpenSessionError::Refused) => {
            attempt.failed();
            form(StatusCode::UNAUTHORIZED, &return_to, true)
        }
        Err(OpenSessionError::Store(error)) => page::broken(&error),
    }
}

fn form(status: StatusCode, return_to: &str, refused: bool) -> HttpResponse {
    page::form(status, &SignIn { return_to, refused }, None)
}

/// Browsers name the origin of every form they post; another one's form is refused.
pub(super) fn comes_from_us(api: &Api, request: &HttpRequest) -> bool {
    let mut origins = request.headers().get_all(ORIGIN);
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.as_bytes() == api.settings.public_url.as_bytes(),
        (Some(_), Some(_)) => false,
    }
}

/// Only the pages that need a session lead to the sign-in page and are returned to.
fn is_own_path(path: &str) -> bool {
    let is_id =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    path.strip_prefix("/connect/").is_some_and(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_one_of_our_own_pages() {
        assert!(is_own_path("/connect/0199c1f0-0000-7000-8000-000000000000"));
        for path in [
            "",
            "/",
            "//evil",
            "/connect/",
            "/connect/../x",
            "/connect//evil",
            "/\\evil",
            "https://evil/connect/0",
            "/connect/0?x",
        ] {
            assert!(!is_own_path(path), "{path}");
        }
    }
}
