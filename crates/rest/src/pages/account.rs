//! Who is signed in.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::accounts::Caller;

use super::page::{self, see_other};
use super::sign_in;
use crate::Api;
use crate::session::{Session, session};

/// Where signing in leads that was begun for its own sake.
pub(super) const PATH: &str = "/account";

#[derive(Template)]
#[template(path = "account.html")]
struct SignedIn<'a> {
    account: &'a str,
    organization: &'a str,
    form_token: &'a str,
}

pub(super) async fn show(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let session = match session(&api, &request).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other(sign_in::PATH),
        Err(error) => return page::no_session(&error),
    };
    match named(&api, &session.caller).await {
        Ok(Some((account, organization))) => told(&session, &account, &organization),
        // Both are there as long as the session is, but for a moment.
        Ok(None) => see_other(sign_in::PATH),
        Err(error) => page::broken(&error),
    }
}

fn told(session: &Session, account: &str, organization: &str) -> HttpResponse {
    let page = SignedIn { account, organization, form_token: &session.form_token };
    page::form(StatusCode::OK, &page)
}

pub(super) async fn named(api: &Api, caller: &Caller) -> Result<Option<(String, String)>, StoreError> {
    let account = api.store.account(caller.account_id).await?;
    let organization = api.store.organization(caller.organization_id).await?;
    Ok(account.zip(organization).map(|(account, organization)| {
        (account.email.as_str().to_owned(), organization.name.as_str().to_owned())
    }))
}
