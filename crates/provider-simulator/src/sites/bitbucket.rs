//! Bitbucket Cloud.
//!
//! Sources: "OAuth on Bitbucket Cloud", the users API, and the notice on the changes to OAuth of 2026 in the
//! documentation and the community of Atlassian. There is no revocation, no device grant and no PKCE.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{ALPHANUMERIC, Dialect, PLAIN, SecretShape, Spoken};
use crate::params::Params;
use crate::routes::api::{ApiCall, bearer};
use crate::routes::{answers, authorize, token};
use crate::settings::{CallbackIss, ClientAuthentication, Pkce, Rotation, Settings};
use crate::shared::Shared;
use crate::state::{Access, ErrorCode, Provider, UserinfoRefusal};
use crate::subjects;

/// bitbucket.org.
pub(super) const SITE: SiteRow = SiteRow {
    name: "bitbucket",
    mounts: &[
        Mount { path: "/bitbucket.org", routes: pages },
        Mount { path: "/api.bitbucket.org", routes: api },
    ],
    web: Address { path: "/bitbucket.org", name: Some("https://bitbucket.org") },
    api: Address { path: "/api.bitbucket.org", name: Some("https://api.bitbucket.org") },
    issuer: Issuer::Real("https://bitbucket.org"),
    dialect: &DIALECT,
    settings,
};

const TOKEN: SecretShape = SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 80 };

const DIALECT: Dialect = Dialect {
    access_token: |_| TOKEN,
    refresh_token: TOKEN,
    code: SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 44 },
    token_type: "bearer",
    subject: subjects::braced_uuid,
    needs_redirect_uri: false,
    errors: &[
        Spoken::new(ErrorCode::InvalidClient, 400, "unauthorized_client").saying(
            "Client credentials missing; this request needs to be authenticated with the OAuth client id and \
                     secret",
        ),
        Spoken::new(ErrorCode::NotAForm, 400, "invalid_grant").saying("Unsupported grant type: None"),
        Spoken::new(ErrorCode::InvalidRefreshToken, 400, "invalid_grant").saying("Invalid refresh_token"),
        Spoken::new(ErrorCode::ExpiredRefreshToken, 400, "invalid_grant").saying("Invalid refresh_token"),
        Spoken::new(ErrorCode::DeviceGrantDisabled, 400, "unsupported_grant_type"),
    ],
    token_members: |_| Map::from_iter([("state".to_owned(), json!("authorization_code"))]),
    id_token_claims: None,
    rate_limit_headers: |_| {
        vec![
            ("x-ratelimit-limit", "1000".to_owned()),
            ("x-ratelimit-resource", "api-repositories".to_owned()),
            ("x-ratelimit-nearlimit", "true".to_owned()),
        ]
    },
    ..PLAIN
};

/// Three months without use end a refresh token; one that was replaced works for ten minutes more. Tokens are longer
/// than many a column.
fn settings() -> Settings {
    Settings {
        access_token_lifetime: 7200,
        refresh_token_lifetime: Some(7_776_000),
        code_lifetime: 600,
        rotation: Rotation::Grace,
        grace_seconds: 600,
        reuse_kills_family: false,
        old_access_token_dies: true,
        device_grant: false,
        client_authentication: ClientAuthentication::Both,
        pkce: Pkce::Ignored,
        callback_iss: CallbackIss::Absent,
        announce_iss: false,
        token_length: Some(2600),
        ..Settings::default()
    }
}

fn pages(app: &mut ServiceConfig) {
    app.service(
        resource("/site/oauth2/authorize")
            .route(get().to(authorize::ask))
            .route(post().to(authorize::decide)),
    )
    .service(resource("/site/oauth2/access_token").route(post().to(token::token)));
}

fn api(app: &mut ServiceConfig) {
    app.service(resource("/2.0/user").route(get().to(user)))
        .service(resource("/2.0/user/emails").route(get().to(emails)));
}

async fn user(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request),
        suffices: |access: &Access| access.has("account") || access.has("account:write"),
        refuse,
        document: |provider: &Provider, access: &Access| HttpResponse::Ok().json(document(provider, access)),
    };
    call.answer(shared).await
}

async fn emails(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes());
    let call = ApiCall {
        token: bearer(&request),
        suffices: |access: &Access| access.has("email"),
        refuse,
        document: move |provider: &Provider, access: &Access| {
            HttpResponse::Ok().json(page_of_emails(provider, access, &params))
        },
    };
    call.answer(shared).await
}

/// An error as the API tells it.
fn refuse(refusal: UserinfoRefusal) -> HttpResponse {
    let (status, message) = match refusal {
        UserinfoRefusal::NoToken => (StatusCode::UNAUTHORIZED, "Authentication required."),
        UserinfoRefusal::InvalidToken => {
            (StatusCode::UNAUTHORIZED, "Token is invalid, expired, or not supported for this endpoint.")
        }
        UserinfoRefusal::InsufficientScope => {
            (StatusCode::FORBIDDEN, "Your credentials lack one or more required privilege scopes.")
        }
    };
    answers::uncached(status).json(json!({ "type": "error", "error": { "message": message } }))
}

/// `GET /2.0/user`.
fn document(provider: &Provider, access: &Access) -> Value {
    let login = access.user.login();
    let encoded = access.sub.replace('{', "%7B").replace('}', "%7D");
    let link = |address: String| json!({ "href": address });
    let (web, api) = (&provider.place.web_name, &provider.place.api_name);
    json!({
        "display_name": access.user.name,
        "links": {
            "self": link(format!("{api}/2.0/users/{encoded}")),
            "avatar": link(format!("https://secure.gravatar.com/avatar/{login}?s=128")),
            "repositories": link(format!("{api}/2.0/repositories/{encoded}")),
            "snippets": link(format!("{api}/2.0/snippets/{encoded}")),
            "html": link(format!("{web}/{encoded}/")),
        },
        "created_on": "2019-11-08T13:25:41.081021+00:00",
        "type": "user",
        "uuid": access.sub,
        "has_2fa_enabled": null,
        "username": login,
        "is_staff": false,
        "account_id": subjects::uuid(&access.sub).replace('-', "")[..24],
        "nickname": login,
        "account_status": "active",
        "location": null,
    })
}

/// `GET /2.0/user/emails`, in pages of `pagelen`.
fn page_of_emails(provider: &Provider, access: &Access, params: &Params) -> Value {
    let number = |name| params.get(name).and_then(|text| text.parse::<usize>().ok());
    let (page, pagelen) = (number("page").unwrap_or(1).max(1), number("pagelen").unwrap_or(10).clamp(1, 100));
    let other = format!("old-{}@mail.example", access.user.login());
    let all = [(access.user.email.as_str(), true), (&other, false)];
    let email = |(address, primary): &(&str, bool)| {
        json!({
            "type": "email",
            "links": {"self": {"href": format!("{}/2.0/user/emails/{address}", provider.place.api_name)}},
            "email": address,
            "is_primary": primary,
            "is_confirmed": primary,
        })
    };
    let before = (page - 1).saturating_mul(pagelen);
    let values: Vec<Value> = all.iter().skip(before).take(pagelen).map(email).collect();
    let mut body = json!({ "values": values, "pagelen": pagelen, "size": all.len(), "page": page });
    if before.saturating_add(pagelen) < all.len() {
        let next = format!("{}/2.0/user/emails?pagelen={pagelen}&page={}", provider.place.api, page + 1);
        body["next"] = json!(next);
    }
    body
}
