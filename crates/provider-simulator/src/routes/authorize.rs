//! The authorization endpoint: `GET` asks the user, `POST` takes the decision (RFC 6749 section 3.1).

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::{answers, pages};
use crate::params::Params;
use crate::shared::Shared;
use crate::state::{AuthorizationAnswer, Decision, User};

pub(crate) async fn ask(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    ask_in(&shared, &request, None)
}

/// The same for accounts in a directory.
pub(crate) fn ask_in(
    shared: &Shared,
    request: &HttpRequest,
    directory: Option<&'static str>,
) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes());
    let answer = shared.provider().authorize(&params, directory);
    match answer {
        AuthorizationAnswer::Ask(question) => pages::consent(&question, request.path()),
        AuthorizationAnswer::Redirect(url) => redirect(url),
        AuthorizationAnswer::Refuse(reason) => pages::refusal(reason),
    }
}

pub(crate) async fn decide(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let params = Params::parse(&body);
    let Some(decision) = decision(&params) else {
        return pages::refusal("The decision is neither approve nor deny.");
    };
    let url = shared.provider().decide(params.get("ticket").unwrap_or_default(), decision);
    match url {
        Some(url) => redirect(url),
        None => {
            pages::refusal("This request was decided before, or never made. Start again where you came from.")
        }
    }
}

/// The decision in a form.
pub(crate) fn decision(params: &Params) -> Option<Decision> {
    match params.get("decision") {
        Some("approve") => {
            Some(Decision::Approve(params.get("user").map_or_else(User::default_user, User::with_sub)))
        }
        Some("deny") => Some(Decision::Deny),
        _ => None,
    }
}

/// 303, so that no form is sent along (RFC 9700 section 4.12).
fn redirect(url: String) -> HttpResponse {
    answers::uncached(StatusCode::SEE_OTHER)
        .insert_header((header::LOCATION, url))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish()
}
