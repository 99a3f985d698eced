//! The answers of a device flow in one vocabulary, whatever the provider's dialect (RFC 8628, 3.2 and 3.5).

use std::time::Duration;

use chrono::{DateTime, Utc};
use grantkeeper_domain::providers::{DeviceAuthorization, UpstreamError};
use serde_json::Value;
use url::Url;

use super::answer::{read_success, sent_error, token};
use super::error_table::ErrorTable;
use super::fields::{Fields, Repeated};
use super::lifetime::lifetime;
use crate::failure::unavailable;
use crate::http::Answer;

/// How long to wait between two polls where the provider does not say (RFC 8628, 3.2).
const INTERVAL: Duration = Duration::from_secs(5);

/// How long the codes live where the provider does not say, as it must (RFC 8628, 3.2): no provider is known to give
/// them less (GitLab: 300 s).
const SHORTEST_LIFETIME: Duration = Duration::from_secs(300);

/// No user code that a person could type is longer.
const LONGEST_USER_CODE: usize = 64;

/// Reads the answer to the beginning of a device flow.
pub(crate) fn read_device_authorization(
    answer: &Answer,
    errors: &ErrorTable,
    now: DateTime<Utc>,
) -> Result<DeviceAuthorization, UpstreamError> {
    let mut fields = read_success(answer, errors, now)?;
    let interval = fields.take("interval")?.as_ref().and_then(lifetime);
    Ok(DeviceAuthorization {
        device_code: token(&mut fields, "device_code")?.ok_or_else(|| unavailable("no_device_code"))?,
        user_code: user_code(&mut fields)?.ok_or_else(|| unavailable("no_user_code"))?,
        verification_uri: verification_uri(&mut fields)?.ok_or_else(|| unavailable("no_verification_uri"))?,
        verification_uri_complete: web_page(fields.take("verification_uri_complete")?.as_ref()),
        expires_in: fields.take("expires_in")?.as_ref().and_then(lifetime).unwrap_or(SHORTEST_LIFETIME),
        interval: interval.filter(|interval| !interval.is_zero()).unwrap_or(INTERVAL),
    })
}

/// The code as it is to be shown, letter by letter: Google's is case-sensitive.
fn user_code(fields: &mut Fields) -> Result<Option<String>, Repeated> {
    let Some(Value::String(code)) = fields.take("user_code")? else { return Ok(None) };
    let fits = (1..=LONGEST_USER_CODE).contains(&code.len()) && !code.chars().any(char::is_control);
    Ok(fits.then_some(code))
}

/// Google calls it `verification_url`.
fn verification_uri(fields: &mut Fields) -> Result<Option<Url>, Repeated> {
    let uri = web_page(fields.take("verification_uri")?.as_ref());
    let url = web_page(fields.take("verification_url")?.as_ref());
    Ok(uri.or(url))
}

/// An address that a browser may be sent to.
fn web_page(value: Option<&Value>) -> Option<Url> {
    let url = Url::parse(value?.as_str()?).ok()?;
    (matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none())
        .then_some(url)
}

/// What a poll is refused with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollRefusal {
    /// The person has not decided yet.
    Pending,
    /// The same, and the polls come too fast.
    SlowDown {
        /// The new interval, where the provider names one.
        interval: Option<Duration>,
    },
    /// The person has refused.
    Denied,
    /// The codes are no longer good, or never were.
    Expired,
}

/// Stands for whatever a provider says that is in none of our tables.
const UNLISTED: &str = "unlisted_error";

/// Reads what a poll is refused with, under whatever status: GitHub sends 200, Google 428 and 403. `None`: it is
/// something else, tokens perhaps, or an error of the type's own table. An error that nobody has heard of ends the flow
/// (RFC 8628, 3.5): no grant can be lost by it, and else the person would be waited for in vain.
pub(crate) fn read_poll_refusal(
    answer: &Answer,
    errors: &ErrorTable,
    now: DateTime<Utc>,
) -> Result<Option<PollRefusal>, UpstreamError> {
    if !answer.status.is_success() && !answer.status.is_client_error() {
        return Ok(None);
    }
    let Some(mut fields) = Fields::read(&answer.body) else { return Ok(None) };
    let Some(error) = sent_error(answer, &mut fields)? else { return Ok(None) };
    // What comes at a bad moment can slow a flow down, never end it.
    let is_bad_moment = matches!(answer.status.as_u16(), 408 | 429);
    let refusal = match error.code.as_str() {
        "authorization_pending" => Some(PollRefusal::Pending), // RFC 8628, 3.5
        // RFC 8628, 3.5; GitHub adds the new interval.
        "slow_down" => {
            let interval = fields.take("interval")?.as_ref().and_then(lifetime);
            Some(PollRefusal::SlowDown { interval })
        }
        "access_denied" // RFC 8628, 3.5
        | "authorization_declined" => Some(PollRefusal::Denied), // Microsoft
        "expired_token" // RFC 8628, 3.5
        | "token_expired" | "code_expired" | "incorrect_device_code" // GitHub
        | "bad_verification_code" // Microsoft
        | "invalid_grant" => Some(PollRefusal::Expired), // RFC 6749, 5.2; Google for a code that it does not know
        code if !code.is_empty() && !errors.lists(&error) && answer.trouble(now).is_none() => {
            return Err(UpstreamError::GrantRefused { code: UNLISTED.to_owned() });
        }
        _ => None,
    };
    Ok(refusal
        .filter(|refusal| !is_bad_moment || !matches!(refusal, PollRefusal::Denied | PollRefusal::Expired)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::OPENID_ERRORS;
    use super::*;
    use crate::http::tests_answer as answer;

    fn begin(status: u16, body: &str) -> Result<DeviceAuthorization, UpstreamError> {
        let answer = answer(status, &[], body.as_bytes());
        read_device_authorization(&answer, &OPENID_ERRORS, DateTime::UNIX_EPOCH)
    }

    fn with(changes: Value) -> Result<DeviceAuthorization, UpstreamError> {
        let mut body = json!({
            "device_code": "dc",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://idp.example/device",
            "verification_uri_complete": "https://idp.example/device?user_code=WDJB-MJHT",
            "expires_in": 900,
            "interval": 7,
        });
        let Value::Object(changes) = changes else { panic!("an object") };
        for (name, value) in changes {
            body[name] = value;
        }
        begin(200, &body.to_string())
    }

    #[test]
    fn a_full_answer_is_read_whole() {
        let device = with(json!({})).ok().unwrap();
        assert_eq!(device.device_code.expose(), "dc");
        assert_eq!(device.user_code, "WDJB-MJHT");
        assert_eq!(device.verification_uri.as_str(), "https://idp.example/device");
        let complete = device.verification_uri_complete.unwrap();
        assert_eq!(complete.as_str(), "https://idp.example/device?user_code=WDJB-MJHT");
        assert_eq!((device.expires_in, device.interval), (Duration::from_secs(900), Duration::from_secs(7)));
    }

    #[test]
    fn a_form_and_googles_word_are_read_too() {
        let body = "device_code=dc&user_code=ab&verification_uri=https%3A%2F%2Fgithub.com%2Flogin%2Fdevice";
        assert_eq!(begin(200, body).ok().unwrap().verification_uri.path(), "/login/device");
        let google = with(json!({"verification_uri": null, "verification_url": "https://g.example/device"}));
        assert_eq!(google.ok().unwrap().verification_uri.as_str(), "https://g.example/device");
    }

    #[test]
    fn what_is_missing_has_its_default() {
        for interval in [json!(null), json!(0), json!(-3), json!("soon")] {
            let device = with(json!({"interval": interval, "expires_in": null})).ok().unwrap();
            assert_eq!((device.interval, device.expires_in), (INTERVAL, SHORTEST_LIFETIME), "{interval}");
        }
        let device = with(json!({"verification_uri_complete": "javascript:alert(1)"})).ok().unwrap();
        assert_eq!(device.verification_uri_complete, None);
    }

    #[test]
    fn what_nobody_could_use_is_refused() {
        for (changes, reason) in [
            (json!({"device_code": ""}), "no_device_code"),
            (json!({"device_code": "a\nb"}), "malformed_token"),
            (json!({"user_code": null}), "no_user_code"),
            (json!({"user_code": "a\u{1b}[31m"}), "no_user_code"),
            (json!({"user_code": "a".repeat(65)}), "no_user_code"),
            (json!({"verification_uri": null}), "no_verification_uri"),
            (json!({"verification_uri": "javascript:alert(1)"}), "no_verification_uri"),
            (json!({"verification_uri": "https://user@idp.example/"}), "no_verification_uri"),
        ] {
            assert_eq!(with(changes.clone()).err(), Some(unavailable(reason)), "{changes}");
        }
        assert_eq!(begin(200, "<html>").err(), Some(unavailable("unreadable_answer")));
        let quota = begin(403, r#"{"error_code":"rate_limit_exceeded"}"#).err();
        assert_eq!(quota, Some(unavailable("unknown_error")), "the table of the type knows that word");
    }

    #[test]
    fn every_dialect_becomes_one_vocabulary() {
        let slow =
            |seconds: Option<u64>| PollRefusal::SlowDown { interval: seconds.map(Duration::from_secs) };
        for (status, body, expected) in [
            (400, r#"{"error":"authorization_pending"}"#, Some(PollRefusal::Pending)),
            (200, "error=authorization_pending&interval=5", Some(PollRefusal::Pending)),
            (428, r#"{"error":"authorization_pending"}"#, Some(PollRefusal::Pending)),
            (400, r#"{"error":"slow_down"}"#, Some(slow(None))),
            (200, r#"{"error":"slow_down","interval":10}"#, Some(slow(Some(10)))),
            (403, r#"{"error":"slow_down"}"#, Some(slow(None))),
            (429, r#"{"error":"slow_down"}"#, Some(slow(None))),
            (403, r#"{"error":"access_denied"}"#, Some(PollRefusal::Denied)),
            (400, r#"{"error":"authorization_declined"}"#, Some(PollRefusal::Denied)),
            (400, r#"{"error":"expired_token"}"#, Some(PollRefusal::Expired)),
            (200, r#"{"error":"token_expired"}"#, Some(PollRefusal::Expired)),
            (400, r#"{"error":"code_expired"}"#, Some(PollRefusal::Expired)),
            (200, r#"{"error":"incorrect_device_code"}"#, Some(PollRefusal::Expired)),
            (400, r#"{"error":"bad_verification_code"}"#, Some(PollRefusal::Expired)),
            (400, r#"{"error":"invalid_grant"}"#, Some(PollRefusal::Expired)),
            (400, r#"{"error":"invalid_client"}"#, None),
            (500, r#"{"error":"access_denied"}"#, None),
            (302, r#"{"error":"access_denied"}"#, None),
            (408, r#"{"error":"access_denied"}"#, None),
            (429, r#"{"error":"invalid_grant"}"#, None),
            (400, "<html>access_denied</html>", None),
            (200, r#"{"access_token":"t"}"#, None),
        ] {
            assert_eq!(
                read_poll_refusal(
                    &answer(status, &[], body.as_bytes()),
                    &OPENID_ERRORS,
                    DateTime::UNIX_EPOCH
                ),
                Ok(expected),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn an_error_that_nobody_has_heard_of_ends_the_flow() {
        let ended = Err(UpstreamError::GrantRefused { code: "unlisted_error".to_owned() });
        let body = r#"{"error":"brand_new"}"#;
        let limited = [("x-ratelimit-remaining", "0")];
        for (status, headers, body, expected) in [
            (400, &[][..], body, ended.clone()),
            (200, &[], "error=brand_new", ended.clone()),
            (403, &[], r#"{"error_code":"brand_new"}"#, ended),
            // Words of the table, and what says nothing, are judged like those of any token answer.
            (400, &[], r#"{"error":"server_error"}"#, Ok(None)),
            (400, &[], r#"{"error":"unsupported_grant_type"}"#, Ok(None)),
            (400, &[], r#"{"error":[]}"#, Ok(None)),
            (400, &[], "{}", Ok(None)),
            // A bad moment ends nothing.
            (403, &limited, body, Ok(None)),
            (408, &[], body, Ok(None)),
            (429, &[], body, Ok(None)),
            (503, &[], body, Ok(None)),
        ] {
            let answer = answer(status, headers, body.as_bytes());
            let found = read_poll_refusal(&answer, &OPENID_ERRORS, DateTime::UNIX_EPOCH);
            assert_eq!(found, expected, "{status} {body}");
        }
    }
}
