//! GitLab's users: by the REST API (<https://docs.gitlab.com/api/users/>), and by OpenID Connect
//! (<https://docs.gitlab.com/integration/openid_connect_provider/>). Both name the same subject.

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::{ClaimsSource, claims_only, user_only};
use super::fields::{Email, picture, subject, text};
use super::oidc;

/// Reads `/api/v4/user`.
pub(crate) fn gitlab_api(user: Map<String, Value>) -> Option<UserInfo> {
    // An address is confirmed at a time or, with `null`, not yet; a version that leaves it out does not say.
    let confirmed = user.get("confirmed_at").map(|at| !at.is_null());
    let email = Email::new(text(&user, "email"), confirmed);
    Some(UserInfo {
        sub: subject(&user, "id")?,
        name: text(&user, "name"),
        given_name: None,
        family_name: None,
        nick_name: text(&user, "username"),
        email_verified: email.verified,
        email: email.address,
        picture: picture(&user, "avatar_url"),
        locale: text(&user, "preferred_language"),
        description: text(&user, "bio"),
        raw: user_only(user),
    })
}

/// Reads `/oauth/userinfo` or the claims of an ID token.
pub(crate) fn gitlab_oidc(claims: Map<String, Value>, source: ClaimsSource) -> Option<UserInfo> {
    let email = oidc::email(&claims);
    Some(UserInfo {
        sub: subject(&claims, "sub")?,
        name: text(&claims, "name"),
        given_name: None,
        family_name: None,
        nick_name: oidc::nick_name(&claims),
        email_verified: email.verified,
        email: email.address,
        picture: picture(&claims, "picture"),
        locale: None,
        description: None,
        raw: claims_only(claims, source),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_confirmed_at_a_time() {
        for (confirmed_at, expected) in [
            (json!({"confirmed_at": "2017-02-19T11:52:10.004Z"}), Some(true)),
            (json!({"confirmed_at": null}), Some(false)),
            (json!({}), None),
        ] {
            let Value::Object(mut user) = confirmed_at else { panic!("an object") };
            user.insert("id".into(), 1.into());
            user.insert("email".into(), "a@b.example".into());
            assert_eq!(gitlab_api(user.clone()).unwrap().email_verified, expected);
            user.remove("email");
            assert_eq!(gitlab_api(user).unwrap().email_verified, None, "there is no address");
        }
    }
}
