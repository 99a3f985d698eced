//! Microsoft: the global cloud, the one of the United States government and the one in China.
//!
//! Sources: "Microsoft identity platform and OAuth 2.0 authorization code flow", "... device authorization grant",
//! "ID token claims reference", "Microsoft Entra authentication and authorization error codes" and "National clouds" in
//! the documentation of Microsoft.

mod errors;
mod graph;
mod tenants;

use actix_web::web::{Bytes, Data, Path, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{
    ALPHANUMERIC, Dialect, PLAIN, Page, RefreshScope, SecretShape, Spoken, UserCodeShape, Verification,
};
use crate::routes::{authorize, device, discovery, pages, token};
use crate::settings::{CallbackIss, ClientAuthentication, Pkce, Rotation, Settings};
use crate::shared::Shared;
use crate::state::{Access, ErrorCode, Provider, TokenAnswer, scopes};
use crate::subjects;
use tenants::Tenant;

/// The global cloud.
pub(super) const GLOBAL: SiteRow = SiteRow {
    name: "microsoft",
    mounts: &[
        Mount { path: "/login.microsoftonline.com", routes: login },
        Mount { path: "/graph.microsoft.com", routes: graph::configure },
        Mount { path: "/microsoft.com", routes: device_pages },
    ],
    web: Address { path: "/login.microsoftonline.com", name: Some("https://login.microsoftonline.com") },
    api: Address { path: "/graph.microsoft.com", name: Some("https://graph.microsoft.com") },
    issuer: Issuer::Real("https://login.microsoftonline.com"),
    dialect: &DIALECT,
    settings,
};

/// The cloud of the United States government.
pub(super) const US_GOVERNMENT: SiteRow = SiteRow {
    name: "microsoft-us-government",
    mounts: &[
        Mount { path: "/login.microsoftonline.us", routes: login },
        Mount { path: "/graph.microsoft.us", routes: graph::configure },
    ],
    web: Address { path: "/login.microsoftonline.us", name: Some("https://login.microsoftonline.us") },
    api: Address { path: "/graph.microsoft.us", name: Some("https://graph.microsoft.us") },
    issuer: Issuer::Real("https://login.microsoftonline.us"),
    dialect: &NATIONAL_DIALECT,
    settings,
};

/// The cloud in China.
pub(super) const CHINA: SiteRow = SiteRow {
    name: "microsoft-china",
    mounts: &[
        Mount { path: "/login.partner.microsoftonline.cn", routes: login },
        Mount { path: "/microsoftgraph.chinacloudapi.cn", routes: graph::configure },
    ],
    web: Address {
        path: "/login.partner.microsoftonline.cn",
        name: Some("https://login.partner.microsoftonline.cn"),
    },
    api: Address {
        path: "/microsoftgraph.chinacloudapi.cn",
        name: Some("https://microsoftgraph.chinacloudapi.cn"),
    },
    issuer: Issuer::Real("https://login.partner.microsoftonline.cn"),
    dialect: &NATIONAL_DIALECT,
    settings,
};

const DIALECT: Dialect = Dialect {
    access_token: |_| SecretShape { prefix: "EwB", alphabet: ALPHANUMERIC, length: 1200 },
    refresh_token: SecretShape { prefix: "0.A", alphabet: ALPHANUMERIC, length: 900 },
    code: SecretShape { prefix: "0.A", alphabet: ALPHANUMERIC, length: 700 },
    device_code: SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 200 },
    user_code: UserCodeShape::Word(9),
    subject: subjects::uuid,
    granted: without_offline_access,
    refresh_scope: RefreshScope::NarrowsWhatWasAsked,
    errors: &[
        Spoken::new(ErrorCode::InvalidDeviceCode, 400, "bad_verification_code"),
        Spoken::new(ErrorCode::AccessDenied, 400, "authorization_declined"),
        Spoken::new(ErrorCode::DeviceGrantDisabled, 401, "invalid_client"),
        Spoken::new(ErrorCode::NotAForm, 400, "invalid_request"),
    ],
    error_members: errors::members,
    token_members,
    callback_members: |_| vec![("session_state", "00b2c3d4-1f2e-4a3b-8c5d-6e7f8a9b0c1d".to_owned())],
    id_token_claims: Some(id_token_claims),
    verification: Verification {
        page: Page::At("/microsoft.com/devicelogin"),
        member: "verification_uri",
        complete: false,
        message: true,
    },
    ..PLAIN
};

/// The other clouds have pages of their own.
const NATIONAL_DIALECT: Dialect = Dialect {
    verification: Verification {
        page: Page::Below("/common/oauth2/deviceauth"),
        member: "verification_uri",
        complete: false,
        message: true,
    },
    ..DIALECT
};

fn settings() -> Settings {
    Settings {
        access_token_lifetime: 3599,
        refresh_token_lifetime: Some(7_776_000),
        code_lifetime: 600,
        device_code_lifetime: 900,
        device_interval: Some(5),
        rotation: Rotation::Tolerant,
        reuse_kills_family: false,
        always_refresh_token: false,
        client_authentication: ClientAuthentication::Both,
        pkce: Pkce::S256AndPlain,
        callback_iss: CallbackIss::Absent,
        announce_iss: false,
        ..Settings::default()
    }
}

/// `offline_access` is asked for and not told of.
fn without_offline_access(asked: &[String]) -> Vec<String> {
    asked.iter().filter(|scope| *scope != "offline_access").cloned().collect()
}

/// The lifetime comes a second time, for outages.
fn token_members(answer: &TokenAnswer) -> Map<String, Value> {
    let lifetime = answer.expires_in.map(|expires_in| ("ext_expires_in".to_owned(), json!(expires_in)));
    lifetime.into_iter().collect()
}

/// The claims of an ID token. The issuer names the directory; `sub` is another one for each client, and `oid` is the
/// user's only with the scope `profile`.
fn id_token_claims(access: &Access, authority: &str) -> Map<String, Value> {
    let tid = access.directory.unwrap_or(tenants::DIRECTORY);
    let mut claims = Map::new();
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("ver", json!("2.0"));
    insert("iss", json!(format!("{authority}/{tid}/v2.0")));
    insert("sub", json!(pairwise_subject(access)));
    insert("tid", json!(tid));
    insert("nbf", json!(access.issued_at.timestamp()));
    insert("exp", json!(access.issued_at.timestamp() + 3900));
    insert("aio", json!("opaque"));
    insert("rh", json!("opaque"));
    insert("uti", json!("opaque"));
    if scopes::contains(&access.scopes, "profile") {
        insert("name", json!(access.user.name));
        insert("preferred_username", json!(access.user.email));
        insert("oid", json!(tenants::object_id(access)));
    }
    if access.has("email") {
        insert("email", json!(access.user.email));
    }
    claims
}

/// A subject identifier that no other client sees (OpenID Connect Core section 8.1).
fn pairwise_subject(access: &Access) -> String {
    let client_id = access.client_id.as_deref().unwrap_or_default();
    subjects::uuid(&format!("{} at {client_id}", access.sub)).replace('-', "")
}

fn login(app: &mut ServiceConfig) {
    app.service(
        resource("/{tenant}/oauth2/v2.0/authorize").route(get().to(ask)).route(post().to(authorize::decide)),
    )
    .service(resource("/{tenant}/oauth2/v2.0/token").route(post().to(token)))
    .service(resource("/{tenant}/oauth2/v2.0/devicecode").route(post().to(device_code)))
    .service(
        resource("/{tenant}/oauth2/deviceauth").route(get().to(device::ask)).route(post().to(device::decide)),
    )
    .service(resource("/{tenant}/v2.0/.well-known/openid-configuration").route(get().to(metadata)))
    .service(resource("/{tenant}/discovery/v2.0/keys").route(get().to(keys)));
}

fn device_pages(app: &mut ServiceConfig) {
    app.service(resource("/devicelogin").route(get().to(device::ask)).route(post().to(device::decide)));
}

async fn ask(shared: Data<Shared>, request: HttpRequest, tenant: Path<String>) -> HttpResponse {
    match Tenant::named(&tenant) {
        Some(tenant) => authorize::ask_in(&shared, &request, Some(tenant.directory())),
        None => {
            pages::refusal("AADSTS90002: There is no such tenant. Check that it has the right name or id.")
        }
    }
}

async fn token(
    shared: Data<Shared>,
    request: HttpRequest,
    tenant: Path<String>,
    body: Bytes,
) -> HttpResponse {
    match Tenant::named(&tenant) {
        Some(_) => token::token(shared, request, body).await,
        None => errors::no_such_tenant(&shared, &tenant),
    }
}

async fn device_code(
    shared: Data<Shared>,
    request: HttpRequest,
    tenant: Path<String>,
    body: Bytes,
) -> HttpResponse {
    match Tenant::named(&tenant) {
        Some(tenant) => device::authorize_in(shared, &request, &body, Some(tenant.directory())).await,
        None => errors::no_such_tenant(&shared, &tenant),
    }
}

async fn keys(shared: Data<Shared>, tenant: Path<String>) -> HttpResponse {
    match Tenant::named(&tenant) {
        Some(_) => discovery::jwks(shared).await,
        None => errors::no_such_tenant(&shared, &tenant),
    }
}

async fn metadata(shared: Data<Shared>, path: Path<String>) -> HttpResponse {
    match Tenant::named(&path) {
        Some(tenant) => discovery::publish(shared, move |provider| document(provider, &path, tenant)).await,
        None => errors::no_such_tenant(&shared, &path),
    }
}

/// The discovery document; where the directory is not known yet, its issuer is a template.
fn document(provider: &Provider, path: &str, tenant: Tenant) -> Value {
    let at = |rest: &str| format!("{}/{path}{rest}", provider.place.web);
    json!({
        "issuer": format!("{}/{}/v2.0", provider.place.issuer, tenant.in_metadata()),
        "authorization_endpoint": at("/oauth2/v2.0/authorize"),
        "token_endpoint": at("/oauth2/v2.0/token"),
        "device_authorization_endpoint": at("/oauth2/v2.0/devicecode"),
        "jwks_uri": at("/discovery/v2.0/keys"),
        "userinfo_endpoint": format!("{}/oidc/userinfo", provider.place.api),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid",
            "ver", "at_hash", "c_hash", "email",
        ],
        "tenant_region_scope": null,
        "msgraph_host": provider.place.api_name.trim_start_matches("https://"),
    })
}
