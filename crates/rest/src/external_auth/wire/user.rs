//! Users of providers on the wire.

use grantkeeper_domain::authorizations::UserInfo;
use grantkeeper_domain::providers::InstallationAccount;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::external_auth::description::values;

/// An account at a provider. What it does not tell is empty.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = LinkedUser)]
pub(super) struct WireUser<'a> {
    #[schema(schema_with = values::foreign_id)]
    id: i64,
    /// The name that the user goes by at the provider.
    login: &'a str,
    /// The full name.
    name: &'a str,
    /// The URL of a picture.
    avatar_url: &'a str,
    /// The URL of the user's page.
    profile_url: &'a str,
}

/// Where providers have the page of a user in their documents: GitHub; GitLab; Bitbucket Cloud; Bitbucket Data Center; and
/// the standard claim (OpenID Connect Core, 5.1).
const PAGES: [&str; 5] = ["/html_url", "/web_url", "/links/html/href", "/links/self/0/href", "/profile"];

impl<'a> WireUser<'a> {
    pub(super) fn of(user: &'a UserInfo) -> Self {
        Self {
            id: user.sub.parse().unwrap_or_default(),
            login: user.nick_name.as_deref().unwrap_or_default(),
            name: user.name.as_deref().unwrap_or_default(),
            avatar_url: user.picture.as_deref().unwrap_or_default(),
            profile_url: page_of(user).unwrap_or_default(),
        }
    }

    pub(super) fn of_account(account: &'a InstallationAccount) -> Self {
        Self {
            id: account.id,
            login: &account.login,
            name: "",
            avatar_url: account.avatar_url.as_ref().map_or("", Url::as_str),
            profile_url: account.profile_url.as_ref().map_or("", Url::as_str),
        }
    }
}

/// The page of a user. Clients make links of it, so it is one that a browser may be sent to.
fn page_of(user: &UserInfo) -> Option<&str> {
    let document = user.main_document();
    let told = PAGES.iter().filter_map(|pointer| document.pointer(pointer)?.as_str());
    told.into_iter().find(|page| Url::parse(page).is_ok_and(|url| matches!(url.scheme(), "https" | "http")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn user(sub: &str, document: &Value) -> UserInfo {
        UserInfo { sub: sub.to_owned(), raw: json!({ "user": document }), ..UserInfo::default() }
    }

    #[test]
    fn an_id_is_the_providers_where_it_fits() {
        for (sub, id) in [
            ("40817263", 40_817_263),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775808", 0),
            ("108342917705561028844", 0),
            ("{6b1f0c52-6d8c-4f4c-9a5d-2f6b7a0c1e11}", 0),
            ("", 0),
        ] {
            assert_eq!(WireUser::of(&user(sub, &Value::Null)).id, id, "{sub}");
        }
    }

    #[test]
    fn every_provider_has_the_page_of_a_user_in_a_place_of_its_own() {
        for (document, page) in [
            (
                json!({ "html_url": "https://github.com/ada", "url": "https://api.github.com/users/ada" }),
                "https://github.com/ada",
            ),
            (json!({ "web_url": "https://gitlab.com/ada", "website_url": "" }), "https://gitlab.com/ada"),
            (
                json!({ "links": {
                    "self": { "href": "https://api.bitbucket.org/2.0/users/%7Bada%7D" },
                    "html": { "href": "https://bitbucket.org/%7Bada%7D/" },
                } }),
                "https://bitbucket.org/%7Bada%7D/",
            ),
            (
                json!({ "links": { "self": [{ "href": "https://bitbucket.example/users/ada" }] } }),
                "https://bitbucket.example/users/ada",
            ),
            (
                json!({ "profile": "https://id.example/ada", "website": "https://ada.example" }),
                "https://id.example/ada",
            ),
            (json!({ "login": "ada@example.test", "avatar_url": "https://box.example/ada" }), ""),
            (
                json!({ "html_url": "javascript:alert(1)", "profile": "https://id.example/ada" }),
                "https://id.example/ada",
            ),
            (json!({ "html_url": "/ada", "web_url": 1, "links": [], "profile": "" }), ""),
            (Value::Null, ""),
        ] {
            assert_eq!(WireUser::of(&user("1", &document)).profile_url, page, "{document}");
        }
    }
}
