//! GitHub: github.com, a host of GitHub Enterprise Cloud with data residency, and an Enterprise Server.
//!
//! An OAuth App unless the setting `githubApp` makes it a GitHub App. Sources: "Authorizing OAuth apps", "Generating
//! a user access token for a GitHub App" and "Refreshing user access tokens" in the documentation of GitHub.

mod documents;
mod installations;
mod rest;
mod scopes;
mod tokens;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get, post, resource};
use serde_json::{Map, Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{
    ALPHANUMERIC, Dialect, HEX, PLAIN, Page, RefreshScope, SecretShape, Spoken, Verification,
};
use crate::routes::{authorize, device, discovery, token};
use crate::settings::{
    AccessTokensExpire, ClientAuthentication, ErrorsStatus, Pkce, Rotation, ScopeSeparator, Settings,
    TokenFormat,
};
use crate::shared::Shared;
use crate::state::{ErrorCode, Provider, TokenAnswer};
use crate::subjects;

/// github.com.
pub(super) const CLOUD: SiteRow = SiteRow {
    name: "github",
    mounts: &[
        Mount { path: "/github.com", routes: pages },
        Mount { path: "/api.github.com", routes: rest::cloud },
    ],
    web: Address { path: "/github.com", name: Some("https://github.com") },
    api: Address { path: "/api.github.com", name: Some("https://api.github.com") },
    issuer: Issuer::Real("https://github.com/login/oauth"),
    dialect: &DIALECT,
    settings,
};

/// GitHub Enterprise Cloud with data residency.
pub(super) const DATA_RESIDENCY: SiteRow = SiteRow {
    name: "github-residency",
    mounts: &[
        Mount { path: "/octo.ghe.com", routes: pages },
        Mount { path: "/api.octo.ghe.com", routes: rest::cloud },
    ],
    web: Address { path: "/octo.ghe.com", name: Some("https://octo.ghe.com") },
    api: Address { path: "/api.octo.ghe.com", name: Some("https://api.octo.ghe.com") },
    issuer: Issuer::Real("https://octo.ghe.com/login/oauth"),
    dialect: &DIALECT,
    settings,
};

/// GitHub Enterprise Server.
pub(super) const ENTERPRISE_SERVER: SiteRow = SiteRow {
    name: "github-enterprise",
    mounts: &[
        Mount { path: "/self-managed/github/api/v3", routes: rest::configure },
        Mount { path: "/self-managed/github", routes: pages },
    ],
    web: Address { path: "/self-managed/github", name: None },
    api: Address { path: "/self-managed/github/api/v3", name: None },
    issuer: Issuer::Here("/login/oauth"),
    dialect: &DIALECT,
    settings: enterprise_settings,
};

/// A page of the documentation.
const TROUBLESHOOTING: &str = "managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/";

/// Another one.
const AUTHORIZING: &str = "oauth-apps/building-oauth-apps/authorizing-oauth-apps";

const DIALECT: Dialect = Dialect {
    access_token: |settings| {
        let prefix = if settings.github_app { "ghu_" } else { "gho_" };
        SecretShape { prefix, alphabet: ALPHANUMERIC, length: 36 }
    },
    personal_token: Some(SecretShape { prefix: "ghp_", alphabet: ALPHANUMERIC, length: 36 }),
    refresh_token: SecretShape { prefix: "ghr_", alphabet: ALPHANUMERIC, length: 76 },
    code: SecretShape { prefix: "", alphabet: HEX, length: 20 },
    device_code: SecretShape { prefix: "", alphabet: HEX, length: 40 },
    token_type: "bearer",
    subject: subjects::number,
    granted: scopes::normalised,
    scope_omitted_means_former: true,
    tells_empty_scope: true,
    refresh_scope: RefreshScope::Forbidden,
    caps_by_scopes: true,
    needs_response_type: false,
    needs_grant_type: false,
    needs_redirect_uri: false,
    slow_down_tells_interval: true,
    errors: &[
        Spoken::new(ErrorCode::InvalidClient, 200, "incorrect_client_credentials")
            .saying("The client_id and/or client_secret passed are incorrect."),
        Spoken::new(ErrorCode::InvalidCode, 200, "bad_verification_code")
            .saying("The code passed is incorrect or expired."),
        Spoken::new(ErrorCode::RedirectUriMismatch, 200, "redirect_uri_mismatch")
            .saying("The redirect_uri MUST match the registered callback URL for this application."),
        Spoken::new(ErrorCode::InvalidRefreshToken, 200, "bad_refresh_token")
            .saying("The refresh token passed is incorrect or expired."),
        Spoken::new(ErrorCode::ExpiredRefreshToken, 200, "bad_refresh_token")
            .saying("The refresh token passed is incorrect or expired."),
        Spoken::new(ErrorCode::InvalidDeviceCode, 200, "incorrect_device_code")
            .saying("The device_code provided is not valid."),
        Spoken::new(ErrorCode::DeviceGrantDisabled, 200, "device_flow_disabled")
            .saying("Device Flow must be explicitly enabled for this App"),
    ],
    error_members,
    token_members,
    id_token_claims: None,
    verification: Verification {
        page: Page::Below("/login/device"),
        member: "verification_uri",
        complete: false,
        message: false,
    },
    ..PLAIN
};

fn settings() -> Settings {
    Settings {
        access_token_lifetime: 28_800,
        access_tokens_expire: AccessTokensExpire::WithRefreshToken,
        refresh_token_lifetime: Some(15_897_600),
        code_lifetime: 600,
        device_code_lifetime: 900,
        device_interval: Some(5),
        rotation: Rotation::Immediate,
        reuse_kills_family: false,
        old_access_token_dies: true,
        always_refresh_token: false,
        max_grants_per_user: Some(10),
        client_authentication: ClientAuthentication::Post,
        errors_status: ErrorsStatus::Ok,
        token_format: TokenFormat::FormUnlessAcceptJson,
        scope_separator: ScopeSeparator::Comma,
        ..Settings::default()
    }
}

/// PKCE is documented for github.com only; Enterprise Server is taken to ignore it.
fn enterprise_settings() -> Settings {
    Settings { pkce: Pkce::Ignored, ..settings() }
}

/// Where an error is explained ("Troubleshooting OAuth app access token request errors").
fn error_members(code: ErrorCode, _: i64) -> Map<String, Value> {
    let (page, anchor) = match code {
        ErrorCode::InvalidClient => (TROUBLESHOOTING, "#incorrect-client-credentials"),
        ErrorCode::InvalidCode => (TROUBLESHOOTING, "#bad-verification-code"),
        ErrorCode::RedirectUriMismatch => (TROUBLESHOOTING, "#redirect-uri-mismatch2"),
        ErrorCode::AuthorizationPending
        | ErrorCode::SlowDown
        | ErrorCode::ExpiredToken
        | ErrorCode::InvalidDeviceCode
        | ErrorCode::AccessDenied
        | ErrorCode::DeviceGrantDisabled => (AUTHORIZING, "#error-codes-for-the-device-flow"),
        _ => (TROUBLESHOOTING, ""),
    };
    let address = format!("https://docs.github.com/apps/{page}{anchor}");
    Map::from_iter([("error_uri".to_owned(), json!(address))])
}

/// The lifetime of a refresh token is told with it.
fn token_members(answer: &TokenAnswer) -> Map<String, Value> {
    let lifetime = answer.refresh_token_lifetime.filter(|_| answer.refresh_token.is_some());
    lifetime.map(|lifetime| ("refresh_token_expires_in".to_owned(), json!(lifetime))).into_iter().collect()
}

/// The host with the pages and the token endpoint.
fn pages(app: &mut ServiceConfig) {
    app.service(
        resource("/login/oauth/authorize")
            .route(get().to(authorize::ask))
            .route(post().to(authorize::decide)),
    )
    .service(resource("/login/oauth/access_token").route(post().to(token::token)))
    .service(resource("/login/device/code").route(post().to(device::authorize)))
    .service(resource("/login/device").route(get().to(device::ask)).route(post().to(device::decide)))
    .service(resource("/.well-known/oauth-authorization-server/login/oauth").route(get().to(metadata)));
}

async fn metadata(shared: Data<Shared>) -> HttpResponse {
    discovery::publish(shared, document).await
}

/// The metadata (RFC 8414), which GitHub publishes at the path-inserted address only.
fn document(provider: &Provider) -> Value {
    let at = |path: &str| format!("{}{path}", provider.place.web);
    let mut document = json!({
        "issuer": provider.place.issuer,
        "authorization_endpoint": at("/login/oauth/authorize"),
        "token_endpoint": at("/login/oauth/access_token"),
        "device_authorization_endpoint": at("/login/device/code"),
        "response_types_supported": ["code"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "service_documentation": "https://docs.github.com/apps/creating-github-apps",
    });
    if provider.settings.announce_iss {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    document
}
