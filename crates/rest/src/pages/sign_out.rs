//! Ending a browser session.

use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::accounts::RevokeApiTokenError;
use serde::Deserialize;

use super::form::PageForm;
use super::page::see_other;
use super::same_origin::comes_from_us;
use super::{page, sign_in};
use crate::Api;
use crate::cookies::{DEVICE, FLOW, set_cookie};
use crate::session::{ended_session_cookie, session};

#[derive(Deserialize)]
pub(super) struct Form {
    form_token: String,
}

pub(super) async fn sign_out(
    api: web::Data<Api>,
    request: HttpRequest,
    PageForm(form): PageForm<Form>,
) -> HttpResponse {
    if !comes_from_us(&api, &request) {
        return page::not_valid();
    }
    let session = match session(&api, &request).await {
        Ok(Some(session)) => session,
        // It has ended already; what is left of it is the cookie.
        Ok(None) => return signed_out(&api, &request),
        Err(error) => return page::no_session(&error),
    };
    if form.form_token != session.form_token {
        return page::not_valid();
    }
    let caller = &session.caller;
    match api.use_cases.revoke_api_token.of_caller(caller, caller.token_id).await {
        Ok(_) | Err(RevokeApiTokenError::NotFound) => signed_out(&api, &request),
        Err(RevokeApiTokenError::Conflict) => page::try_again(),
        Err(RevokeApiTokenError::Store(error)) => page::broken(&error),
    }
}

/// Whoever comes next to this browser finds nothing of what was under way in it.
fn signed_out(api: &Api, request: &HttpRequest) -> HttpResponse {
    let mut response = see_other(sign_in::PATH);
    set_cookie(&mut response, &ended_session_cookie(api));
    for cookie in [FLOW, DEVICE].iter().flat_map(|kind| kind.all_spent(api, request)) {
        set_cookie(&mut response, &cookie);
    }
    response
}
