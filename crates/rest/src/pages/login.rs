//! The page of a login, behind the provider's: who asks for a token, and does the person want that?

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use grantkeeper_domain::Secret;
use grantkeeper_domain::ids::LoginId;
use grantkeeper_domain::login::{LoginEnd, LoginError, LoginPage, LoginSummary};
use grantkeeper_domain::sealing::SealError;
use serde::Deserialize;

use super::form::PageForm;
use super::landing::{own_page, signed_in};
use super::page::{self, onward, see_other};
use super::same_origin::comes_from_us;
use crate::Api;
use crate::cookies::LOGIN;
use crate::query::Query;
use crate::request_log::{client, request_id};
use crate::session::form_token;

#[derive(Template)]
#[template(path = "login.html")]
struct Asks<'a> {
    summary: &'a LoginSummary,
    form_token: &'a str,
}

impl Asks<'_> {
    /// When the client asked, for people.
    fn asked_at(&self) -> String {
        self.summary.asked_at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// The same for programs.
    fn asked_at_in_full(&self) -> String {
        self.summary.asked_at.to_rfc3339()
    }
}

#[derive(Template)]
#[template(path = "login_working.html")]
struct Working {
    /// Whether the page looks again by itself.
    refresh: bool,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    answer: String,
    form_token: String,
}

/// A browser that has come back with a login, and shows so.
struct Returned {
    id: LoginId,
    cookie: [Secret; 1],
}

impl Returned {
    fn of(api: &Api, request: &HttpRequest, path: &str) -> Option<Self> {
        let id = path.parse().ok()?;
        let cookie = [LOGIN.shown_for(api, request, id)?];
        Some(Self { id, cookie })
    }

    fn form_token(&self) -> String {
        let [cookie] = &self.cookie;
        form_token(cookie.expose())
    }

    async fn page(&self, api: &Api, request: &HttpRequest) -> Result<LoginPage, LoginError> {
        let address = client(request).map(|address| address.to_string());
        let request_id = request_id(request);
        let confirm = &api.use_cases.confirm_login;
        confirm.page(self.id, &self.cookie, address.as_deref(), request_id.as_deref()).await
    }
}

pub(super) async fn show(api: web::Data<Api>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Some(returned) = Returned::of(&api, &request, &path) else {
        return page::not_valid();
    };
    match returned.page(&api, &request).await {
        Ok(LoginPage::Working) => {
            page::plain(StatusCode::OK, &Working { refresh: !wants_it_still(&request) })
        }
        Ok(LoginPage::Asks(summary)) => asks(&summary, &returned.form_token()),
        Ok(LoginPage::Done { return_to: Some(uri) }) => see_other(&uri),
        Ok(LoginPage::Done { return_to: None }) => done(),
        Ok(LoginPage::SignedIn { session, next }) => {
            signed_in(&api, returned.id, see_other(&next), Some(&session))
        }
        Ok(LoginPage::WasSignedIn { next }) => signed_in(&api, returned.id, see_other(&next), None),
        Ok(LoginPage::Ended(end)) => ended(&end),
        Err(error) => failed(&error),
    }
}

/// Whether the person does not want the page to go away under their eyes.
fn wants_it_still(request: &HttpRequest) -> bool {
    Query::of(request).is_ok_and(|query| query.one("still") != Ok(None))
}

pub(super) async fn answer(
    api: web::Data<Api>,
    request: HttpRequest,
    path: web::Path<String>,
    PageForm(form): PageForm<Answer>,
) -> HttpResponse {
    let returned = Returned::of(&api, &request, &path);
    let returned =
        returned.filter(|returned| comes_from_us(&api, &request) && form.form_token == returned.form_token());
    let (Some(returned), Some(yes)) = (returned, yes_or_no(&form.answer)) else {
        return page::not_valid();
    };
    if let Err(error) = api.use_cases.confirm_login.answer(returned.id, &returned.cookie, yes).await {
        return failed(&error);
    }
    match returned.page(&api, &request).await {
        Ok(LoginPage::Done { return_to: Some(uri) }) => onward(&uri),
        Ok(_) => see_other(&own_page(returned.id)),
        Err(error) => failed(&error),
    }
}

fn yes_or_no(answer: &str) -> Option<bool> {
    match answer {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn asks(summary: &LoginSummary, form_token: &str) -> HttpResponse {
    page::form(StatusCode::OK, &Asks { summary, form_token })
}

/// The page at the end, where there is nowhere else to go.
pub(super) fn done() -> HttpResponse {
    let lines = ["The program that asked is signed in as you now.", "You can close this window."];
    page::message(StatusCode::OK, "You are signed in", &lines)
}

/// The reasons are codes of ours; of what a provider sends, those that are plain words.
fn ended(end: &LoginEnd) -> HttpResponse {
    match end {
        LoginEnd::Refused(reason) => refused(StatusCode::OK, reason),
        LoginEnd::NotAllowed(reason) => not_allowed(StatusCode::OK, reason),
        LoginEnd::Unavailable(reason) => {
            let code = format!("The provider has not told who you are ({reason}).");
            page::message(StatusCode::OK, "Not signed in", &[&code, "Please start again in a moment."])
        }
    }
}

fn refused(status: StatusCode, reason: &str) -> HttpResponse {
    let code = format!("Nobody was signed in ({reason}).");
    page::message(status, "Not signed in", &[&code, "You can close this window, or start again."])
}

fn not_allowed(status: StatusCode, reason: &str) -> HttpResponse {
    let code = format!("This service does not let you sign in this way ({reason}).");
    page::message(status, "You may not sign in here", &[&code, "Please ask whoever runs this service."])
}

pub(super) fn failed(error: &LoginError) -> HttpResponse {
    match error {
        LoginError::UnknownProvider
        | LoginError::RedirectNotAllowed
        | LoginError::ForeignToken
        | LoginError::UnknownState => page::not_valid(),
        LoginError::Refused { reason } => refused(StatusCode::UNAUTHORIZED, reason),
        LoginError::NotAllowed { reason } => not_allowed(StatusCode::FORBIDDEN, reason),
        LoginError::Unavailable { reason } => {
            tracing::warn!(reason, "a provider does not let people sign in");
            page::try_again()
        }
        LoginError::Seal(SealError::Store(error)) | LoginError::Store(error) => page::broken(error),
        LoginError::Seal(error) => {
            tracing::error!(%error, "the secrets of a login do not open");
            page::try_again()
        }
    }
}
