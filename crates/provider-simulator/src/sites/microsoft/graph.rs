//! Microsoft Graph, as far as it is about the user.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{pairwise_subject, tenants};
use crate::routes::answers;
use crate::routes::api::{ApiCall, bearer};
use crate::shared::Shared;
use crate::state::{Access, Provider, UserinfoRefusal};

/// Adds the endpoints.
pub(super) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/v1.0/me").route(get().to(me)))
        .service(resource("/oidc/userinfo").route(get().to(userinfo)).route(post().to(userinfo)));
}

async fn me(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request),
        suffices: reads_users,
        refuse,
        document: |provider: &Provider, access: &Access| HttpResponse::Ok().json(user(provider, access)),
    };
    call.answer(shared).await
}

async fn userinfo(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request),
        suffices: |access: &Access| access.has("openid"),
        refuse,
        document: |provider: &Provider, access: &Access| HttpResponse::Ok().json(claims(provider, access)),
    };
    call.answer(shared).await
}

/// A scope may come with the address of Graph before it.
fn reads_users(access: &Access) -> bool {
    let permission = |scope: &String| scope.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    access.scopes.iter().map(permission).any(|name| matches!(name.as_str(), "user.read" | "user.readwrite"))
}

/// An error as Graph tells it.
fn refuse(refusal: UserinfoRefusal) -> HttpResponse {
    let (status, code, message) = match refusal {
        UserinfoRefusal::NoToken => {
            (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", "Access token is empty.")
        }
        UserinfoRefusal::InvalidToken => (
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
        ),
        UserinfoRefusal::InsufficientScope => (
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
    };
    let mut answer = answers::uncached(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="", error="invalid_token""#));
    }
    answer.json(json!({ "error": { "code": code, "message": message } }))
}

/// `GET /v1.0/me`. Of a personal account it knows less.
fn user(provider: &Provider, access: &Access) -> Value {
    let (given_name, surname) = access.user.names();
    let personal = tenants::is_personal(access);
    let of_work = |value: &str| if personal { Value::Null } else { json!(value) };
    json!({
        "@odata.context": format!("{}/v1.0/$metadata#users/$entity", provider.place.api_name),
        "businessPhones": if personal { json!([]) } else { json!(["+351 210 000 000"]) },
        "displayName": access.user.name,
        "givenName": given_name,
        "jobTitle": of_work("Controller"),
        "mail": of_work(&access.user.email),
        "mobilePhone": null,
        "officeLocation": of_work("2/114"),
        "preferredLanguage": "en-GB",
        "surname": surname,
        "userPrincipalName": access.user.email,
        "id": if personal { tenants::personal_id(access) } else { access.sub.clone() },
    })
}

/// `GET /oidc/userinfo`.
fn claims(provider: &Provider, access: &Access) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("sub", json!(pairwise_subject(access)));
    if access.has("profile") {
        let (given_name, family_name) = access.user.names();
        insert("name", json!(access.user.name));
        insert("given_name", json!(given_name));
        if let Some(family_name) = family_name {
            insert("family_name", json!(family_name));
        }
        insert("picture", json!(format!("{}/v1.0/me/photo/$value", provider.place.api_name)));
    }
    if access.has("email") {
        insert("email", json!(access.user.email));
    }
    claims
}
