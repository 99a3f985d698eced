//! Paths with a slash too many: every path is there with and without a slash at the end, and never by a redirect.

use std::borrow::Cow;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, Url};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

/// Passes a request on under its normal path.
///
/// In place of the framework's middleware, which runs a regular expression over every path.
pub(crate) fn normalize<S>(mut request: ServiceRequest, next: &S) -> S::Future
where
    S: Service<ServiceRequest, Error = Error>,
{
    if let Some(uri) = normal(request.uri()) {
        request.match_info_mut().set(Url::new(uri.clone()));
        request.head_mut().uri = uri;
    }
    next.call(request)
}

/// The same address with the normal path; `None` for one that has it.
fn normal(uri: &Uri) -> Option<Uri> {
    let Cow::Owned(path) = normal_path(uri.path()) else {
        return None;
    };
    let path = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    // What is left of a path without some of its slashes is one.
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// A path without slashes at its end and without empty segments.
fn normal_path(path: &str) -> Cow<'_, str> {
    let trimmed = path.trim_end_matches('/');
    let has_empty_segments = trimmed.as_bytes().windows(2).any(|pair| pair == b"//");
    if trimmed.is_empty() {
        // There is no path at all in `CONNECT host:443`.
        return if path.len() > 1 { Cow::Owned("/".to_owned()) } else { Cow::Borrowed(path) };
    }
    match (has_empty_segments, trimmed.len() == path.len()) {
        (false, true) => Cow::Borrowed(path),
        (false, false) => Cow::Owned(trimmed.to_owned()),
        (true, _) => Cow::Owned(without_empty_segments(trimmed)),
    }
}

fn without_empty_segments(path: &str) -> String {
    let mut normal = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !normal.ends_with('/') {
            normal.push(character);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_too_many_is_taken_away_and_nothing_else() {
        for (given, expected) in [
            ("/jobs/7", None),
            ("/jobs/7?a=//b/", None),
            ("/", None),
            ("*", None),
            ("host:443", None),
            ("/jobs/7/", Some("/jobs/7")),
            ("/jobs/7/?a=//b/", Some("/jobs/7?a=//b/")),
            ("/jobs/7//?", Some("/jobs/7?")),
            ("//", Some("/")),
            ("//?a", Some("/?a")),
            ("//jobs///%2F//", Some("/jobs/%2F")),
            ("http://host.example//jobs/", Some("http://host.example/jobs")),
            ("http://host.example", None),
        ] {
            let uri: Uri = given.parse().unwrap();
            let normal = normal(&uri).map(|uri| uri.to_string());
            assert_eq!(normal.as_deref(), expected, "{given}");
        }
    }
}
