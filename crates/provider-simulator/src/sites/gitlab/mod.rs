//! GitLab: gitlab.com and an instance of one's own below a context path.
//!
//! Sources: "OAuth 2.0 identity provider API", "GitLab as OpenID Connect identity provider" and the users API in the
//! documentation of GitLab, and Doorkeeper, which does the work.

mod documents;

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{Dialect, HEX, PLAIN, Page, SecretShape, Spoken, UserCodeShape, Verification};
use crate::routes::api::{ApiCall, bearer};
use crate::routes::{answers, authorize, device, discovery, introspect, revoke, token};
use crate::settings::{CallbackIss, Pkce, RevokeScope, Rotation, Settings};
use crate::shared::Shared;
use crate::state::{Access, ErrorCode, Provider, TokenAnswer, UserinfoRefusal};
use crate::subjects;

/// gitlab.com.
pub(super) const CLOUD: SiteRow = SiteRow {
    name: "gitlab",
    mounts: &[Mount { path: "/gitlab.com", routes }],
    web: Address { path: "/gitlab.com", name: Some("https://gitlab.com") },
    api: Address { path: "/gitlab.com/api/v4", name: Some("https://gitlab.com/api/v4") },
    issuer: Issuer::Real("https://gitlab.com"),
    dialect: &DIALECT,
    settings,
};

/// An instance below a context path.
pub(super) const SELF_MANAGED: SiteRow = SiteRow {
    name: "gitlab-self-managed",
    mounts: &[Mount { path: "/self-managed/gitlab", routes }],
    web: Address { path: "/self-managed/gitlab", name: None },
    api: Address { path: "/self-managed/gitlab/api/v4", name: None },
    issuer: Issuer::Here(""),
    dialect: &DIALECT,
    settings,
};

const TOKEN: SecretShape = SecretShape { prefix: "", alphabet: HEX, length: 64 };

const DIALECT: Dialect = Dialect {
    access_token: |_| TOKEN,
    personal_token: Some(SecretShape { length: 20, ..SecretShape::base64url("glpat-") }),
    refresh_token: TOKEN,
    code: TOKEN,
    device_code: SecretShape::base64url(""),
    user_code: UserCodeShape::Word(8),
    token_type: "bearer",
    subject: subjects::number,
    compares_redirect_uri_on_refresh: true,
    revoked: "{}",
    errors: &[Spoken::new(ErrorCode::DeviceGrantDisabled, 404, "not_found")],
    revocation_errors: &[
        Spoken::new(ErrorCode::InvalidClient, 403, "unauthorized_client")
            .saying("You are not authorized to revoke this token"),
        Spoken::new(ErrorCode::InvalidGrant, 403, "unauthorized_client")
            .saying("You are not authorized to revoke this token"),
    ],
    token_members,
    id_token_claims: Some(id_token_claims),
    rate_limit_headers,
    verification: Verification {
        page: Page::Below("/oauth/device"),
        member: "verification_uri",
        complete: true,
        message: false,
    },
    ..PLAIN
};

/// The documented answer of the device grant has no refresh token, hence the setting.
fn settings() -> Settings {
    Settings {
        access_token_lifetime: 7200,
        code_lifetime: 600,
        device_code_lifetime: 300,
        device_interval: Some(5),
        rotation: Rotation::Immediate,
        reuse_kills_family: false,
        old_access_token_dies: true,
        device_refresh_token: false,
        pkce: Pkce::S256AndPlain,
        callback_iss: CallbackIss::Absent,
        announce_iss: false,
        revoke_scope: RevokeScope::Pair,
        ..Settings::default()
    }
}

fn token_members(answer: &TokenAnswer) -> Map<String, Value> {
    Map::from_iter([("created_at".to_owned(), json!(answer.issued_at.timestamp()))])
}

/// `RateLimit-Reset` is a time and not a delay ("Rate limits" in the documentation for administrators).
fn rate_limit_headers(reset: Option<i64>) -> Vec<(&'static str, String)> {
    let Some(reset) = reset else { return Vec::new() };
    vec![
        ("ratelimit-limit", "2000".to_owned()),
        ("ratelimit-observed", "2001".to_owned()),
        ("ratelimit-remaining", "0".to_owned()),
        ("ratelimit-reset", reset.to_string()),
        ("ratelimit-name", "throttle_authenticated_api".to_owned()),
    ]
}

fn id_token_claims(access: &Access, issuer: &str) -> Map<String, Value> {
    let mut claims = documents::userinfo(access, issuer);
    claims.remove("groups");
    claims.insert("groups_direct".to_owned(), json!(["example", "example/release"]));
    claims
}

fn routes(app: &mut ServiceConfig) {
    app.service(
        resource("/oauth/authorize").route(get().to(authorize::ask)).route(post().to(authorize::decide)),
    )
    .service(resource("/oauth/token").route(post().to(token::token)))
    .service(resource("/oauth/revoke").route(post().to(revoke::revoke)))
    .service(resource("/oauth/introspect").route(post().to(introspect::introspect)))
    .service(resource("/oauth/token/info").route(get().to(token_info)))
    .service(resource("/oauth/authorize_device").route(post().to(device::authorize)))
    .service(resource("/oauth/device").route(get().to(device::ask)).route(post().to(device::decide)))
    .service(resource("/oauth/userinfo").route(get().to(oauth_userinfo)).route(post().to(oauth_userinfo)))
    .service(resource("/oauth/discovery/keys").route(get().to(discovery::jwks)))
    .service(resource("/.well-known/openid-configuration").route(get().to(metadata)))
    .service(resource("/.well-known/oauth-authorization-server").route(get().to(metadata)))
    .service(resource("/api/v4/user").route(get().to(api_user)))
    .service(resource("/api/v4/user/emails").route(get().to(api_emails)));
}

async fn metadata(shared: Data<Shared>) -> HttpResponse {
    discovery::publish(shared, documents::metadata).await
}

async fn oauth_userinfo(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(
        shared,
        &request,
        |access| access.has("openid"),
        |provider, access| HttpResponse::Ok().json(documents::userinfo(access, &provider.place.issuer)),
    )
    .await
}

async fn api_user(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(shared, &request, reads_users, |provider, access| {
        HttpResponse::Ok().json(documents::user(access, &provider.place.web_name))
    })
    .await
}

async fn api_emails(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(shared, &request, reads_users, |_, access| HttpResponse::Ok().json(documents::emails(access))).await
}

/// Doorkeeper knows the tokens of applications only.
async fn token_info(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request),
        suffices: |access: &Access| access.client_id.is_some(),
        refuse: |_: UserinfoRefusal| refuse(UserinfoRefusal::InvalidToken),
        document: |provider: &Provider, access: &Access| {
            let left = access.expires_at.map(|at| (at - provider.now()).num_seconds());
            HttpResponse::Ok().json(json!({
                "resource_owner_id": access.sub.parse::<u64>().unwrap_or_default(),
                "scope": access.scopes,
                "expires_in": left,
                "application": {"uid": access.client_id},
                "created_at": access.issued_at.timestamp(),
                "scopes": access.scopes,
                "expires_in_seconds": left,
            }))
        },
    };
    call.answer(shared).await
}

async fn call(
    shared: Data<Shared>,
    request: &HttpRequest,
    suffices: fn(&Access) -> bool,
    document: impl FnOnce(&Provider, &Access) -> HttpResponse + 'static,
) -> HttpResponse {
    ApiCall { token: bearer(request), suffices, refuse, document }.answer(shared).await
}

fn reads_users(access: &Access) -> bool {
    ["read_user", "read_api", "api"].iter().any(|scope| access.has(scope))
}

fn refuse(refusal: UserinfoRefusal) -> HttpResponse {
    match refusal {
        UserinfoRefusal::NoToken => {
            answers::uncached(StatusCode::UNAUTHORIZED).json(json!({ "message": "401 Unauthorized" }))
        }
        UserinfoRefusal::InvalidToken => answers::uncached(StatusCode::UNAUTHORIZED).json(json!({
            "error": "invalid_token",
            "error_description": "Token was revoked. You have to re-authorize from the user.",
        })),
        UserinfoRefusal::InsufficientScope => answers::uncached(StatusCode::FORBIDDEN).json(json!({
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
        })),
    }
}
