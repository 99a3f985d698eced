//! What a client can do to tokens: "REST API endpoints for OAuth authorizations" and "for credential revocation".

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::documents;
use super::rest::{message, without_user_agent};
use crate::faults::FaultPlace;
use crate::params::Params;
use crate::routes::answers;
use crate::routes::faulted::{Endpoint, answer};
use crate::routes::sent::header_text;
use crate::settings::{ClientAuthentication, RevokeScope};
use crate::shared::Shared;
use crate::state::{Access, PresentedClient, Provider};

/// The most credentials in one request.
const MOST_CREDENTIALS: usize = 1000;

/// `POST`: is this a token of this client?
pub(super) async fn check(
    shared: Data<Shared>,
    request: HttpRequest,
    client_id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    if let Some(refusal) = without_user_agent(&request) {
        return refusal;
    }
    match AppRequest::read(&request, &client_id, &body) {
        Ok(request) => answer(shared, Check(request)).await,
        Err((status, reason)) => message(status, reason),
    }
}

/// `DELETE`: this token works no more.
pub(super) async fn delete(
    shared: Data<Shared>,
    request: HttpRequest,
    client_id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    revoke(shared, &request, &client_id, &body, RevokeScope::Token).await
}

/// `DELETE`: all that the user has given the client is over.
pub(super) async fn delete_grant(
    shared: Data<Shared>,
    request: HttpRequest,
    client_id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    revoke(shared, &request, &client_id, &body, RevokeScope::Grant).await
}

/// `POST`: anybody may have found tokens revoked, and nobody is told which of them were any good.
pub(super) async fn revoke_credentials(
    shared: Data<Shared>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    if let Some(refusal) = without_user_agent(&request) {
        return refusal;
    }
    if request.headers().contains_key(header::AUTHORIZATION) {
        return message(StatusCode::FORBIDDEN, "This endpoint does not take credentials");
    }
    match serde_json::from_slice::<Found>(&body) {
        Ok(found) if !found.credentials.is_empty() && found.credentials.len() <= MOST_CREDENTIALS => {
            answer(shared, found).await
        }
        _ => message(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed"),
    }
}

async fn revoke(
    shared: Data<Shared>,
    request: &HttpRequest,
    client_id: &str,
    body: &[u8],
    scope: RevokeScope,
) -> HttpResponse {
    if let Some(refusal) = without_user_agent(request) {
        return refusal;
    }
    match AppRequest::read(request, client_id, body) {
        Ok(request) => answer(shared, Revocation { request, scope }).await,
        Err((status, reason)) => message(status, reason),
    }
}

/// A request of a client about one of its tokens.
struct AppRequest {
    client: PresentedClient,
    token: String,
}

#[derive(Deserialize)]
struct AppBody {
    access_token: String,
}

impl AppRequest {
    /// Reads a request; an error is a status and a message.
    fn read(request: &HttpRequest, client_id: &str, body: &[u8]) -> Result<Self, (StatusCode, &'static str)> {
        let authorization = header_text(request, header::AUTHORIZATION.as_str());
        let client = PresentedClient::from_request(authorization, &Params::default())
            .ok()
            .filter(|client| client.secret().is_some())
            .filter(|client| client.authenticate(ClientAuthentication::Basic).is_ok())
            .ok_or((StatusCode::UNAUTHORIZED, "Bad credentials"))?;
        if client.id() != client_id {
            return Err((StatusCode::NOT_FOUND, "Not Found"));
        }
        let body: AppBody = serde_json::from_slice(body)
            .map_err(|_| (StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed"))?;
        Ok(Self { client, token: body.access_token })
    }

    /// What the token stands for, when it works and is this client's.
    fn access(&self, provider: &mut Provider) -> Option<Access> {
        provider.note_sent_secrets(&Params::default(), Some(&self.client));
        provider.known(&self.token).filter(|access| access.is_of(self.client.id()))
    }
}

struct Check(AppRequest);

impl Endpoint for Check {
    const PLACE: FaultPlace = FaultPlace::Userinfo;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        match self.0.access(provider) {
            Some(access) => HttpResponse::Ok().json(authorization(provider, &access, &self.0.token)),
            None => message(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    fn hindered(self, _: &mut Provider) {}
}

struct Revocation {
    request: AppRequest,
    scope: RevokeScope,
}

impl Endpoint for Revocation {
    const PLACE: FaultPlace = FaultPlace::Revoke;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        if self.request.access(provider).is_none() {
            provider.note_revocation(&self.request.token, "invalid_token");
            return message(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
        }
        provider.revoke_for(&self.request.token, self.scope);
        answers::uncached(StatusCode::NO_CONTENT).finish()
    }

    fn hindered(self, provider: &mut Provider) {
        provider.note_revocation(&self.request.token, "fault");
    }
}

/// Tokens that somebody found.
#[derive(Deserialize)]
struct Found {
    credentials: Vec<String>,
}

impl Endpoint for Found {
    const PLACE: FaultPlace = FaultPlace::Revoke;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        for token in &self.credentials {
            provider.revoke_for(token, RevokeScope::Token);
        }
        HttpResponse::Accepted().json(json!({}))
    }

    fn hindered(self, provider: &mut Provider) {
        for token in &self.credentials {
            provider.note_revocation(token, "fault");
        }
    }
}

/// An authorization as the REST API tells it.
fn authorization(provider: &Provider, access: &Access, token: &str) -> Value {
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "id": 1,
        "url": format!("{}/authorizations/1", provider.place.api_name),
        "app": {
            "url": "https://example.test",
            "name": "The client under test",
            "client_id": access.client_id,
        },
        "token": token,
        "hashed_token": "",
        "token_last_eight": token.get(token.len().saturating_sub(8)..).unwrap_or_default(),
        "note": null,
        "note_url": null,
        "created_at": time(access.issued_at),
        "updated_at": time(access.issued_at),
        "scopes": access.scopes,
        "fingerprint": null,
        "expires_at": access.expires_at.map(time),
        "user": documents::user(provider, access),
    })
}
