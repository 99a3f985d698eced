//! Bitbucket Data Center, below a context path.
//!
//! Sources: "Bitbucket OAuth 2.0 provider API", "OAuth 2.0 provider system properties" and the REST API in the
//! documentation of Atlassian. It has no endpoint that says who one is, but a header on every answer.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::{ALPHANUMERIC, Dialect, PLAIN, SecretShape, Spoken};
use crate::params::Params;
use crate::routes::api::{ApiCall, bearer};
use crate::routes::{answers, authorize, discovery, revoke, token};
use crate::settings::{CallbackIss, ClientAuthentication, Pkce, Rotation, Settings};
use crate::shared::Shared;
use crate::state::{Access, ErrorCode, Provider, UserinfoRefusal};
use crate::subjects;

/// An instance.
pub(super) const SITE: SiteRow = SiteRow {
    name: "bitbucket-data-center",
    mounts: &[Mount { path: "/self-managed/bitbucket", routes }],
    web: Address { path: "/self-managed/bitbucket", name: None },
    api: Address { path: "/self-managed/bitbucket/rest/api/latest", name: None },
    issuer: Issuer::Here(""),
    dialect: &DIALECT,
    settings,
};

const TOKEN: SecretShape = SecretShape { prefix: "", alphabet: ALPHANUMERIC, length: 64 };

const DIALECT: Dialect = Dialect {
    access_token: |_| TOKEN,
    refresh_token: TOKEN,
    code: TOKEN,
    token_type: "bearer",
    subject: subjects::number,
    errors: &[
        Spoken::new(ErrorCode::InvalidClient, 400, "invalid_client"),
        Spoken::new(ErrorCode::DeviceGrantDisabled, 400, "unsupported_grant_type"),
    ],
    id_token_claims: None,
    ..PLAIN
};

/// The defaults of the system properties.
fn settings() -> Settings {
    Settings {
        access_token_lifetime: 3600,
        refresh_token_lifetime: Some(7_776_000),
        code_lifetime: 10,
        rotation: Rotation::Immediate,
        reuse_kills_family: false,
        device_grant: false,
        client_authentication: ClientAuthentication::Post,
        pkce: Pkce::S256AndPlain,
        callback_iss: CallbackIss::Absent,
        announce_iss: false,
        ..Settings::default()
    }
}

fn routes(app: &mut ServiceConfig) {
    app.service(
        resource("/rest/oauth2/latest/authorize")
            .route(get().to(authorize::ask))
            .route(post().to(authorize::decide)),
    )
    .service(resource("/rest/oauth2/latest/token").route(post().to(token::token)))
    .service(resource("/rest/oauth2/latest/revoke").route(post().to(revoke::revoke)))
    .service(resource("/rest/oauth2/latest/.well-known/oauth-authorization-server").route(get().to(metadata)))
    .service(resource("/rest/api/latest/application-properties").route(get().to(properties)))
    .service(resource("/rest/api/latest/inbox/pull-requests/count").route(get().to(inbox)))
    .service(resource("/rest/api/latest/users").route(get().to(search)))
    .service(resource("/rest/api/latest/users/{slug}").route(get().to(user)))
    .service(resource("/plugins/servlet/applinks/whoami").route(get().to(who_am_i)));
}

async fn metadata(shared: Data<Shared>) -> HttpResponse {
    discovery::publish(shared, |provider| {
        let at = |path: &str| format!("{}/rest/oauth2/latest{path}", provider.place.web);
        json!({
            "issuer": provider.place.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["plain", "S256"],
        })
    })
    .await
}

async fn properties(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(shared, &request, |_, access| {
        let version =
            json!({ "version": "9.4.0", "buildNumber": "9004000", "buildDate": "1725000000000", "displayName": "Bitbucket" });
        answer(access).json(version)
    })
    .await
}

async fn inbox(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(shared, &request, |_, access| answer(access).json(json!({ "count": 0 }))).await
}

async fn who_am_i(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    call(shared, &request, |_, access| answer(access).content_type("text/plain").body(name(access))).await
}

/// The accounts whose name, display name or address has the text of `filter`. Only one's own is found.
async fn search(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes());
    call(shared, &request, move |provider, access| {
        let filter = params.get("filter").unwrap_or_default();
        let found =
            [&name(access), &access.user.name, &access.user.email].iter().any(|text| text.contains(filter));
        let values: Vec<Value> = found.then(|| document(provider, access)).into_iter().collect();
        answer(access).json(json!({
            "size": values.len(), "limit": 25, "isLastPage": true, "values": values, "start": 0,
        }))
    })
    .await
}

/// One's own account by its slug. The other accounts are nobody's business here.
async fn user(shared: Data<Shared>, request: HttpRequest, slug: Path<String>) -> HttpResponse {
    call(shared, &request, move |provider, access| {
        if *slug != access.user.login() {
            return failed(StatusCode::NOT_FOUND, "com.atlassian.bitbucket.user.NoSuchUserException");
        }
        answer(access).json(document(provider, access))
    })
    .await
}

async fn call(
    shared: Data<Shared>,
    request: &HttpRequest,
    document: impl FnOnce(&Provider, &Access) -> HttpResponse + 'static,
) -> HttpResponse {
    let token = bearer(request);
    ApiCall { token, suffices: |_| true, refuse, document }.answer(shared).await
}

/// A successful answer, which says in a header who asked.
fn answer(access: &Access) -> HttpResponseBuilder {
    let name: String = form_urlencoded::byte_serialize(name(access).as_bytes()).collect();
    let mut answer = answers::uncached(StatusCode::OK);
    answer
        .insert_header(("x-ausername", name.replace('+', "%20")))
        .insert_header(("x-auserid", access.sub.clone()));
    answer
}

/// The name to sign in with; it is not always the slug.
fn name(access: &Access) -> String {
    access.user.email.split('@').next().unwrap_or_default().to_owned()
}

fn refuse(_: UserinfoRefusal) -> HttpResponse {
    failed(StatusCode::UNAUTHORIZED, "com.atlassian.bitbucket.AuthorisationException")
}

fn failed(status: StatusCode, exception: &str) -> HttpResponse {
    answers::uncached(status).json(json!({
        "errors": [{
            "context": null,
            "message": "You are not permitted to access this resource",
            "exceptionName": exception,
        }],
    }))
}

/// `GET /rest/api/latest/users/{slug}`.
fn document(provider: &Provider, access: &Access) -> Value {
    let slug = access.user.login();
    json!({
        "name": name(access),
        "emailAddress": access.user.email,
        "active": true,
        "displayName": access.user.name,
        "id": access.sub.parse::<u64>().unwrap_or_default(),
        "slug": slug,
        "type": "NORMAL",
        "links": {"self": [{"href": format!("{}/users/{slug}", provider.place.web)}]},
        "avatarUrl": format!("/users/{slug}/avatar.png?s=48"),
    })
}
