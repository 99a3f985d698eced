//! Introspection (RFC 7662).

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::faulted::{Endpoint, answer};
use super::{answers, sent::Sent};
use crate::faults::FaultPlace;
use crate::shared::Shared;
use crate::state::{Access, OAuthError, Provider};

pub(crate) async fn introspect(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    answer(shared, IntrospectionRequest(Sent::read(&request, &body))).await
}

struct IntrospectionRequest(Sent);

impl Endpoint for IntrospectionRequest {
    const PLACE: FaultPlace = FaultPlace::Userinfo;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        self.0.note_secrets(provider);
        match self.token(provider) {
            Ok(token) => {
                let access = provider.known(token).filter(|access| access.client_id.is_some());
                answers::uncached(StatusCode::OK).json(told(access.as_ref()))
            }
            Err(error) => answers::error(error, provider),
        }
    }

    fn hindered(self, provider: &mut Provider) {
        self.0.note_secrets(provider);
    }
}

impl IntrospectionRequest {
    /// The token that a client with a secret asks about (RFC 7662 section 2.1).
    fn token(&self, provider: &Provider) -> Result<&str, OAuthError> {
        self.0.client()?.authenticate(provider.settings.client_authentication)?.confidential()?;
        self.0.params.get("token").ok_or(OAuthError::invalid_request("token is missing"))
    }
}

/// Any client may ask about any client's token, and is told whose it is. A token that a person made by hand is none of
/// this endpoint's.
fn told(access: Option<&Access>) -> Value {
    let Some(access) = access else { return json!({ "active": false }) };
    json!({
        "active": true,
        "scope": access.scopes.join(" "),
        "client_id": access.client_id,
        "token_type": "Bearer",
        "exp": access.expires_at.map(|at| at.timestamp()),
        "iat": access.issued_at.timestamp(),
    })
}
