//! What holds whatever a provider writes.

use grantkeeper_domain::authorizations::UserInfo;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};
use url::Url;

use super::*;

/// Every field that any profile reads, so that what is made up hits them.
const FIELDS: [&str; 39] = [
    "sub",
    "id",
    "uuid",
    "oid",
    "name",
    "display_name",
    "displayName",
    "given_name",
    "givenName",
    "family_name",
    "surname",
    "nickname",
    "username",
    "login",
    "preferred_username",
    "userPrincipalName",
    "email",
    "emailAddress",
    "mail",
    "email_verified",
    "verified",
    "is_confirmed",
    "confirmed_at",
    "xms_edov",
    "primary",
    "is_primary",
    "picture",
    "avatar_url",
    "avatarUrl",
    "links",
    "avatar",
    "href",
    "values",
    "locale",
    "language",
    "preferredLanguage",
    "bio",
    "job_title",
    "jobTitle",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        "https?://[a-z@:/.]{0,12}",
        Just(String::new()),
        Just("true".to_owned()),
        Just("u@example.com".to_owned()),
    ]
}

/// Any JSON, with fields that profiles read.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), object_of(inner).prop_map(Value::from)]
    })
}

fn object_of(values: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned);
    btree_map(name, values, 0..16).prop_map(|fields| fields.into_iter().collect())
}

/// Every way to read a document, with the name under which it is kept.
fn readings(document: &Map<String, Value>, emails: Option<&Value>) -> [(&'static str, Option<UserInfo>); 10] {
    let (document, emails) = (|| document.clone(), || emails.cloned());
    [
        ("user", github(document(), emails())),
        ("user", gitlab_api(document())),
        ("user", gitlab_oidc(document(), ClaimsSource::Userinfo)),
        ("user", bitbucket_cloud(document(), emails())),
        ("user", bitbucket_data_center(document())),
        ("id_token_claims", google(document(), ClaimsSource::IdToken)),
        ("user", box_com(document())),
        ("id_token_claims", microsoft_id_token(document())),
        ("user", microsoft_graph(document())),
        ("user", oidc(document(), ClaimsSource::Userinfo)),
    ]
}

proptest! {
    #[test]
    fn the_rules_hold_for_any_document(document in object_of(json()), emails in proptest::option::of(json())) {
        for (kept_as, user) in readings(&document, emails.as_ref()) {
            let Some(user) = user else { continue };
            prop_assert!(!user.sub.trim().is_empty() && user.sub.len() <= 255);
            prop_assert!(!user.sub.chars().any(char::is_control));
            prop_assert!(user.email_verified.is_none() || user.email.is_some());
            if let Some(picture) = &user.picture {
                let picture = Url::parse(picture).unwrap();
                prop_assert!(picture.scheme() == "https" && picture.has_host());
            }
            let texts = [&user.name, &user.given_name, &user.family_name, &user.nick_name, &user.email, &user.locale];
            prop_assert!(texts.into_iter().flatten().all(|text| !text.trim().is_empty()));
            prop_assert_eq!(user.raw.get(kept_as), Some(&Value::Object(document.clone())));
        }
    }
}
