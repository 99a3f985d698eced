//! Box.
//!
//! Sources: the API reference, "Token & URL expiration" and "OAuth 2.0 without SDKs" in the documentation of Box. There
//! are no scopes in its answers, no device grant and no PKCE.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{ALPHANUMERIC, Dialect, PLAIN, SecretShape, Spoken};
use crate::routes::api::{ApiCall, bearer};
use crate::routes::{answers, authorize, revoke, token};
use crate::settings::{CallbackIss, ClientAuthentication, Pkce, RevokeScope, Rotation, ScopeField, Settings};
use crate::shared::Shared;
use crate::state::{Access, ErrorCode, Provider, UserinfoRefusal};
use crate::subjects;

/// Box's hosts.
pub(super) const SITE: SiteRow = SiteRow {
    name: "box",
    mounts: &[Mount { path: "/account.box.com", routes: pages }, Mount { path: "/api.box.com", routes: api }],
    web: Address { path: "/account.box.com", name: Some("https://account.box.com") },
    api: Address { path: "/api.box.com", name: Some("https://api.box.com") },
    issuer: Issuer::Real("https://account.box.com"),
    dialect: &DIALECT,
    settings,
};

const DIALECT: Dialect = Dialect {
    access_token: |_| SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 32 },
    refresh_token: SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 64 },
    code: SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 32 },
    token_type: "bearer",
    subject: subjects::number,
    needs_redirect_uri: false,
    errors: &[
        Spoken::new(ErrorCode::InvalidClient, 400, "invalid_client")
            .saying("The client credentials are invalid"),
        Spoken::new(ErrorCode::InvalidCode, 400, "invalid_grant")
            .saying("Auth code doesn't exist or is invalid for the client"),
        Spoken::new(ErrorCode::InvalidRefreshToken, 400, "invalid_grant").saying("Invalid refresh token"),
        Spoken::new(ErrorCode::ExpiredRefreshToken, 400, "invalid_grant").saying("Refresh token has expired"),
        Spoken::new(ErrorCode::DeviceGrantDisabled, 400, "unsupported_grant_type"),
    ],
    token_members: |_| Map::from_iter([("restricted_to".to_owned(), json!([]))]),
    id_token_claims: None,
    ..PLAIN
};

/// A refresh token is good for sixty days or one use.
fn settings() -> Settings {
    Settings {
        access_token_lifetime: 3600,
        refresh_token_lifetime: Some(5_184_000),
        code_lifetime: 30,
        rotation: Rotation::Immediate,
        reuse_kills_family: false,
        device_grant: false,
        client_authentication: ClientAuthentication::Post,
        pkce: Pkce::Ignored,
        callback_iss: CallbackIss::Absent,
        announce_iss: false,
        scope_field: ScopeField::Absent,
        revoke_scope: RevokeScope::Pair,
        ..Settings::default()
    }
}

fn pages(app: &mut ServiceConfig) {
    app.service(
        resource("/api/oauth2/authorize").route(get().to(authorize::ask)).route(post().to(authorize::decide)),
    );
}

fn api(app: &mut ServiceConfig) {
    app.service(resource("/oauth2/token").route(post().to(token::token)))
        .service(resource("/oauth2/revoke").route(post().to(revoke::revoke)))
        .service(resource("/2.0/users/me").route(get().to(me)));
}

async fn me(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request),
        suffices: |_: &Access| true,
        refuse,
        document: |_: &Provider, access: &Access| HttpResponse::Ok().json(document(access)),
    };
    call.answer(shared).await
}

/// 401 without a body: all is in the challenge.
fn refuse(_: UserinfoRefusal) -> HttpResponse {
    let challenge = r#"Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid.""#;
    answers::uncached(StatusCode::UNAUTHORIZED).insert_header((header::WWW_AUTHENTICATE, challenge)).finish()
}

/// `GET /2.0/users/me`. The address is the name to sign in with.
fn document(access: &Access) -> Value {
    json!({
        "type": "user",
        "id": access.sub,
        "name": access.user.name,
        "login": access.user.email,
        "created_at": "2020-04-17T02:11:09-07:00",
        "modified_at": "2026-07-21T05:44:30-07:00",
        "language": "en",
        "timezone": "Europe/Lisbon",
        "space_amount": 1_000_000_000_000_000_u64,
        "space_used": 73_400_320,
        "max_upload_size": 5_368_709_120_u64,
        "status": "active",
        "job_title": "Archivist",
        "phone": "",
        "address": "",
        "avatar_url": format!("https://app.box.com/api/avatar/large/{}", access.sub),
        "notification_email": null,
    })
}
