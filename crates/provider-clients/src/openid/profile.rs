//! The standard claims in our own words (OpenID Connect Core, 5.1).

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};
use url::Url;

/// Reads userinfo or the claims of an ID token. `None`: it does not say whose they are.
pub(super) fn user_info(claims: Map<String, Value>) -> Option<UserInfo> {
    let email = text(&claims, "email");
    Some(UserInfo {
        // OpenID Connect Core, 2: at most 255 characters. It is printed, compared and indexed.
        sub: text(&claims, "sub").filter(|sub| sub.len() <= 255 && !sub.chars().any(char::is_control))?,
        name: text(&claims, "name"),
        given_name: text(&claims, "given_name"),
        family_name: text(&claims, "family_name"),
        nick_name: text(&claims, "preferred_username").or_else(|| text(&claims, "nickname")),
        // Without an address there is nothing that could be verified.
        email_verified: email.as_ref().and_then(|_| boolean(&claims, "email_verified")),
        email,
        picture: text(&claims, "picture").filter(|picture| is_web_picture(picture)),
        locale: text(&claims, "locale"),
        description: None,
        raw: Value::Object(claims),
    })
}

/// A text, or a whole number in decimal. What is empty is absent.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    match claims.get(name)? {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A boolean, or its name as text.
fn boolean(claims: &Map<String, Value>, name: &str) -> Option<bool> {
    match claims.get(name)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An absolute https URL without a user name. Nobody here fetches it.
fn is_web_picture(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Option<UserInfo> {
        let Value::Object(claims) = claims else { panic!("an object") };
        user_info(claims)
    }

    fn golden(payload: &str, expected: &str) {
        let payload: Value = serde_json::from_str(payload).unwrap();
        let mut expected: Value = serde_json::from_str(expected).unwrap();
        expected["raw"] = payload.clone();
        assert_eq!(serde_json::to_value(read(payload)).unwrap(), expected);
    }

    #[test]
    fn goldens() {
        golden(
            include_str!("../../tests/fixtures/oidc_userinfo.json"),
            include_str!("../../tests/fixtures/oidc_normalised.json"),
        );
        golden(
            include_str!("../../tests/fixtures/sparse_userinfo.json"),
            include_str!("../../tests/fixtures/sparse_normalised.json"),
        );
    }

    #[test]
    fn numbers_become_decimals_and_empty_values_disappear() {
        let user = read(json!({"sub": 12_345_678_901_234_u64, "name": "", "nickname": "  ", "email": null}))
            .unwrap();
        assert_eq!(user.sub, "12345678901234");
        assert_eq!((user.name, user.nick_name, user.email), (None, None, None));
    }

    #[test]
    fn without_a_subject_it_is_nobody() {
        for sub in [
            json!(null),
            json!(""),
            json!(1.5),
            json!(true),
            json!({"sub": "x"}),
            json!("a".repeat(256)),
            json!("a\0b"),
            json!("a\nb"),
        ] {
            assert_eq!(read(json!({"sub": sub, "name": "Somebody"})), None);
        }
    }

    #[test]
    fn only_a_clear_yes_or_no_tells_whether_the_address_is_verified() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!("true"), Some(true)),
            (json!(false), Some(false)),
            (json!("false"), Some(false)),
            (json!("TRUE"), None),
            (json!(1), None),
            (json!("1"), None),
            (json!(null), None),
        ] {
            let user = read(json!({"sub": "1", "email": "a@b.example", "email_verified": value})).unwrap();
            assert_eq!(user.email_verified, expected, "{value}");
        }
        assert_eq!(read(json!({"sub": "1", "email_verified": true})).unwrap().email_verified, None);
    }

    #[test]
    fn a_picture_is_an_absolute_https_url() {
        let picture = |text: &str| read(json!({"sub": "1", "picture": text})).unwrap().picture;
        assert_eq!(
            picture("https://idp.example/a.png?s=1").as_deref(),
            Some("https://idp.example/a.png?s=1")
        );
        for other in [
            "http://127.0.0.1/",
            "/a.png",
            "//idp.example/a.png",
            "data:image/png,x",
            "javascript:1",
            "https://u@x/",
        ] {
            assert_eq!(picture(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_document_stays_unchanged(name in ".*", picture in ".*") {
            let document = json!({"sub": "1", "name": name, "picture": picture, "more": [1, null]});
            proptest::prop_assert_eq!(read(document.clone()).unwrap().raw, document);
        }
    }
}
