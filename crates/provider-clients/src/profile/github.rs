//! GitHub's users (<https://docs.github.com/en/rest/users/users>) and their addresses
//! (<https://docs.github.com/en/rest/users/emails>).

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::user_and_emails;
use super::fields::{Email, boolean, picture, primary, subject, text};

/// Reads `/user` and, where the token may see them, `/user/emails`.
pub(crate) fn github(user: Map<String, Value>, emails: Option<Value>) -> Option<UserInfo> {
    let email = emails.as_ref().and_then(primary_email).unwrap_or_else(|| public_email(&user));
    Some(UserInfo {
        sub: subject(&user, "id")?,
        name: text(&user, "name"),
        given_name: None,
        family_name: None,
        nick_name: text(&user, "login"),
        email_verified: email.verified,
        email: email.address,
        picture: picture(&user, "avatar_url"),
        locale: None,
        description: text(&user, "bio"),
        raw: user_and_emails(user, emails),
    })
}

fn primary_email(emails: &Value) -> Option<Email> {
    let entry = primary(emails, "primary")?;
    Some(Email::new(Some(text(entry, "email")?), boolean(entry, "verified")))
}

/// The address that the user shows to everybody, which says nothing about being verified.
fn public_email(user: &Map<String, Value>) -> Email {
    Email::new(text(user, "email"), None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn email(emails: Option<Value>) -> (Option<String>, Option<bool>) {
        let Value::Object(user) = json!({"id": 1, "email": "public@b.example"}) else { panic!("an object") };
        let user = github(user, emails).unwrap();
        (user.email, user.email_verified)
    }

    #[test]
    fn the_primary_address_comes_before_the_public_one() {
        let public = (Some("public@b.example".to_owned()), None);
        assert_eq!(email(None), public);
        assert_eq!(email(Some(json!([]))), public);
        assert_eq!(
            email(Some(json!([{"email": "x@b.example", "primary": false, "verified": true}]))),
            public
        );
        assert_eq!(email(Some(json!([{"email": "", "primary": true, "verified": true}]))), public);
        let primary = json!([{"email": "p@b.example", "primary": true, "verified": false}]);
        assert_eq!(email(Some(primary)), (Some("p@b.example".to_owned()), Some(false)));
    }
}
