//! The metadata documents and the key set (OpenID Connect Discovery section 4, RFC 8414, RFC 7517).

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};

use super::answers;
use super::faulted::{Endpoint, answer};
use crate::faults::FaultPlace;
use crate::shared::Shared;
use crate::state::{ErrorCode, OAuthError, Provider};

pub(crate) async fn metadata(shared: Data<Shared>) -> HttpResponse {
    publish(shared, |provider| document(&provider.place.issuer, provider.settings.announce_iss)).await
}

pub(crate) async fn jwks(shared: Data<Shared>) -> HttpResponse {
    answer(shared, JwksRequest).await
}

/// Answers with a metadata document.
pub(crate) async fn publish(
    shared: Data<Shared>,
    document: impl FnOnce(&Provider) -> Value + 'static,
) -> HttpResponse {
    answer(shared, MetadataRequest(document)).await
}

struct MetadataRequest<D>(D);

impl<D: FnOnce(&Provider) -> Value + 'static> Endpoint for MetadataRequest<D> {
    const PLACE: FaultPlace = FaultPlace::Discovery;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        provider.calls.discovery_calls += 1;
        HttpResponse::Ok().json((self.0)(provider))
    }

    fn hindered(self, provider: &mut Provider) {
        provider.calls.discovery_calls += 1;
    }
}

struct JwksRequest;

impl Endpoint for JwksRequest {
    const PLACE: FaultPlace = FaultPlace::Discovery;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        provider.calls.jwks_calls += 1;
        match provider.keys.jwks() {
            Ok(keys) => HttpResponse::Ok().json(keys),
            Err(_) => {
                answers::error(OAuthError::new(ErrorCode::ServerError, "no key could be made"), provider)
            }
        }
    }

    fn hindered(self, provider: &mut Provider) {
        provider.calls.jwks_calls += 1;
    }
}

fn document(issuer: &str, announce_iss: bool) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "device_authorization_endpoint": at("/device_authorization"),
        "jwks_uri": at("/jwks"),
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash",
            "name", "given_name", "family_name", "preferred_username", "email", "email_verified",
        ],
    });
    // Left out means false (RFC 9207 section 3), and that is how most providers say it.
    if announce_iss {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    document
}
