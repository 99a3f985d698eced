//! What the pages have in common.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType, HeaderValue};
use askama::Template;
use grantkeeper_domain::StoreError;

use super::links;
use crate::limits::Refused;
use crate::session::SessionError;

/// A page with a heading, a few lines, and where one may go from there.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    lines: &'a [&'a str],
    links: &'a [Link<'a>],
}

/// A link to somewhere.
pub(super) struct Link<'a> {
    pub(super) uri: &'a str,
    pub(super) label: &'a str,
}

/// A page that leads on by itself.
#[derive(Template)]
#[template(path = "onward.html")]
struct Onward<'a> {
    uri: &'a str,
}

/// A page that tells something.
pub(super) fn message(status: StatusCode, title: &str, lines: &[&str]) -> HttpResponse {
    message_with_links(status, title, lines, &[])
}

/// The same with where one may go from there.
pub(super) fn message_with_links(
    status: StatusCode,
    title: &str,
    lines: &[&str],
    links: &[Link<'_>],
) -> HttpResponse {
    plain(status, &Message { title, lines, links })
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

/// What is not there, or not for whoever asks: the same to them.
pub(super) fn not_found() -> HttpResponse {
    let lines = ["Your organization has no such provider, or not any more."];
    message_with_links(StatusCode::NOT_FOUND, "There is nothing here", &lines, &[MY_LINKS])
}

/// A provider that takes nobody just now.
pub(super) fn not_available() -> HttpResponse {
    not_available_yet(&[], &[])
}

/// The same where there is more to say: what is under way there may go on.
pub(super) fn not_available_yet(more: &[&str], links: &[Link<'_>]) -> HttpResponse {
    let why = "It is paused or switched off. Please ask an administrator of your organization.";
    let lines: Vec<_> = [why].into_iter().chain(more.iter().copied()).collect();
    message_with_links(StatusCode::CONFLICT, "This provider is not available", &lines, links)
}

/// The way to all links of a person.
pub(super) const MY_LINKS: Link<'static> = Link { uri: links::PATH, label: "My links" };

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
    come_back_in(refused.retry_after(), &[], &[])
}

/// It is too often, by our own rules or by those of a provider; `more` is what there is to say beside that.
pub(super) fn come_back_in(seconds: u64, more: &[&str], links: &[Link<'_>]) -> HttpResponse {
    let wait = format!("Please try again in {seconds} {}.", if seconds == 1 { "second" } else { "seconds" });
    let lines: Vec<_> = [&*wait].into_iter().chain(more.iter().copied()).collect();
    let mut response = message_with_links(StatusCode::TOO_MANY_REQUESTS, "Too many requests", &lines, links);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// A form that did not come within the time there is for it.
pub(super) fn too_slow() -> HttpResponse {
    message(StatusCode::REQUEST_TIMEOUT, "This took too long", &["Please try again."])
}

/// A page with a form, which leads to our own origin; see [`onward`] for how to go on from there.
///
/// `no-referrer` would not do here: browsers then name no origin when they post the form (Fetch, "append a request
/// `Origin` header"), and the origin is what tells our own form from another site's.
pub(super) fn form(status: StatusCode, page: &impl Template) -> HttpResponse {
    let policy = format!("{POLICY}; form-action 'self'");
    let mut response = render(status, page, &policy);
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
                      style-src 'sha256-CcoiwplctseYa0Cut2y0J0BgUveX6K7weHhHFH17idk='";
