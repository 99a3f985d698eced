//! Google.
//!
//! Sources: "Using OAuth 2.0 for Web Server Applications", "OAuth 2.0 for TV and Limited-Input Device Applications" and
//! "OpenID Connect" in the documentation of Google Identity, and its discovery document.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{
    ALPHANUMERIC, Dialect, Offline, PLAIN, Page, SecretShape, Spoken, UserCodeShape, Verification,
};
use crate::params::Params;
use crate::routes::api::{ApiCall, bearer};
use crate::routes::{answers, authorize, device, discovery, revoke, token, userinfo};
use crate::settings::{ClientAuthentication, Pkce, RevokeScope, Rotation, Settings};
use crate::shared::Shared;
use crate::state::{Access, ErrorCode, Provider, UserinfoRefusal};
use crate::subjects;

/// Google's hosts.
pub(super) const SITE: SiteRow = SiteRow {
    name: "google",
    mounts: &[
        Mount { path: "/accounts.google.com", routes: accounts },
        Mount { path: "/oauth2.googleapis.com", routes: oauth2 },
        Mount { path: "/openidconnect.googleapis.com", routes: openid },
        Mount { path: "/www.googleapis.com", routes: keys },
        Mount { path: "/www.google.com", routes: pages },
    ],
    web: Address { path: "/accounts.google.com", name: Some("https://accounts.google.com") },
    api: Address { path: "/oauth2.googleapis.com", name: Some("https://oauth2.googleapis.com") },
    issuer: Issuer::Real("https://accounts.google.com"),
    dialect: &DIALECT,
    settings,
};

/// The scopes that devices may ask for.
const DEVICE_SCOPES: &[&str] = &[
    "openid",
    "email",
    "profile",
    EMAIL,
    PROFILE,
    "https://www.googleapis.com/auth/drive.appdata",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/youtube",
    "https://www.googleapis.com/auth/youtube.readonly",
];

/// What `email` is called in answers.
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

/// What `profile` is called in answers.
const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

const DIALECT: Dialect = Dialect {
    access_token: |_| SecretShape { prefix: "ya29.a0", alphabet: ALPHANUMERIC, length: 200 },
    refresh_token: SecretShape { prefix: "1//0", alphabet: ALPHANUMERIC, length: 100 },
    code: SecretShape { prefix: "4/0", alphabet: ALPHANUMERIC, length: 70 },
    device_code: SecretShape { prefix: "AH-1Ng", alphabet: ALPHANUMERIC, length: 80 },
    user_code: UserCodeShape::CaseSensitive,
    subject: subjects::digits21,
    granted: full_names,
    refused_scopes: &["offline_access"],
    device_scopes: Some(DEVICE_SCOPES),
    offline: Offline::AccessType,
    poll_needs_secret: true,
    revocation_needs_client: false,
    revocation_knows_tokens: true,
    revoked: "{}",
    errors: &[
        Spoken::new(ErrorCode::InvalidClient, 401, "invalid_client").saying("Unauthorized"),
        Spoken::new(ErrorCode::InvalidCode, 400, "invalid_grant").saying("Malformed auth code."),
        Spoken::new(ErrorCode::InvalidRefreshToken, 400, "invalid_grant")
            .saying("Token has been expired or revoked."),
        Spoken::new(ErrorCode::ExpiredRefreshToken, 400, "invalid_grant")
            .saying("Token has been expired or revoked."),
        Spoken::new(ErrorCode::RedirectUriMismatch, 400, "redirect_uri_mismatch").saying("Bad Request"),
        Spoken::new(ErrorCode::AuthorizationPending, 428, "authorization_pending")
            .saying("Precondition Required"),
        Spoken::new(ErrorCode::SlowDown, 403, "slow_down").saying("Forbidden"),
        Spoken::new(ErrorCode::AccessDenied, 403, "access_denied").saying("Forbidden"),
        Spoken::new(ErrorCode::DeviceGrantDisabled, 401, "invalid_client").saying("Invalid client type."),
    ],
    callback_members,
    id_token_claims: Some(id_token_claims),
    verification: Verification {
        page: Page::At("/www.google.com/device"),
        member: "verification_url",
        complete: false,
        message: false,
    },
    ..PLAIN
};

/// Six months without use end a refresh token. The clients of one simulator count as one project.
fn settings() -> Settings {
    Settings {
        access_token_lifetime: 3599,
        refresh_token_lifetime: Some(15_552_000),
        code_lifetime: 600,
        device_code_lifetime: 1800,
        device_interval: Some(5),
        rotation: Rotation::None,
        refresh_omits_refresh_token: true,
        reuse_kills_family: false,
        always_refresh_token: false,
        max_grants_per_user: Some(100),
        client_authentication: ClientAuthentication::Both,
        pkce: Pkce::S256AndPlain,
        announce_iss: false,
        revoke_scope: RevokeScope::Project,
        ..Settings::default()
    }
}

fn full_names(asked: &[String]) -> Vec<String> {
    let full = |scope: &String| match scope.as_str() {
        "email" => EMAIL.to_owned(),
        "profile" => PROFILE.to_owned(),
        scope => scope.to_owned(),
    };
    asked.iter().map(full).collect()
}

fn callback_members(scopes: &[String]) -> Vec<(&'static str, String)> {
    vec![("scope", scopes.join(" ")), ("authuser", "0".to_owned()), ("prompt", "consent".to_owned())]
}

/// The user's claims, and the hour that its ID tokens are good for.
fn id_token_claims(access: &Access, _: &str) -> Map<String, Value> {
    let mut claims = user_claims(access);
    claims.insert("azp".to_owned(), json!(access.client_id));
    claims.insert("exp".to_owned(), json!(access.issued_at.timestamp() + 3600));
    claims
}

fn user_claims(access: &Access) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("sub", json!(access.sub));
    if access.has(PROFILE) {
        let (given_name, family_name) = access.user.names();
        insert("name", json!(access.user.name));
        insert("given_name", json!(given_name));
        if let Some(family_name) = family_name {
            insert("family_name", json!(family_name));
        }
        insert("picture", json!("https://lh3.googleusercontent.com/a/ACg8ocExample=s96-c"));
    }
    if access.has(EMAIL) {
        insert("email", json!(access.user.email));
        insert("email_verified", json!(true));
        insert("hd", json!(access.user.email.split_once('@').map_or("", |(_, domain)| domain)));
    }
    claims
}

fn accounts(app: &mut ServiceConfig) {
    app.service(
        resource("/o/oauth2/v2/auth").route(get().to(authorize::ask)).route(post().to(authorize::decide)),
    )
    .service(resource("/.well-known/openid-configuration").route(get().to(metadata)));
}

fn oauth2(app: &mut ServiceConfig) {
    app.service(resource("/token").route(post().to(token::token)))
        .service(resource("/revoke").route(post().to(revoke::revoke)))
        .service(resource("/device/code").route(post().to(device::authorize)))
        .service(resource("/tokeninfo").route(get().to(token_info)).route(post().to(token_info)));
}

fn openid(app: &mut ServiceConfig) {
    app.service(resource("/v1/userinfo").route(get().to(user)).route(post().to(user)));
}

fn keys(app: &mut ServiceConfig) {
    app.service(resource("/oauth2/v3/certs").route(get().to(discovery::jwks)));
}

fn pages(app: &mut ServiceConfig) {
    app.service(resource("/device").route(get().to(device::ask)).route(post().to(device::decide)));
}

async fn user(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request),
        suffices: |access: &Access| access.has("openid") || access.has(EMAIL) || access.has(PROFILE),
        refuse: userinfo::refusal,
        document: |_: &Provider, access: &Access| answers::uncached(StatusCode::OK).json(user_claims(access)),
    };
    call.answer(shared).await
}

/// What a token in the header is good for, or one in the query, where tokens should not be.
async fn token_info(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes());
    let call = ApiCall {
        token: bearer(&request).or_else(|| params.get("access_token").map(str::to_owned)),
        suffices: |_: &Access| true,
        refuse: |_: UserinfoRefusal| {
            answers::uncached(StatusCode::BAD_REQUEST)
                .json(json!({ "error": "invalid_token", "error_description": "Invalid Value" }))
        },
        document: |provider: &Provider, access: &Access| {
            let left = access.expires_at.map(|at| (at - provider.now()).num_seconds());
            answers::uncached(StatusCode::OK).json(json!({
                "azp": access.client_id,
                "aud": access.client_id,
                "sub": access.sub,
                "scope": access.scopes.join(" "),
                "exp": access.expires_at.map(|at| at.timestamp().to_string()),
                "expires_in": left.map(|left| left.to_string()),
                "access_type": "offline",
            }))
        },
    };
    call.answer(shared).await
}

async fn metadata(shared: Data<Shared>) -> HttpResponse {
    discovery::publish(shared, document).await
}

/// The discovery document. The parameter `iss` of the redirect back is sent and not announced.
fn document(provider: &Provider) -> Value {
    let at = |path: &str| format!("{}{path}", provider.place.origin);
    let mut document = json!({
        "issuer": provider.place.issuer,
        "authorization_endpoint": at("/accounts.google.com/o/oauth2/v2/auth"),
        "device_authorization_endpoint": at("/oauth2.googleapis.com/device/code"),
        "token_endpoint": at("/oauth2.googleapis.com/token"),
        "userinfo_endpoint": at("/openidconnect.googleapis.com/v1/userinfo"),
        "revocation_endpoint": at("/oauth2.googleapis.com/revoke"),
        "jwks_uri": at("/www.googleapis.com/oauth2/v3/certs"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": [
            "aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "picture", "sub",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
    });
    if provider.settings.announce_iss {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    document
}
