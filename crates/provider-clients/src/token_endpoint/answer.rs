//! Making sense of an answer: tokens, or a failure.

use chrono::{DateTime, Utc};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{TokenSet, UpstreamError};
use serde_json::Value;

use super::error_table::{ErrorTable, SentError};
use super::fields::{Fields, Repeated};
use super::lifetime::lifetime;
use crate::failure::unavailable;
use crate::http::Answer;

/// What a token endpoint gave.
pub(crate) struct TokenAnswer {
    /// The tokens; nobody's identity yet.
    pub(crate) tokens: TokenSet,
    /// The ID token as it came, not verified (OpenID Connect Core, 3.1.3.3).
    pub(crate) id_token: Option<Secret>,
}

impl From<Repeated> for UpstreamError {
    fn from(_: Repeated) -> Self {
        unavailable("repeated_field")
    }
}

/// Reads an answer of a token endpoint (RFC 6749, 5.1 and 5.2), forgiving what providers are known to do: a form for
/// JSON, an error with status 200, numbers as text, scopes with commas, a missing `token_type`.
pub(crate) fn read_token_answer(
    answer: &Answer,
    errors: &ErrorTable,
    now: DateTime<Utc>,
) -> Result<TokenAnswer, UpstreamError> {
    token_answer(&mut read_success(answer, errors, now)?)
}

/// The fields of an answer that is a success.
pub(super) fn read_success(
    answer: &Answer,
    errors: &ErrorTable,
    now: DateTime<Utc>,
) -> Result<Fields, UpstreamError> {
    let (fields, error) = read(answer, now)?;
    if let Some(error) = error {
        return Err(errors.failure(&error, answer.retry_after(now)));
    }
    if answer.status.is_success() { Ok(fields) } else { Err(unavailable("unknown_error")) }
}

/// Reads an answer from which nothing but success or an error is wanted, and returns the error. A body that cannot be
/// read matters only where it should have held an error.
pub(crate) fn read_refusal(answer: &Answer, now: DateTime<Utc>) -> Result<Option<SentError>, UpstreamError> {
    match read(answer, now) {
        Ok((_, Some(error))) => Ok(Some(error)),
        Ok((_, None)) if answer.status.is_success() => Ok(None),
        Ok((_, None)) => Err(unavailable("unknown_error")),
        Err(error) if answer.trouble(now).is_some() => Err(error),
        Err(_) if answer.status.is_success() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The fields of an answer and the error among them.
fn read(answer: &Answer, now: DateTime<Utc>) -> Result<(Fields, Option<SentError>), UpstreamError> {
    if let Some(trouble) = answer.trouble(now) {
        return Err(trouble);
    }
    let mut fields = Fields::read(&answer.body).ok_or_else(|| unavailable("unreadable_answer"))?;
    let error = sent_error(answer, &mut fields)?;
    Ok((fields, error))
}

/// The error that a body tells, whatever the status.
pub(super) fn sent_error(answer: &Answer, fields: &mut Fields) -> Result<Option<SentError>, Repeated> {
    let mut code = fields.take("error")?.and_then(error_code);
    if code.is_none() && !answer.status.is_success() {
        // Google's word for it where devices begin.
        code = fields.take("error_code")?.and_then(error_code);
    }
    let Some(code) = code else { return Ok(None) };
    let subtype = fields.take("error_subtype")?.and_then(|subtype| subtype.as_str().map(str::to_owned));
    Ok(Some(SentError { code, subtype }))
}

/// The code of an `error` member: a word as the RFC has it, or an object that has one. An empty one is none.
fn error_code(error: Value) -> Option<String> {
    match error {
        Value::String(code) => Some(code).filter(|code| !code.is_empty()),
        Value::Number(code) => Some(code.to_string()),
        Value::Object(mut members) => {
            let code = ["code", "type", "error"].into_iter().find_map(|name| match members.remove(name)? {
                Value::String(code) => Some(code),
                Value::Number(code) => Some(code.to_string()),
                _ => None,
            });
            Some(code.unwrap_or_default())
        }
        Value::Array(_) | Value::Bool(true) => Some(String::new()),
        Value::Bool(false) | Value::Null => None,
    }
}

fn token_answer(fields: &mut Fields) -> Result<TokenAnswer, UpstreamError> {
    let token_type = fields.take("token_type")?;
    let bearer = |value: &Value| value.as_str().is_some_and(|name| name.eq_ignore_ascii_case("bearer"));
    // Any other kind wants a proof that we cannot give (RFC 6749, 7.1).
    if !token_type.as_ref().is_none_or(bearer) {
        return Err(unavailable("token_type"));
    }
    let access_token = token(fields, "access_token")?.ok_or_else(|| unavailable("no_access_token"))?;
    let tokens = TokenSet {
        access_token,
        expires_in: fields.take("expires_in")?.as_ref().and_then(lifetime),
        refresh_token: token(fields, "refresh_token")?,
        refresh_token_expires_in: refresh_token_lifetime(fields)?,
        scopes: scopes(fields)?,
        identity: None,
        distrust: None,
    };
    Ok(TokenAnswer { tokens, id_token: token(fields, "id_token")? })
}

/// A token, moved out of the answer, so that no second copy of it stays behind. An empty one is none; one with
/// anything but printable ASCII is no token (RFC 6749, Appendix A.12).
pub(super) fn token(fields: &mut Fields, name: &str) -> Result<Option<Secret>, UpstreamError> {
    match fields.take(name)? {
        None => Ok(None),
        Some(Value::String(token)) if token.is_empty() => Ok(None),
        Some(Value::String(token)) if token.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) => {
            Ok(Some(Secret::new(token)))
        }
        Some(_) => Err(unavailable("malformed_token")),
    }
}

/// GitHub's name for it, or Keycloak's.
fn refresh_token_lifetime(fields: &mut Fields) -> Result<Option<std::time::Duration>, UpstreamError> {
    let github = fields.take("refresh_token_expires_in")?.as_ref().and_then(lifetime);
    let keycloak = fields.take("refresh_expires_in")?.as_ref().and_then(lifetime);
    // Keycloak writes 0 for an offline token, which does not expire.
    Ok(github.or(keycloak.filter(|lifetime| !lifetime.is_zero())))
}

/// The granted scopes: text with spaces or commas between them, or a list; called `scopes` by Bitbucket.
fn scopes(fields: &mut Fields) -> Result<Option<Scopes>, UpstreamError> {
    let value = match fields.take("scope")? {
        Some(value) => Some(value),
        None => fields.take("scopes")?,
    };
    Ok(match value {
        Some(Value::String(text)) => Some(valid(&text)),
        Some(Value::Array(list)) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            Some(valid(&words.join(" ")))
        }
        _ => None,
    })
}

fn valid(text: &str) -> Scopes {
    Scopes::parse(text).iter().filter(|scope| Scopes::is_scope(scope)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::OPENID_ERRORS;
    use super::*;
    use crate::http::tests_answer as answer;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn read_body(status: u16, body: &str) -> Result<TokenAnswer, UpstreamError> {
        read_token_answer(&answer(status, &[], body.as_bytes()), &OPENID_ERRORS, now())
    }

    fn tokens(body: &str) -> TokenSet {
        read_body(200, body).unwrap_or_else(|error| panic!("{body}: {error}")).tokens
    }

    fn failure(status: u16, body: &str) -> UpstreamError {
        read_body(status, body).err().unwrap_or_else(|| panic!("{status} {body} is no success"))
    }

    #[test]
    fn a_full_answer_is_read_whole() {
        let body = r#"{"access_token":"at","token_type":"Bearer","expires_in":3600,"refresh_token":"rt",
            "refresh_token_expires_in":"7200","scope":"openid email","id_token":"a.b.c","created_at":1}"#;
        let TokenAnswer { tokens, id_token } = read_body(200, body).ok().unwrap();
        assert_eq!(tokens.access_token.expose(), "at");
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(tokens.refresh_token.unwrap().expose(), "rt");
        assert_eq!(tokens.refresh_token_expires_in, Some(Duration::from_secs(7200)));
        assert_eq!(tokens.scopes, Some(Scopes::parse("email openid")));
        assert_eq!(tokens.identity, None);
        assert_eq!(id_token.unwrap().expose(), "a.b.c");
    }

    #[test]
    fn a_form_is_read_like_json() {
        let tokens =
            tokens("access_token=gho_1&scope=repo%2Cgist&token_type=bearer&expires_in=28800&refresh_token=");
        assert_eq!(tokens.access_token.expose(), "gho_1");
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(28_800)));
        assert_eq!(tokens.scopes, Some(Scopes::parse("repo gist")));
        assert!(tokens.refresh_token.is_none());
    }

    #[test]
    fn what_is_missing_is_not_made_up() {
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","token_type":null,"expires_in":null,"refresh_token":null,"scope":null,"error":null}"#,
            r#"{"access_token":"a","refresh_token":"","expires_in":"soon","scope":7,"error":"","id_token":""}"#,
        ] {
            let TokenAnswer { tokens, id_token } = read_body(200, body).ok().unwrap();
            assert!(
                tokens.expires_in.is_none() && tokens.refresh_token.is_none() && tokens.scopes.is_none(),
                "{body}"
            );
            assert!(tokens.refresh_token_expires_in.is_none() && id_token.is_none(), "{body}");
        }
    }

    #[test]
    fn scopes_are_read_in_every_form() {
        for (field, expected) in [
            (r#""scope":"a b""#, "a b"),
            (r#""scope":"a,b""#, "a b"),
            (r#""scope":"a, b""#, "a b"),
            (r#""scope":["b","a",1]"#, "a b"),
            (r#""scopes":"a b""#, "a b"),
            (r#""scopes":["a","b"]"#, "a b"),
            (r#""scopes":"c","scope":"a""#, "a"),
            (r#""scope":"a b\"c \u0000""#, "a"),
            // GitHub Apps, and GitHub tokens that may do nothing.
            (r#""scope":"""#, ""),
        ] {
            let body = format!(r#"{{"access_token":"t",{field}}}"#);
            assert_eq!(tokens(&body).scopes, Some(Scopes::parse(expected)), "{field}");
        }
    }

    #[test]
    fn refresh_token_lifetimes_go_by_two_names() {
        for (field, seconds) in [
            (r#""refresh_token_expires_in":10"#, Some(10)),
            (r#""refresh_token_expires_in":0"#, Some(0)),
            (r#""refresh_expires_in":"10""#, Some(10)),
            (r#""refresh_expires_in":0"#, None),
        ] {
            let body = format!(r#"{{"access_token":"t",{field}}}"#);
            assert_eq!(tokens(&body).refresh_token_expires_in, seconds.map(Duration::from_secs), "{field}");
        }
    }

    #[test]
    fn errors_are_found_wherever_they_are() {
        let dead = UpstreamError::GrantRefused { code: "invalid_grant".into() };
        for (status, body) in [
            (400, r#"{"error":"invalid_grant","error_description":"<script>"}"#),
            (401, r#"{"error":"invalid_grant"}"#),
            (200, r#"{"error":"invalid_grant","access_token":"never"}"#),
            (200, "error=invalid_grant&error_description=The+code+is+wrong"),
            (400, r#"{"error":{"code":"invalid_grant","message":"x"}}"#),
            (400, r#"{"error":{"code":true,"type":"invalid_grant"}}"#),
        ] {
            assert_eq!(failure(status, body), dead, "{status} {body}");
        }
        assert_eq!(
            failure(401, r#"{"error":"invalid_client"}"#),
            UpstreamError::ClientRefused { code: "invalid_client".into() }
        );
    }

    #[test]
    fn what_is_not_understood_says_nothing_about_the_grant() {
        for (status, body, reason) in [
            (400, r#"{"error":"brand_new_error"}"#, "unknown_error"),
            (400, r#"{"error":{"code":190,"message":"x"}}"#, "unknown_error"),
            (400, r#"{"error":["invalid_grant"]}"#, "unknown_error"),
            (400, r#"{"message":"Bad Request"}"#, "unknown_error"),
            (404, r#"{"access_token":"t"}"#, "unknown_error"),
            (400, "<html>error=invalid_grant</html>", "unreadable_answer"),
            (200, "<html>Sign in</html>", "unreadable_answer"),
            (200, "", "unreadable_answer"),
            (200, "{}", "no_access_token"),
            (200, r#"{"access_token":""}"#, "no_access_token"),
            (200, "page=1&of=2", "no_access_token"),
            (200, r#"{"access_token":42}"#, "malformed_token"),
            (200, r#"{"access_token":"a\nb"}"#, "malformed_token"),
            (200, r#"{"access_token":"a","refresh_token":"ü"}"#, "malformed_token"),
            (200, r#"{"access_token":"a","access_token":"b"}"#, "repeated_field"),
            (200, "access_token=a&access_token=b", "repeated_field"),
            (200, r#"{"access_token":"a","token_type":"DPoP"}"#, "token_type"),
            (200, r#"{"access_token":"a","token_type":"mac"}"#, "token_type"),
            (502, "<html>error=invalid_grant</html>", "server_trouble"),
            (500, r#"{"error":"invalid_grant"}"#, "server_trouble"),
            (307, r#"{"access_token":"t"}"#, "redirect"),
        ] {
            assert_eq!(failure(status, body), unavailable(reason), "{status} {body}");
        }
    }

    #[test]
    fn trouble_carries_its_retry_after() {
        let wait = Some(Duration::from_secs(7));
        let read = |status, body: &str| {
            let answer = answer(status, &[("retry-after", "7")], body.as_bytes());
            read_token_answer(&answer, &OPENID_ERRORS, now()).err().unwrap().retry_after()
        };
        assert_eq!(read(429, r#"{"error":"slow_down"}"#), wait);
        assert_eq!(read(503, "<html>"), wait);
        assert_eq!(read(400, r#"{"error":"temporarily_unavailable"}"#), wait);
    }

    #[test]
    fn a_refusal_needs_no_body_to_be_none() {
        let read = |status, body: &str| {
            let refusal = read_refusal(&answer(status, &[], body.as_bytes()), now())?;
            Ok(refusal.map(|error| error.code))
        };
        for body in ["", "{}", "OK", "<html>", "null"] {
            assert_eq!(read(200, body), Ok(None), "{body}");
        }
        assert_eq!(read(200, r#"{"error":"invalid_client"}"#), Ok(Some("invalid_client".into())));
        assert_eq!(
            read(400, r#"{"error":"unsupported_token_type"}"#),
            Ok(Some("unsupported_token_type".into()))
        );
        assert_eq!(read(400, "{}"), Err(unavailable("unknown_error")));
        assert_eq!(read(400, ""), Err(unavailable("unreadable_answer")));
        assert_eq!(read(503, ""), Err(unavailable("server_trouble")));
    }

    #[test]
    fn an_error_is_told_with_what_is_added_to_it() {
        let read = |status, body: &str| {
            let error = read_refusal(&answer(status, &[], body.as_bytes()), now()).ok().flatten()?;
            Some((error.code, error.subtype))
        };
        let error = |code: &str, subtype: Option<&str>| Some((code.to_owned(), subtype.map(str::to_owned)));
        for (status, body, expected) in [
            (400, r#"{"error":"e"}"#, error("e", None)),
            (400, r#"{"error":"e","error_subtype":"s"}"#, error("e", Some("s"))),
            (400, r#"{"error":"e","suberror":"s"}"#, error("e", None)),
            (403, r#"{"error_code":"rate_limit_exceeded"}"#, error("rate_limit_exceeded", None)),
            (200, r#"{"error_code":"0"}"#, None),
        ] {
            assert_eq!(read(status, body), expected, "{status} {body}");
        }
    }

    /// Any JSON that might stand in a field.
    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            "[a-z_]{1,12}".prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..3).prop_map(Value::from),
            "[a-z]{1,8}".prop_map(|code| serde_json::json!({"code": code})),
        ]
    }

    fn field_name() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "access_token",
            "token_type",
            "expires_in",
            "refresh_token",
            "refresh_token_expires_in",
            "scope",
            "scopes",
            "id_token",
            "error",
        ])
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(status in 200_u16..600, body: Vec<u8>) {
            let _ = read_token_answer(&answer(status, &[], &body), &OPENID_ERRORS, now());
        }

        #[test]
        fn any_fields_are_survived(
            status in 200_u16..600,
            fields in prop::collection::vec((field_name(), value()), 0..9),
        ) {
            let members: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let body = format!("{{{}}}", members.join(","));
            match read_body(status, &body) {
                Ok(answer) => {
                    prop_assert!((200..300).contains(&status));
                    prop_assert!(!answer.tokens.access_token.expose().is_empty());
                }
                // Only a definite answer is a refusal of the grant, and that needs its code.
                Err(UpstreamError::GrantRefused { code }) => prop_assert!(body.contains(&code)),
                Err(_) => {}
            }
        }

        #[test]
        fn no_text_of_an_answer_comes_through_an_error(status in 200_u16..600, text in "S3cr3t[!-~]{4,20}") {
            for body in [
                serde_json::json!({"error": text}).to_string(),
                serde_json::json!({"error": {"code": text}, "access_token": text}).to_string(),
                serde_json::json!({"access_token": text, "token_type": text}).to_string(),
                format!("<html>{text}</html>"),
                text.clone(),
            ] {
                if let Err(error) = read_body(status, &body) {
                    prop_assert!(!format!("{error} {error:?}").contains("S3cr3t"), "{}", error);
                }
            }
        }

        #[test]
        fn json_and_form_mean_the_same(
            token in "[!-~]{1,40}",
            refresh in proptest::option::of("[!-~]{1,40}"),
            seconds in -10_i64..100_000,
            scope in "[a-z:]{1,8}( [a-z:]{1,8}){0,3}",
        ) {
            let json = serde_json::json!({
                "access_token": token, "refresh_token": refresh, "expires_in": seconds, "scope": scope,
            });
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("access_token", &token).append_pair("expires_in", &seconds.to_string());
            form.append_pair("scope", &scope);
            if let Some(refresh) = &refresh {
                form.append_pair("refresh_token", refresh);
            }
            let (json, form) = (tokens(&json.to_string()), tokens(&form.finish()));
            prop_assert_eq!(json.access_token.expose(), token.as_str());
            prop_assert_eq!(form.access_token.expose(), token.as_str());
            prop_assert_eq!(json.refresh_token.as_ref().map(Secret::expose), refresh.as_deref());
            prop_assert_eq!(form.refresh_token.as_ref().map(Secret::expose), refresh.as_deref());
            prop_assert_eq!(json.expires_in, form.expires_in);
            prop_assert_eq!(json.scopes, form.scopes);
        }
    }
}
