//! Errors as Microsoft tells them: with a number, a time and two ids for its support.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::routes::answers;
use crate::shared::Shared;
use crate::state::ErrorCode;

/// A request id as it stands in every error; the real ones differ.
const TRACE_ID: &str = "255d1aef-8c98-452f-ac51-23d051240864";

/// A second id as it stands in every error.
const CORRELATION_ID: &str = "fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7";

/// The number and the words of an error ("Microsoft Entra authentication and authorization error codes").
fn number(code: ErrorCode) -> (u32, &'static str) {
    match code {
        ErrorCode::InvalidClient => (7_000_215, "Invalid client secret provided."),
        ErrorCode::DeviceGrantDisabled => {
            (7_000_218, "The request body must contain 'client_assertion' or 'client_secret'.")
        }
        ErrorCode::InvalidGrant | ErrorCode::InvalidCode => {
            (70_008, "The provided authorization code is expired, revoked or was used before.")
        }
        ErrorCode::RedirectUriMismatch => (
            50_011,
            "The redirect URI specified in the request does not match the redirect URIs configured for the \
             application.",
        ),
        ErrorCode::InvalidRefreshToken => (50_173, "The provided grant has expired due to it being revoked."),
        ErrorCode::ExpiredRefreshToken => (700_082, "The refresh token has expired due to inactivity."),
        ErrorCode::InvalidScope => {
            (70_011, "The provided value for the input parameter 'scope' is not valid.")
        }
        ErrorCode::UnsupportedGrantType => (70_003, "The app returned an unsupported grant type."),
        ErrorCode::AuthorizationPending => {
            (70_016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
        }
        ErrorCode::AccessDenied => (70_019, "The end user declined the authorization request."),
        ErrorCode::ExpiredToken => {
            (70_020, "The provided value for the input parameter 'device_code' is expired.")
        }
        ErrorCode::InvalidDeviceCode => {
            (501_491, "The provided value for the input parameter 'device_code' is not valid.")
        }
        ErrorCode::SlowDown => (70_017, "Polls come too fast."),
        _ => (900_144, "The request is malformed: a parameter is missing or invalid."),
    }
}

/// The members of every error beside `error`.
pub(super) fn members(code: ErrorCode, now: i64) -> Map<String, Value> {
    let (number, text) = number(code);
    let description = format!("AADSTS{number}: {text}");
    body(number, &description, now)
}

/// 400 for a tenant that does not exist.
pub(super) fn no_such_tenant(shared: &Shared, tenant: &str) -> HttpResponse {
    let description = format!(
        "AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing \
         into the correct cloud."
    );
    let mut members = body(90_002, &description, shared.provider().now().timestamp());
    members.insert("error".to_owned(), json!("invalid_tenant"));
    answers::uncached(StatusCode::BAD_REQUEST).json(members)
}

fn body(number: u32, description: &str, now: i64) -> Map<String, Value> {
    let time = DateTime::from_timestamp(now, 0).unwrap_or_default().format("%Y-%m-%d %H:%M:%SZ").to_string();
    let mut members = Map::new();
    let mut insert = |name: &str, value: Value| members.insert(name.to_owned(), value);
    insert(
        "error_description",
        json!(format!(
            "{description} Trace ID: {TRACE_ID} Correlation ID: {CORRELATION_ID} Timestamp: {time}"
        )),
    );
    insert("error_codes", json!([number]));
    insert("timestamp", json!(time));
    insert("trace_id", json!(TRACE_ID));
    insert("correlation_id", json!(CORRELATION_ID));
    insert("error_uri", json!(format!("https://login.microsoftonline.com/error?code={number}")));
    members
}
