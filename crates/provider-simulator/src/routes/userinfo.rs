//! `GET /userinfo` and `POST /userinfo` (OpenID Connect Core section 5.3, RFC 6750).

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::faulted::{Endpoint, answer};
use super::{answers, sent};
use crate::faults::FaultPlace;
use crate::params::Params;
use crate::shared::Shared;
use crate::state::{Provider, UserinfoRefusal};

/// The challenge without a token: no error code, for there is nothing to find fault with (RFC 6750 section 3.1).
const CHALLENGE: &str = r#"Bearer realm="provider-simulator""#;

/// The challenge for a token that does not work.
const INVALID_TOKEN: &str = r#"Bearer realm="provider-simulator", error="invalid_token", error_description="expired, revoked or unknown""#;

pub(super) async fn userinfo(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let access_token = bearer(&request).or_else(|| in_form(&request, &body));
    answer(shared, UserinfoRequest { access_token }).await
}

/// The token of the `Authorization` header (RFC 6750 section 2.1).
fn bearer(request: &HttpRequest) -> Option<String> {
    let (scheme, token) = sent::header_text(request, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The token of the body (RFC 6750 section 2.2).
fn in_form(request: &HttpRequest, body: &[u8]) -> Option<String> {
    let params = if sent::is_form(request) { Params::parse(body) } else { Params::default() };
    params.get("access_token").map(str::to_owned)
}

struct UserinfoRequest {
    access_token: Option<String>,
}

impl Endpoint for UserinfoRequest {
    const PLACE: FaultPlace = FaultPlace::Userinfo;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        let (challenge, error) = match provider.userinfo(self.access_token.as_deref()) {
            Ok(claims) => return answers::uncached(StatusCode::OK).json(claims),
            Err(UserinfoRefusal::NoToken) => (CHALLENGE, "invalid_request"),
            Err(UserinfoRefusal::InvalidToken) => (INVALID_TOKEN, "invalid_token"),
        };
        answers::uncached(StatusCode::UNAUTHORIZED)
            .insert_header((header::WWW_AUTHENTICATE, challenge))
            .json(json!({ "error": error }))
    }

    fn hindered(self, provider: &mut Provider) {
        provider.userinfo_hindered();
    }
}
