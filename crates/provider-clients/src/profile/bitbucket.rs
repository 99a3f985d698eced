//! Bitbucket's users: in the cloud (<https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/>), and of
//! Data Center (<https://developer.atlassian.com/server/bitbucket/rest/>).

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::{user_and_emails, user_only};
use super::fields::{Email, boolean, picture, primary, subject, text};

/// Reads `/2.0/user` and, where the token may see them, a page of `/2.0/user/emails`.
pub(crate) fn bitbucket_cloud(user: Map<String, Value>, emails: Option<Value>) -> Option<UserInfo> {
    let email = emails.as_ref().and_then(primary_email).unwrap_or_default();
    Some(UserInfo {
        // With its braces.
        sub: subject(&user, "uuid")?,
        name: text(&user, "display_name"),
        given_name: None,
        family_name: None,
        nick_name: text(&user, "nickname").or_else(|| text(&user, "username")),
        email_verified: email.verified,
        email: email.address,
        picture: avatar(&user),
        locale: None,
        description: None,
        raw: user_and_emails(user, emails),
    })
}

fn primary_email(emails: &Value) -> Option<Email> {
    let entry = primary(emails.get("values")?, "is_primary")?;
    Some(Email::new(text(entry, "email"), boolean(entry, "is_confirmed")))
}

fn avatar(user: &Map<String, Value>) -> Option<String> {
    picture(user.get("links")?.get("avatar")?.as_object()?, "href")
}

/// Reads `/rest/api/latest/users/{slug}`. Its avatar mostly has no host, and then is no picture for anyone else; an
/// address comes from the directory of the company, unverified.
pub(crate) fn bitbucket_data_center(user: Map<String, Value>) -> Option<UserInfo> {
    Some(UserInfo {
        sub: subject(&user, "id")?,
        name: text(&user, "displayName"),
        given_name: None,
        family_name: None,
        nick_name: text(&user, "name"),
        email: text(&user, "emailAddress"),
        email_verified: None,
        picture: picture(&user, "avatarUrl"),
        locale: None,
        description: None,
        raw: user_only(user),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cloud(mut more: Value, emails: Option<Value>) -> UserInfo {
        more["uuid"] = "{1}".into();
        let Value::Object(user) = more else { panic!("an object") };
        bitbucket_cloud(user, emails).unwrap()
    }

    #[test]
    fn a_user_without_nickname_goes_by_the_user_name() {
        assert_eq!(cloud(json!({"nickname": "", "username": "u"}), None).nick_name.as_deref(), Some("u"));
        assert_eq!(cloud(json!({}), None).nick_name, None);
    }

    #[test]
    fn only_the_primary_address_counts() {
        let page = |primary: bool| {
            let entry = json!({"email": "a@b.example", "is_primary": primary, "is_confirmed": false});
            Some(json!({"values": [entry]}))
        };
        let user = cloud(json!({}), page(true));
        assert_eq!((user.email.as_deref(), user.email_verified), (Some("a@b.example"), Some(false)));
        let user = cloud(json!({}), page(false));
        assert_eq!((user.email, user.email_verified), (None, None));
    }

    #[test]
    fn the_avatar_is_where_the_links_are() {
        let links =
            json!({"avatar": "https://top.example/", "links": {"avatar": {"href": "https://a.example/"}}});
        assert_eq!(cloud(links, None).picture.as_deref(), Some("https://a.example/"));
        for none in
            [json!({"avatar": "https://top.example/"}), json!({"links": []}), json!({"links": {"avatar": 1}})]
        {
            assert_eq!(cloud(none.clone(), None).picture, None, "{none}");
        }
    }
}
