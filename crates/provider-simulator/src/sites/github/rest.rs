//! The REST API of GitHub, as far as an OAuth client needs it.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, post, resource};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::json;

use super::installations::{self, ListPage};
use super::{documents, scopes, tokens};
use crate::params::Params;
use crate::routes::answers;
use crate::routes::api::{ApiCall, bearer};
use crate::routes::sent::header_text;
use crate::shared::Shared;
use crate::state::{Access, Provider, UserinfoRefusal};

/// The endpoints of GitHub's own hosts.
pub(super) fn cloud(app: &mut ServiceConfig) {
    configure(app);
    app.service(resource("/credentials/revoke").route(post().to(tokens::revoke_credentials)));
}

/// The endpoints of every GitHub.
pub(super) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/user").route(get().to(user)))
        .service(resource("/user/emails").route(get().to(emails)))
        .service(resource("/user/installations").route(get().to(installations)))
        .service(resource("/user/installations/{id}/repositories").route(get().to(repositories)))
        .service(
            resource("/applications/{client_id}/token")
                .route(post().to(tokens::check))
                .route(delete().to(tokens::delete)),
        )
        .service(resource("/applications/{client_id}/grant").route(delete().to(tokens::delete_grant)));
}

async fn user(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(
        shared,
        &request,
        |_| true,
        |provider, access| answer(provider, access).json(documents::user(provider, access)),
    )
    .await
}

/// Without the scope this is 404, as everything that a token may not see.
async fn emails(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(
        shared,
        &request,
        |access| scopes::allow(access, "user:email"),
        |provider, access| answer(provider, access).json(documents::emails(access)),
    )
    .await
}

async fn installations(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let page = ListPage::from_params(&Params::parse(request.query_string().as_bytes()));
    call(
        shared,
        &request,
        |_| true,
        move |provider, access| {
            if !provider.settings.github_app {
                return only_for_apps();
            }
            let url = format!("{}/user/installations", provider.place.api);
            let mut answer = answer(provider, access);
            if let Some(links) = page.links(&url, provider.settings.installations) {
                answer.insert_header((header::LINK, links));
            }
            answer.json(installations::list(provider, access, &page))
        },
    )
    .await
}

async fn repositories(shared: Data<Shared>, request: HttpRequest, id: Path<u32>) -> HttpResponse {
    let id = id.into_inner();
    call(
        shared,
        &request,
        |_| true,
        move |provider, access| {
            if !provider.settings.github_app {
                return only_for_apps();
            }
            if !installations::reaches(provider, id) {
                return message(StatusCode::NOT_FOUND, "Not Found");
            }
            answer(provider, access).json(installations::repositories(provider, id))
        },
    )
    .await
}

async fn call(
    shared: Data<Shared>,
    request: &HttpRequest,
    suffices: fn(&Access) -> bool,
    document: impl FnOnce(&Provider, &Access) -> HttpResponse + 'static,
) -> HttpResponse {
    if let Some(refusal) = without_user_agent(request) {
        return refusal;
    }
    ApiCall { token: token(request), suffices, refuse, document }.answer(shared).await
}

/// GitHub takes the schemes `Bearer` and `token`.
fn token(request: &HttpRequest) -> Option<String> {
    let header = header_text(request, header::AUTHORIZATION.as_str()).unwrap_or_default();
    let old = header.strip_prefix("token ").map(str::to_owned);
    old.or_else(|| bearer(request))
}

/// Requests without a `User-Agent` are refused ("Getting started with the REST API").
pub(super) fn without_user_agent(request: &HttpRequest) -> Option<HttpResponse> {
    let agent = header_text(request, header::USER_AGENT.as_str()).unwrap_or_default();
    agent.is_empty().then(|| {
        HttpResponse::Forbidden().content_type("text/plain").body(
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header \
             (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). \
             Check https://developer.github.com for other possible causes.",
        )
    })
}

/// An error as the REST API tells it.
pub(super) fn message(status: StatusCode, message: &str) -> HttpResponse {
    answers::uncached(status).json(json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_str(),
    }))
}

fn refuse(refusal: UserinfoRefusal) -> HttpResponse {
    match refusal {
        UserinfoRefusal::NoToken => message(StatusCode::UNAUTHORIZED, "Requires authentication"),
        UserinfoRefusal::InvalidToken => message(StatusCode::UNAUTHORIZED, "Bad credentials"),
        UserinfoRefusal::InsufficientScope => message(StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn only_for_apps() -> HttpResponse {
    message(
        StatusCode::FORBIDDEN,
        "You must authenticate with an access token authorized to a GitHub App in order to list installations",
    )
}

/// A successful answer with the headers that each has.
fn answer(provider: &Provider, access: &Access) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, "private, max-age=60, s-maxage=60"))
        .insert_header(("x-github-media-type", "github.v3; format=json"))
        .insert_header(("x-ratelimit-limit", "5000"))
        .insert_header(("x-ratelimit-remaining", "4999"))
        .insert_header(("x-ratelimit-used", "1"))
        .insert_header(("x-ratelimit-reset", (provider.now().timestamp() + 3600).to_string()))
        .insert_header(("x-ratelimit-resource", "core"));
    if !provider.settings.github_app {
        answer.insert_header(("x-oauth-scopes", access.scopes.join(", ")));
    }
    answer
}
