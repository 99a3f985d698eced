//! Microsoft's users: by the ID token
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>), and by Microsoft Graph
//! (<https://learn.microsoft.com/en-us/graph/api/user-get>).

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::{ClaimsSource, claims_only, user_only};
use super::fields::{Email, boolean, subject, text};

/// Reads the claims of an ID token. The subject is `oid`, the same for every client in the tenant: `sub` is another for
/// every client and would make another person of everybody who is seen through a new one.
pub(crate) fn microsoft_id_token(claims: Map<String, Value>) -> Option<UserInfo> {
    let email = Email::new(text(&claims, "email"), domain_owner_verified(&claims));
    Some(UserInfo {
        sub: subject(&claims, "oid")?,
        name: text(&claims, "name"),
        given_name: text(&claims, "given_name"),
        family_name: text(&claims, "family_name"),
        nick_name: text(&claims, "preferred_username"),
        email_verified: email.verified,
        email: email.address,
        picture: None,
        locale: None,
        description: None,
        raw: claims_only(claims, ClaimsSource::IdToken),
    })
}

/// `xms_edov`, which tells whether the owner of the address's domain has proved to be that, where the app asks for it.
/// Microsoft writes it in several ways.
fn domain_owner_verified(claims: &Map<String, Value>) -> Option<bool> {
    boolean(claims, "xms_edov").or_else(|| match text(claims, "xms_edov")?.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    })
}

/// Reads `/v1.0/me`. Its `id` is `oid` but for personal accounts, where it lacks the zeros in front: whose profile it is
/// has to be compared with the ID token.
pub(crate) fn microsoft_graph(user: Map<String, Value>) -> Option<UserInfo> {
    Some(UserInfo {
        sub: subject(&user, "id")?,
        name: text(&user, "displayName"),
        given_name: text(&user, "givenName"),
        family_name: text(&user, "surname"),
        nick_name: text(&user, "userPrincipalName"),
        email: text(&user, "mail"),
        email_verified: None,
        picture: None,
        locale: text(&user, "preferredLanguage"),
        description: text(&user, "jobTitle"),
        raw: user_only(user),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id_token(claims: Value) -> Option<UserInfo> {
        let Value::Object(claims) = claims else { panic!("an object") };
        microsoft_id_token(claims)
    }

    #[test]
    fn the_pairwise_subject_is_nobody() {
        assert_eq!(id_token(json!({"sub": "pairwise", "name": "Hana"})), None);
        assert_eq!(id_token(json!({"sub": "pairwise", "oid": "o"})).unwrap().sub, "o");
    }

    #[test]
    fn an_address_is_verified_only_when_its_domain_is() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!("true"), Some(true)),
            (json!("1"), Some(true)),
            (json!(1), Some(true)),
            (json!(false), Some(false)),
            (json!("0"), Some(false)),
            (json!("yes"), None),
            (json!(null), None),
        ] {
            let claims =
                json!({"oid": "o", "email": "a@b.example", "xms_edov": value, "email_verified": true});
            assert_eq!(id_token(claims).unwrap().email_verified, expected, "{value}");
        }
        assert_eq!(id_token(json!({"oid": "o", "xms_edov": true})).unwrap().email_verified, None);
    }
}
