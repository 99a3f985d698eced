//! One answer of a provider, and what its status and headers say.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use grantkeeper_domain::providers::UpstreamError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use zeroize::Zeroizing;

/// An answer. It may hold secrets, therefore it has no `Debug`.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, wiped when dropped.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// No wait that a provider asks for counts as longer than this: it may be wrong, or mean harm.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

impl Answer {
    /// The failure that status and headers tell by themselves, whatever the body says: a rate limit, a server in
    /// trouble, a redirect (which is never followed).
    pub(crate) fn trouble(&self, now: DateTime<Utc>) -> Option<UpstreamError> {
        let retry_after = retry_after(&self.headers, now);
        match self.status.as_u16() {
            429 => Some(self.rate_limited(now)),
            403 if retry_after.is_some() || self.header("x-ratelimit-remaining") == Some("0") => {
                Some(self.rate_limited(now))
            }
            408 => Some(UpstreamError::Unavailable { reason: "request_timeout", retry_after }),
            500..=599 => Some(UpstreamError::Unavailable { reason: "server_trouble", retry_after }),
            300..=399 => Some(UpstreamError::Unavailable { reason: "redirect", retry_after: None }),
            _ => None,
        }
    }

    /// When to come back (RFC 9110, 10.2.3).
    pub(crate) fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        retry_after(&self.headers, now)
    }

    /// A header, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    fn rate_limited(&self, now: DateTime<Utc>) -> UpstreamError {
        let reset = |name| rate_limit_reset(self.header(name)?, now);
        let retry_after = retry_after(&self.headers, now)
            .or_else(|| reset("x-ratelimit-reset"))
            .or_else(|| reset("ratelimit-reset"));
        UpstreamError::RateLimited { retry_after }
    }
}

fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(http_date(text)?, now),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A date in any of the three forms that a recipient has to read (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|date| date.and_utc())
}

/// When the window ends: in seconds since 1970 (GitHub, GitLab), or from now on (the drafts of the `RateLimit`
/// header fields). No window is as long as the years since 1970.
fn rate_limit_reset(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let number: u32 = text.parse().ok()?;
    let wait = if number < EARLIEST_DATE {
        Duration::from_secs(number.into())
    } else {
        until(DateTime::from_timestamp(number.into(), 0)?, now)
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Numbers below this are delays. It is a day in 1988.
const EARLIEST_DATE: u32 = 600_000_000;

fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (time - now).to_std().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    /// An answer as a provider might give it.
    pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let header = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        };
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(header).collect(),
            body: Zeroizing::new(body.to_vec()),
        }
    }

    fn now() -> DateTime<Utc> {
        "1994-11-06T08:49:00Z".parse().unwrap()
    }

    #[test]
    fn retry_after_is_read_in_every_form() {
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
            ("Sun Nov  6 08:49:37 1994", Some(37)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999", Some(86_400)),
            ("Mon, 06 Nov 2294 08:49:37 GMT", None),
            ("Tue, 06 Nov 2294 08:49:37 GMT", Some(86_400)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let found = answer(503, &[("retry-after", text)], b"").retry_after(now());
            assert_eq!(found, seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn status_and_headers_tell_trouble() {
        let limited =
            |seconds| Some(UpstreamError::RateLimited { retry_after: Some(Duration::from_secs(seconds)) });
        let unavailable = |reason| Some(UpstreamError::Unavailable { reason, retry_after: None });
        let spent = ("x-ratelimit-remaining", "0");
        for (status, headers, expected) in [
            (429, &[("retry-after", "7")][..], limited(7)),
            (429, &[], Some(UpstreamError::RateLimited { retry_after: None })),
            (429, &[("x-ratelimit-reset", "784111750")], limited(10)),
            (429, &[("ratelimit-reset", "784111750")], limited(10)),
            (429, &[("ratelimit-reset", "50")], limited(50)),
            (429, &[("ratelimit-reset", "784111750"), ("retry-after", "7")], limited(7)),
            (429, &[("x-ratelimit-reset", "784000000")], limited(0)),
            (403, &[("retry-after", "7")], limited(7)),
            (403, &[spent, ("retry-after", "7")], limited(7)),
            (403, &[spent, ("x-ratelimit-reset", "784111750")], limited(10)),
            (
                403,
                &[spent, ("x-ratelimit-reset", "never")],
                Some(UpstreamError::RateLimited { retry_after: None }),
            ),
            (403, &[("x-ratelimit-remaining", "1")], None),
            (403, &[], None),
            (408, &[], unavailable("request_timeout")),
            (500, &[], unavailable("server_trouble")),
            (599, &[], unavailable("server_trouble")),
            (302, &[("location", "https://evil.example/")], unavailable("redirect")),
            (200, &[spent], None),
            (400, &[("retry-after", "7")], None),
        ] {
            assert_eq!(answer(status, headers, b"").trouble(now()), expected, "{status} {headers:?}");
        }
    }
}
