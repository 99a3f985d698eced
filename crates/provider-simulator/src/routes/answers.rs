//! Answers of the token endpoint and its neighbours.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value, json};

use crate::settings::{ErrorsStatus, ExpiresIn, Settings, TokenFormat};
use crate::state::{ErrorCode, OAuthError, TokenAnswer};

/// The challenge that goes with `invalid_client` (RFC 6749 section 5.2).
const BASIC_CHALLENGE: &str = r#"Basic realm="provider-simulator", charset="UTF-8""#;

/// An answer that no cache may keep (RFC 6749 section 5.1).
pub(super) fn uncached(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    answer
}

/// A successful answer of the token endpoint.
pub(super) fn tokens(answer: TokenAnswer, settings: &Settings) -> HttpResponse {
    let mut fields = Map::new();
    fields.insert("access_token".to_owned(), answer.access_token.into());
    fields.insert("token_type".to_owned(), "Bearer".into());
    let expires_in: Option<Value> = match settings.expires_in {
        ExpiresIn::Number => Some(answer.expires_in.into()),
        ExpiresIn::String => Some(answer.expires_in.to_string().into()),
        ExpiresIn::Absent => None,
    };
    if let Some(expires_in) = expires_in {
        fields.insert("expires_in".to_owned(), expires_in);
    }
    if !answer.scopes.is_empty() {
        let scope = answer.scopes.join(settings.scope_separator.as_str());
        fields.insert("scope".to_owned(), scope.into());
    }
    let tokens = [("refresh_token", answer.refresh_token), ("id_token", answer.id_token)];
    for (name, token) in tokens {
        if let Some(token) = token {
            fields.insert(name.to_owned(), token.into());
        }
    }
    formatted(uncached(StatusCode::OK), fields, settings.token_format)
}

/// An error of the token endpoint, with the status and in the format of the settings.
pub(super) fn token_error(error: OAuthError, settings: &Settings) -> HttpResponse {
    let answer = match settings.errors_status {
        ErrorsStatus::BadRequest => refusal(error),
        ErrorsStatus::Ok => uncached(StatusCode::OK),
    };
    formatted(answer, error_fields(error), settings.token_format)
}

/// An error as RFC 6749 section 5.2 has it.
pub(super) fn error(error: OAuthError) -> HttpResponse {
    refusal(error).json(error_fields(error))
}

fn refusal(error: OAuthError) -> HttpResponseBuilder {
    let status = match error.code {
        ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut answer = uncached(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((header::WWW_AUTHENTICATE, BASIC_CHALLENGE));
    }
    answer
}

fn error_fields(error: OAuthError) -> Map<String, Value> {
    let description = ("error_description".to_owned(), json!(error.description));
    Map::from_iter([("error".to_owned(), json!(error.code.as_str())), description])
}

fn formatted(
    mut answer: HttpResponseBuilder,
    fields: Map<String, Value>,
    format: TokenFormat,
) -> HttpResponse {
    match format {
        TokenFormat::Json => answer.json(fields),
        TokenFormat::Form => {
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
