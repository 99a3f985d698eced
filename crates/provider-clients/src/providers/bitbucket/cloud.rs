//! Bitbucket Cloud (<https://developer.atlassian.com/cloud/bitbucket/oauth-2/>).

use grantkeeper_domain::authorizations::{Scopes, UserInfo};
use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, RegistrationError, TokenSet, UpstreamError,
};
use serde_json::Value;
use url::Url;

use crate::failure::untrusted;
use crate::http::Answer;
use crate::origins::Origins;
use crate::profile;
use crate::registration::scopes_refused;
use crate::resources::{ProtectedResources, dispensable};

/// The host of people; there is no issuer.
pub(super) const HOST: &str = "bitbucket.org";

/// Stands for the issuer.
pub(super) const BASE: &str = "https://bitbucket.org";

pub(super) const DEFAULT_SCOPES: [&str; 2] = ["account", "email"];

/// What a scope brings along (<https://developer.atlassian.com/cloud/bitbucket/bitbucket-cloud-rest-api-scopes/>); what
/// these bring along in turn comes further down.
const IMPLIED: [(&str, &str); 8] = [
    ("account:write", "account"),
    ("issue:write", "issue"),
    ("pullrequest:write", "pullrequest"),
    ("pullrequest:write", "repository:write"),
    ("pullrequest", "repository"),
    ("project", "repository"),
    ("repository:write", "repository"),
    ("snippet:write", "snippet"),
];

pub(super) fn endpoints(origins: &Origins) -> ProviderEndpoints {
    let web = origins.base(HOST);
    ProviderEndpoints {
        issuer: BASE.to_owned(),
        api: Some(origins.base("api.bitbucket.org").at("/2.0")),
        authorization: web.at("/site/oauth2/authorize"),
        token: web.at("/site/oauth2/access_token"),
        userinfo: None,
        // None is documented.
        revocation: None,
        introspection: None,
        jwks: None,
        device_authorization: None,
        announces_iss: false,
        client_authentication: ClientAuthentication::ClientSecretBasic,
        // None is documented.
        pkce: PkceSupport::Unsupported,
        settings_url: Some(settings_page()),
    }
}

/// Where people withdraw what they have granted; nothing is called there.
fn settings_page() -> Url {
    Url::parse("https://bitbucket.org/account/settings/app-authorizations/").expect("a constant URL")
}

/// Without scopes the person is asked for those that are ticked on the consumer.
pub(super) fn check_scopes(scopes: &Scopes) -> Result<(), RegistrationError> {
    if scopes.is_empty() || with_implied(scopes).contains("account") {
        return Ok(());
    }
    Err(scopes_refused("must contain account: without it Bitbucket does not tell who the user is"))
}

/// What was granted, with what that brings along. It may be more than was asked for: the scopes are ticked on the consumer.
pub(super) fn granted(_asked: &Scopes, tokens: &TokenSet) -> Option<Scopes> {
    tokens.scopes.as_ref().map(with_implied)
}

fn with_implied(scopes: &Scopes) -> Scopes {
    IMPLIED.iter().fold(scopes.clone(), |scopes, (scope, implied)| {
        let implied = scopes.contains(scope).then_some(*implied);
        scopes.iter().chain(implied).collect()
    })
}

/// Who owns a token. The address is left out where the token may not see it, or where it cannot be read just now.
pub(super) async fn user(resources: &ProtectedResources<'_>, api: &Url) -> Result<UserInfo, UpstreamError> {
    let Value::Object(user) = resources.document(&super::below(api, &["user"])).await? else {
        return Err(untrusted("userinfo_subject_missing"));
    };
    let url = super::below(api, &["user", "emails"]);
    let emails = dispensable(&url, emails(resources, &url).await)?;
    profile::bitbucket_cloud(user, emails).ok_or_else(|| untrusted("userinfo_subject_missing"))
}

/// The page of addresses that has the primary one; the last page if there is none.
async fn emails(resources: &ProtectedResources<'_>, url: &Url) -> Result<Option<Value>, UpstreamError> {
    let pages = resources.pages_if_allowed(url, |_: &Answer, page| next_page(page)).await?;
    Ok(pages.and_then(|mut pages| pages.pop()))
}

/// The next page, unless what is looked for is on this one.
fn next_page(page: &Value) -> Option<String> {
    let mut entries = page.get("values")?.as_array()?.iter();
    if entries.any(|entry| entry.get("is_primary") == Some(&Value::Bool(true))) {
        return None;
    }
    page.get("next")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn endpoints_are_bitbuckets() {
        let endpoints = endpoints(&Origins::real());
        assert_eq!(endpoints.authorization.as_str(), "https://bitbucket.org/site/oauth2/authorize");
        assert_eq!(endpoints.token.as_str(), "https://bitbucket.org/site/oauth2/access_token");
        assert_eq!(endpoints.api.unwrap().as_str(), "https://api.bitbucket.org/2.0");
    }

    #[test]
    fn the_person_has_to_be_told() {
        for (scopes, good) in [
            ("", true),
            ("account", true),
            ("account:write repository", true),
            ("repository", false),
            ("email", false),
        ] {
            let checked = check_scopes(&Scopes::parse(scopes));
            assert_eq!(checked.map_err(|error| error.field), if good { Ok(()) } else { Err("scopes") });
        }
    }

    #[test]
    fn a_scope_brings_others_along() {
        for (scopes, expected) in [
            ("repository:write", "repository repository:write"),
            ("pullrequest:write", "pullrequest pullrequest:write repository repository:write"),
            ("project account:write", "account account:write project repository"),
            ("repository:admin email", "email repository:admin"),
        ] {
            assert_eq!(with_implied(&Scopes::parse(scopes)), Scopes::parse(expected), "{scopes}");
        }
    }

    #[test]
    fn pages_end_at_the_primary_address() {
        let entry = |primary: bool| json!({"email": "a@b.example", "is_primary": primary});
        let next = "https://api.bitbucket.org/2.0/user/emails?page=2";
        for (page, expected) in [
            (json!({"values": [entry(false)], "next": next}), Some(next)),
            (json!({"values": [], "next": next}), Some(next)),
            (json!({"values": [entry(false), entry(true)], "next": next}), None),
            (json!({"values": [entry(false)]}), None),
            (json!({"next": next}), None),
            (json!([]), None),
        ] {
            assert_eq!(next_page(&page).as_deref(), expected, "{page}");
        }
    }
}
