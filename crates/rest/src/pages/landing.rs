//! Where whoever comes back from the provider of a login goes next.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use grantkeeper_domain::Secret;
use grantkeeper_domain::accounts::IssuedToken;
use grantkeeper_domain::ids::LoginId;
use grantkeeper_domain::login::{LoginError, LoginPage, ReturnedLogin};
use serde_json::json;

use super::login;
use crate::Api;
use crate::cookies::{LOGIN, set_cookie};
use crate::request_log::{client, request_id};
use crate::session::session_cookie;

/// Who brings a provider's answer back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// A person's browser, which is shown pages.
    Browser,
    /// A program, which is told by status and JSON.
    Program,
}

/// Leads on: to the login's own page, at an address without code and state (RFC 9700, 4.2.4); past it where it has nothing to
/// ask. The code is spent, so whoever is given a cookie gets it even where the page cannot be read just now: it can be in a
/// moment.
pub(crate) async fn land(
    api: &Api,
    request: &HttpRequest,
    returned: ReturnedLogin,
    visitor: Visitor,
) -> Result<HttpResponse, LoginError> {
    let ReturnedLogin { id, cookie } = returned;
    let shown: Vec<Secret> = match &cookie {
        Some(cookie) => vec![Secret::new(cookie.expose().to_owned())],
        None => LOGIN.shown_for(api, request, id).into_iter().collect(),
    };
    let address = client(request).map(|address| address.to_string());
    let request_id = request_id(request);
    let confirm = &api.use_cases.confirm_login;
    let page = confirm.page(id, &shown, address.as_deref(), request_id.as_deref()).await;
    let mut response = match page {
        Ok(LoginPage::Ended(end)) if visitor == Visitor::Program => return Err(end.into()),
        Ok(LoginPage::Working | LoginPage::Asks(_) | LoginPage::Ended(_)) => found(&own_page(id)),
        Ok(LoginPage::Done { return_to: Some(uri) }) => found(&uri),
        Ok(LoginPage::Done { return_to: None }) => match visitor {
            Visitor::Browser => login::done(),
            Visitor::Program => HttpResponse::Ok().json(json!({})),
        },
        Ok(LoginPage::SignedIn { session, next }) => {
            return Ok(signed_in(api, id, found(&next), Some(&session)));
        }
        Ok(LoginPage::WasSignedIn { next }) => return Ok(signed_in(api, id, found(&next), None)),
        Err(error) if cookie.is_none() => return Err(error),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the page of a login cannot be read yet"
            );
            found(&own_page(id))
        }
    };
    if let Some(cookie) = cookie {
        set_cookie(&mut response, &LOGIN.of(api, id, &cookie));
    }
    Ok(response)
}

/// Lets a browser go on that has signed in itself: with its session where that is new, and without the cookie of the login,
/// which is good for nothing any more.
pub(super) fn signed_in(
    api: &Api,
    id: LoginId,
    mut onward: HttpResponse,
    session: Option<&IssuedToken>,
) -> HttpResponse {
    if let Some(session) = session {
        set_cookie(&mut onward, &session_cookie(api, &session.secret));
    }
    set_cookie(&mut onward, &LOGIN.spent(api, id));
    onward
}

/// The login's own page.
pub(super) fn own_page(id: LoginId) -> String {
    format!("/login/{id}")
}

/// 302 and not 303, and with a body: as in the reference.
fn found(uri: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::FOUND).insert_header((LOCATION, uri)).json(json!({}))
}
