//! What the pages have in common.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType, HeaderValue};
use askama::Template;
use grantkeeper_domain::StoreError;

use crate::limits::Refused;
use crate::session::SessionError;

/// A page with a heading and a few lines.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    lines: &'a [&'a str],
}

/// A page that leads on by itself.
#[derive(Template)]
#[template(path = "onward.html")]
struct Onward<'a> {
    uri: &'a str,
}

/// A page that tells something.
pub(super) fn message(status: StatusCode, title: &str, lines: &[&str]) -> HttpResponse {
    render(status, &Message { title, lines }, POLICY)
}

/// The one answer to a link or callback that leads nowhere: it does not tell why.
pub(super) fn not_valid() -> HttpResponse {
    message(
        StatusCode::BAD_REQUEST,
        "This link is not valid",
        &[
            "It may have expired, or it was used already, or it was opened in another browser.",
            "Please start again.",
        ],
    )
}

/// A failure of ours: the cause is in the log.
pub(super) fn broken(error: &StoreError) -> HttpResponse {
    tracing::error!(error = error as &dyn std::error::Error, "a page could not be made");
    try_again()
}

/// Something that can be done again.
pub(super) fn try_again() -> HttpResponse {
    let lines = ["Please try again in a moment."];
    message(StatusCode::SERVICE_UNAVAILABLE, "Something went wrong here", &lines)
}

/// It cannot be said whether somebody is signed in.
pub(super) fn no_session(error: &SessionError) -> HttpResponse {
    match error {
        SessionError::Refused(refused) => too_many_requests(*refused),
        SessionError::Store(error) => broken(error),
    }
}

/// On to a page, which is asked for with `GET` whatever led here.
pub(super) fn see_other(uri: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, uri)).finish()
}

/// On to another site, behind a form of ours. A document and no redirect: browsers hold every redirect behind a form against
/// the policy of its page, those of the other site as well, and nobody knows where these lead (Content Security Policy
/// Level 3, 6.4.2).
pub(super) fn onward(uri: &str) -> HttpResponse {
    plain(StatusCode::OK, &Onward { uri })
}

/// Whoever comes too often waits.
pub(super) fn too_many_requests(refused: Refused) -> HttpResponse {
    let seconds = refused.retry_after();
    let line = format!("Please try again in {seconds} {}.", if seconds == 1 { "second" } else { "seconds" });
    let mut response = message(StatusCode::TOO_MANY_REQUESTS, "Too many requests", &[&line]);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// A form that did not come within the time there is for it.
pub(super) fn too_slow() -> HttpResponse {
    message(StatusCode::REQUEST_TIMEOUT, "This took too long", &["Please try again."])
}

/// A page with a form. Its forms may lead to our own origin, and to the origins in `leads_to` where some are named (browsers apply the
/// rule to the redirect behind a form as well).
///
/// `no-referrer` would not do here: browsers then name no origin when they post the form (Fetch, "append a request
/// `Origin` header"), and the origin is what tells our own form from another site's.
pub(super) fn form(status: StatusCode, page: &impl Template, leads_to: Option<&str>) -> HttpResponse {
    let policy = format!("{POLICY}; form-action 'self' {}", leads_to.unwrap_or_default());
    let mut response = render(status, page, policy.trim_end());
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// A page without a form.
pub(super) fn plain(status: StatusCode, page: &impl Template) -> HttpResponse {
    render(status, page, POLICY)
}

fn render(status: StatusCode, page: &impl Template, policy: &str) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type(ContentType::html())
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "a page does not render");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// No scripts, nothing from elsewhere, and no style but the one whose base64 SHA-256 stands here: that of
/// `templates/layout.html`.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
                      style-src 'sha256-S5IRJAENdDp2ut+RNwC8ev/G9IxmnDeC0Zuz1K1g0Po='";
