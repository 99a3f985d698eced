//! What holds for any answer of a token endpoint: the property that the fuzz target in `crates/fuzz` tries to break.

use std::time::Duration;

use chrono::DateTime;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::UpstreamError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::http::Answer;
use crate::token_endpoint::{
    OPENID_ERRORS, TokenAnswer, read_device_authorization, read_poll_refusal, read_refusal, read_token_answer,
};

const STATUSES: [u16; 12] = [200, 201, 204, 302, 400, 401, 403, 404, 408, 429, 500, 503];

/// Every failure that the parser finds itself; no other word comes through an error.
const REASONS: [&str; 12] = [
    "malformed_token",
    "no_access_token",
    "no_device_code",
    "no_user_code",
    "no_verification_uri",
    "redirect",
    "repeated_field",
    "request_timeout",
    "server_trouble",
    "token_type",
    "unknown_error",
    "unreadable_answer",
];

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// An answer is a success only with a 2xx and a token that can stand in a header, and says the same when it is written
/// down in either form and read again. A failure says nothing but what it is, in one of our own words, and costs the
/// grant only when it is called by its name. The same goes for the answers of a device flow. The bytes are a status, what headers there are, and the body.
///
/// # Panics
/// When that does not hold.
pub fn token_answer(data: &[u8]) {
    let [status, flags, body @ ..] = data else { return };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let (headers, body) = headers(*flags, body);
    let answer = answer(status, headers, body);
    let now = DateTime::UNIX_EPOCH;

    match read_token_answer(&answer, &OPENID_ERRORS, now) {
        Ok(read) => {
            assert!((200..300).contains(&status));
            assert_makes_sense(&read);
            assert_reads_the_same_again(&read);
        }
        Err(error) => assert_is_our_own_word(&error, status),
    }
    match read_refusal(&answer, now) {
        Ok(None) => assert!((200..300).contains(&status)),
        Ok(Some(error)) => assert_is_our_own_word(&OPENID_ERRORS.failure(&error, None), status),
        Err(error) => assert_is_our_own_word(&error, status),
    }
    device_answer(&answer, status);
}

/// A device flow begins only with a 2xx, and with what a person and we can use; a poll is refused only by the provider
/// itself.
fn device_answer(answer: &Answer, status: u16) {
    match read_device_authorization(answer, &OPENID_ERRORS, DateTime::UNIX_EPOCH) {
        Ok(device) => {
            assert!((200..300).contains(&status));
            assert!(!device.device_code.expose().is_empty() && !device.interval.is_zero());
            assert!(!device.user_code.is_empty() && !device.user_code.chars().any(char::is_control));
            let pages = [Some(&device.verification_uri), device.verification_uri_complete.as_ref()];
            assert!(pages.into_iter().flatten().all(|url| matches!(url.scheme(), "https" | "http")));
            assert!(device.expires_in <= TEN_YEARS && device.interval <= TEN_YEARS);
        }
        Err(error) => assert_is_our_own_word(&error, status),
    }
    match read_poll_refusal(answer, &OPENID_ERRORS, DateTime::UNIX_EPOCH) {
        Ok(None) => {}
        Ok(Some(_)) => assert!(matches!(status, 200..=299 | 400..=499)),
        Err(error) => assert!(matches!(error.reason(), "repeated_field" | "unlisted_error"), "{error}"),
    }
}

/// The headers that mean something to the parser, with the head of the body for their values.
fn headers(flags: u8, body: &[u8]) -> (HeaderMap, &[u8]) {
    let names =
        ["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "content-type", "ratelimit-reset"];
    let mut headers = HeaderMap::new();
    let mut rest = body;
    for (_, name) in (0..).zip(names).filter(|(bit, _)| flags & (1 << bit) != 0) {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(name, value);
        }
    }
    (headers, rest)
}

fn answer(status: u16, headers: HeaderMap, body: &[u8]) -> Answer {
    let status = StatusCode::from_u16(status).expect("a status");
    Answer { status, headers, body: Zeroizing::new(body.to_vec()) }
}

fn assert_makes_sense(read: &TokenAnswer) {
    let tokens = &read.tokens;
    let present = [Some(&tokens.access_token), tokens.refresh_token.as_ref(), read.id_token.as_ref()];
    for token in present.into_iter().flatten() {
        assert!(!token.expose().is_empty());
        assert!(HeaderValue::from_str(token.expose()).is_ok());
    }
    let lifetimes = [tokens.expires_in, tokens.refresh_token_expires_in];
    assert!(lifetimes.into_iter().flatten().all(|lifetime| lifetime <= TEN_YEARS));
    assert!(tokens.identity.is_none() && tokens.distrust.is_none());
}

fn assert_reads_the_same_again(read: &TokenAnswer) {
    let fields = fields(read);
    let json = Value::Object(fields.clone().into_iter().collect::<Map<_, _>>()).to_string();
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &fields {
        form.append_pair(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str());
    }
    for body in [json, form.finish()] {
        let again = answer(200, HeaderMap::new(), body.as_bytes());
        let again = read_token_answer(&again, &OPENID_ERRORS, DateTime::UNIX_EPOCH);
        let again = again.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(self::fields(&again), fields, "{body}");
    }
}

/// Written down as RFC 6749, 5.1 has it.
fn fields(read: &TokenAnswer) -> Vec<(String, Value)> {
    let tokens = &read.tokens;
    let text = |secret: &Secret| Value::from(secret.expose());
    let seconds = |lifetime: Duration| Value::from(lifetime.as_secs());
    [
        ("access_token", Some(text(&tokens.access_token))),
        ("token_type", Some(Value::from("Bearer"))),
        ("expires_in", tokens.expires_in.map(seconds)),
        ("refresh_token", tokens.refresh_token.as_ref().map(text)),
        ("refresh_token_expires_in", tokens.refresh_token_expires_in.map(seconds)),
        ("scope", tokens.scopes.as_ref().map(|scopes| Value::from(scopes.to_wire()))),
        ("id_token", read.id_token.as_ref().map(text)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

fn assert_is_our_own_word(error: &UpstreamError, status: u16) {
    let trouble = matches!(status, 300..=399 | 408 | 429 | 500..=599);
    match error {
        UpstreamError::GrantRefused { code } => assert!(code == "invalid_grant" && !trouble),
        UpstreamError::ClientRefused { code } => {
            assert!(matches!(code.as_str(), "invalid_client" | "unauthorized_client") && !trouble);
        }
        UpstreamError::Misconfigured { code } => {
            assert!(matches!(code.as_str(), "unsupported_grant_type" | "invalid_scope") && !trouble);
        }
        UpstreamError::InteractionRequired { code } => {
            let known = ["interaction_required", "login_required", "consent_required"];
            assert!(known.contains(&code.as_str()) && !trouble);
        }
        UpstreamError::RateLimited { .. } => assert!(matches!(status, 403 | 429)),
        UpstreamError::Unavailable { reason, .. } => {
            let transient = ["temporarily_unavailable", "server_error"];
            assert!(REASONS.contains(reason) || transient.contains(reason), "{reason}");
        }
        UpstreamError::NotSupported | UpstreamError::TokenRefused | UpstreamError::Untrusted { .. } => {
            panic!("no failure of a token endpoint: {error}")
        }
    }
    assert!(error.retry_after().is_none_or(|wait| wait <= Duration::from_secs(24 * 60 * 60)));
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_answer_corpus() {
        replay::replay("token_answer", token_answer);
    }
}
