//! Answers to too many calls, in the forms that providers use.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::json;

use crate::settings::RateLimit;
use crate::state::Provider;

/// Seconds to wait.
const WAIT: i64 = 30;

/// The refusal, when the settings want one.
pub(crate) fn refusal(provider: &Provider) -> Option<HttpResponse> {
    let reset = provider.now().timestamp() + WAIT;
    let more = provider.dialect.rate_limit_headers;
    match provider.settings.rate_limit {
        RateLimit::Off => None,
        RateLimit::RetryAfter => {
            let mut answer = too_many(&more(Some(reset)));
            answer.insert_header((header::RETRY_AFTER, WAIT.to_string()));
            let (code, message) = ("rate_limit_exceeded", "Request rate limit exceeded");
            Some(answer.json(json!({ "type": "error", "code": code, "message": message })))
        }
        RateLimit::Github403 => Some(github(reset)),
        RateLimit::Bare429 => {
            Some(too_many(&more(None)).body("Rate limit for this resource has been exceeded"))
        }
    }
}

fn too_many(headers: &[(&'static str, String)]) -> HttpResponseBuilder {
    let mut answer = HttpResponse::TooManyRequests();
    for (name, value) in headers {
        answer.insert_header((*name, value.as_str()));
    }
    answer
}

/// "Rate limits for the REST API" in the documentation of GitHub.
fn github(reset: i64) -> HttpResponse {
    HttpResponse::Forbidden()
        .insert_header(("x-ratelimit-limit", "5000"))
        .insert_header(("x-ratelimit-remaining", "0"))
        .insert_header(("x-ratelimit-used", "5000"))
        .insert_header(("x-ratelimit-reset", reset.to_string()))
        .insert_header(("x-ratelimit-resource", "core"))
        .json(json!({
            "message": "API rate limit exceeded for user ID 1001.",
            "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
        }))
}
