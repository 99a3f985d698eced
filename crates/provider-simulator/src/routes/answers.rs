//! Answers of the token endpoint and its neighbours.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value, json};

use crate::dialect::Spoken;
use crate::settings::{ErrorsStatus, ExpiresIn, ScopeField, TokenFormat};
use crate::state::{ErrorCode, OAuthError, Provider, TokenAnswer};

/// The challenge that goes with `invalid_client` (RFC 6749 section 5.2).
const BASIC_CHALLENGE: &str = r#"Basic realm="provider-simulator", charset="UTF-8""#;

/// An answer that no cache may keep (RFC 6749 section 5.1).
pub(crate) fn uncached(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    answer
}

/// A successful answer of the token endpoint.
pub(crate) fn tokens(answer: TokenAnswer, provider: &Provider, accepts_json: bool) -> HttpResponse {
    let settings = &provider.settings;
    let mut fields = Map::new();
    let mut insert = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    let more = (provider.dialect.token_members)(&answer);
    insert("access_token", answer.access_token.into());
    insert("token_type", provider.dialect.token_type.into());
    if let Some(expires_in) = answer.expires_in {
        match settings.expires_in {
            ExpiresIn::Number => insert("expires_in", expires_in.into()),
            ExpiresIn::String => insert("expires_in", expires_in.to_string().into()),
            ExpiresIn::Absent => None,
        };
    }
    let scope = answer.scopes.join(settings.scope_separator.as_str());
    if !scope.is_empty() || provider.dialect.tells_empty_scope {
        match settings.scope_field {
            ScopeField::Scope => insert("scope", scope.into()),
            ScopeField::Scopes => insert("scopes", scope.into()),
            ScopeField::Absent => None,
        };
    }
    for (name, token) in [("refresh_token", answer.refresh_token), ("id_token", answer.id_token)] {
        if let Some(token) = token {
            insert(name, token.into());
        }
    }
    fields.extend(more);
    formatted(uncached(StatusCode::OK), fields, settings.token_format, accepts_json)
}

/// A successful answer of another endpoint that speaks like the token endpoint.
pub(crate) fn fields(fields: Map<String, Value>, provider: &Provider, accepts_json: bool) -> HttpResponse {
    formatted(uncached(StatusCode::OK), fields, provider.settings.token_format, accepts_json)
}

/// An error of the token endpoint, with the status and in the format of the settings.
pub(crate) fn token_error(error: OAuthError, provider: &Provider, accepts_json: bool) -> HttpResponse {
    let spoken = spoken(&error, [provider.dialect.errors]);
    let answer = match provider.settings.errors_status {
        ErrorsStatus::BadRequest => refusal(spoken.status),
        ErrorsStatus::Ok => uncached(StatusCode::OK),
    };
    formatted(answer, error_fields(error, &spoken, provider), provider.settings.token_format, accepts_json)
}

/// An error of the revocation endpoint.
pub(crate) fn revocation_error(error: OAuthError, provider: &Provider) -> HttpResponse {
    let spoken = spoken(&error, [provider.dialect.revocation_errors, provider.dialect.errors]);
    refusal(spoken.status).json(error_fields(error, &spoken, provider))
}

/// An error as RFC 6749 section 5.2 has it.
pub(crate) fn error(error: OAuthError, provider: &Provider) -> HttpResponse {
    let spoken = spoken(&error, []);
    refusal(spoken.status).json(error_fields(error, &spoken, provider))
}

/// The first word that a table has for an error, else that of the RFCs.
fn spoken<const N: usize>(error: &OAuthError, tables: [&'static [Spoken]; N]) -> Spoken {
    let known = tables.into_iter().flatten().find(|spoken| spoken.code == error.code);
    let status = match error.code {
        ErrorCode::InvalidClient => 401,
        ErrorCode::ServerError => 500,
        _ => 400,
    };
    known.copied().unwrap_or(Spoken::new(error.code, status, error.code.as_str()))
}

fn refusal(status: u16) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut answer = uncached(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((header::WWW_AUTHENTICATE, BASIC_CHALLENGE));
    }
    answer
}

fn error_fields(error: OAuthError, spoken: &Spoken, provider: &Provider) -> Map<String, Value> {
    let mut fields = (provider.dialect.error_members)(error.code, provider.now().timestamp());
    fields.insert("error".to_owned(), json!(spoken.error));
    let description = spoken.description.unwrap_or(error.description);
    fields.entry("error_description").or_insert(json!(description));
    if let Some(interval) = error.interval.filter(|_| provider.dialect.slow_down_tells_interval) {
        fields.insert("interval".to_owned(), json!(interval));
    }
    fields
}

fn formatted(
    mut answer: HttpResponseBuilder,
    fields: Map<String, Value>,
    format: TokenFormat,
    accepts_json: bool,
) -> HttpResponse {
    match format {
        TokenFormat::Json => answer.json(fields),
        TokenFormat::FormUnlessAcceptJson if accepts_json => answer.json(fields),
        TokenFormat::Form | TokenFormat::FormUnlessAcceptJson => {
            let mut body = form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                match value {
                    Value::String(text) => body.append_pair(&name, &text),
                    other => body.append_pair(&name, &other.to_string()),
                };
            }
            answer.content_type("application/x-www-form-urlencoded").body(body.finish())
        }
    }
}
