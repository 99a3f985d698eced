//! `GET /userinfo` and `POST /userinfo` (OpenID Connect Core section 5.3, RFC 6750).

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::api::{ApiCall, bearer};
use super::{answers, sent};
use crate::params::Params;
use crate::shared::Shared;
use crate::state::{Access, Provider, UserinfoRefusal, claims};

/// The challenge without a token: no error code, for there is nothing to find fault with (RFC 6750 section 3.1).
const CHALLENGE: &str = r#"Bearer realm="provider-simulator""#;

/// The challenge for a token that does not work.
const INVALID_TOKEN: &str = r#"Bearer realm="provider-simulator", error="invalid_token", error_description="expired, revoked or unknown""#;

/// The challenge for a token that is not good for this.
const INSUFFICIENT_SCOPE: &str = r#"Bearer realm="provider-simulator", error="insufficient_scope""#;

pub(crate) async fn userinfo(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let call = ApiCall {
        token: bearer(&request).or_else(|| in_form(&request, &body)),
        suffices: |_| true,
        refuse: refusal,
        document: |_: &Provider, access: &Access| answers::uncached(StatusCode::OK).json(claims(access)),
    };
    call.answer(shared).await
}

/// The token of the body (RFC 6750 section 2.2).
fn in_form(request: &HttpRequest, body: &[u8]) -> Option<String> {
    let params = if sent::is_form(request) { Params::parse(body) } else { Params::default() };
    params.get("access_token").map(str::to_owned)
}

/// A refusal in the words of RFC 6750 section 3.1.
pub(crate) fn refusal(refusal: UserinfoRefusal) -> HttpResponse {
    let (status, challenge, error) = match refusal {
        UserinfoRefusal::NoToken => (StatusCode::UNAUTHORIZED, CHALLENGE, "invalid_request"),
        UserinfoRefusal::InvalidToken => (StatusCode::UNAUTHORIZED, INVALID_TOKEN, "invalid_token"),
        UserinfoRefusal::InsufficientScope => {
            (StatusCode::FORBIDDEN, INSUFFICIENT_SCOPE, "insufficient_scope")
        }
    };
    answers::uncached(status)
        .insert_header((header::WWW_AUTHENTICATE, challenge))
        .json(json!({ "error": error }))
}
