//! The standard claims (OpenID Connect Core, 5.1).

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::{ClaimsSource, claims_only};
use super::fields::{Email, boolean, picture, subject, text};

/// Reads userinfo or the claims of an ID token.
pub(crate) fn oidc(claims: Map<String, Value>, source: ClaimsSource) -> Option<UserInfo> {
    let email = email(&claims);
    Some(UserInfo {
        sub: subject(&claims, "sub")?,
        name: text(&claims, "name"),
        given_name: text(&claims, "given_name"),
        family_name: text(&claims, "family_name"),
        nick_name: nick_name(&claims),
        email_verified: email.verified,
        email: email.address,
        picture: picture(&claims, "picture"),
        locale: text(&claims, "locale"),
        description: None,
        raw: claims_only(claims, source),
    })
}

/// The name the user goes by: what they chose themselves comes second.
pub(super) fn nick_name(claims: &Map<String, Value>) -> Option<String> {
    text(claims, "preferred_username").or_else(|| text(claims, "nickname"))
}

/// The address; some providers write `email_verified` as text.
pub(super) fn email(claims: &Map<String, Value>) -> Email {
    Email::new(text(claims, "email"), boolean(claims, "email_verified"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Option<UserInfo> {
        let Value::Object(claims) = claims else { panic!("an object") };
        oidc(claims, ClaimsSource::Userinfo)
    }

    #[test]
    fn a_login_comes_before_a_nickname() {
        let nick_name = |claims| read(claims).unwrap().nick_name;
        assert_eq!(
            nick_name(json!({"sub": "1", "preferred_username": "login", "nickname": "nick"})).unwrap(),
            "login"
        );
        assert_eq!(
            nick_name(json!({"sub": "1", "preferred_username": "", "nickname": "nick"})).unwrap(),
            "nick"
        );
        assert_eq!(nick_name(json!({"sub": "1", "nickname": "  "})), None);
    }

    #[test]
    fn without_a_subject_it_is_nobody() {
        for claims in [json!({"name": "Somebody"}), json!({"sub": "", "email": "a@b.example"})] {
            assert_eq!(read(claims), None);
        }
    }
}
