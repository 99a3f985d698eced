//! Bitbucket Data Center
//! (<https://confluence.atlassian.com/bitbucketserver/bitbucket-oauth-2-0-provider-api-1108483661.html>).

use std::borrow::Cow;

use grantkeeper_domain::authorizations::{Scopes, UserInfo};
use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, RegistrationError, UpstreamError,
};
use serde_json::{Map, Value};
use url::Url;

use super::below;
use crate::failure::untrusted;
use crate::http::GuardedClient;
use crate::profile;
use crate::registration::{BaseUrl, scopes_refused, wants_token};
use crate::resources::ProtectedResources;

/// The lowest; there is none for the profile, which every token opens.
pub(super) const DEFAULT_SCOPES: [&str; 1] = ["PUBLIC_REPOS"];

/// Something small that wants a token: the number of pull requests that wait for the person.
const INBOX: [&str; 3] = ["inbox", "pull-requests", "count"];

pub(super) fn endpoints(base: &BaseUrl) -> ProviderEndpoints {
    let oauth = |path: &str| base.at(&format!("/rest/oauth2/latest/{path}"));
    ProviderEndpoints {
        issuer: base.as_str().to_owned(),
        api: Some(base.at("/rest/api/latest")),
        authorization: oauth("authorize"),
        token: oauth("token"),
        userinfo: None,
        revocation: Some(oauth("revoke")),
        introspection: None,
        jwks: None,
        device_authorization: None,
        announces_iss: false,
        client_authentication: ClientAuthentication::ClientSecretPost,
        pkce: PkceSupport::S256,
        settings_url: Some(base.at("/account")),
    }
}

/// Makes sure that a Data Center is there.
pub(super) async fn probe(http: &GuardedClient, api: &Url) -> Result<(), RegistrationError> {
    wants_token(http, &inbox(api), "Bitbucket Data Center").await
}

/// What tells whether a token is good.
pub(super) fn inbox(api: &Url) -> Url {
    below(api, &INBOX)
}

/// Without scopes a token sees what is public, and whose it is
/// (<https://confluence.atlassian.com/bitbucketserver0721/oauth-2-0-scopes-for-incoming-links-1115666709.html>).
pub(super) fn check_scopes(scopes: &Scopes) -> Result<(), RegistrationError> {
    let is_of_data_center = |scope: &str| scope.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if scopes.iter().all(is_of_data_center) {
        return Ok(());
    }
    Err(scopes_refused("must be scopes of Bitbucket Data Center, such as PUBLIC_REPOS or REPO_READ"))
}

/// Who owns a token. No resource tells, but every answer has the user name in a header
/// (<https://community.developer.atlassian.com/t/obtain-authorised-users-username-from-api/24422/2>).
pub(super) async fn user(resources: &ProtectedResources<'_>, api: &Url) -> Result<UserInfo, UpstreamError> {
    let answer = resources.answer(&inbox(api)).await?;
    let name =
        answer.header("x-ausername").and_then(user_name).ok_or_else(|| untrusted("user_name_missing"))?;
    let user = match by_slug(resources, api, &name).await? {
        Some(user) => Some(user),
        None => by_search(resources, api, &name).await?,
    };
    user.and_then(profile::bitbucket_data_center).ok_or_else(|| untrusted("userinfo_subject_missing"))
}

/// Mostly the name of a user is their slug as well.
async fn by_slug(
    resources: &ProtectedResources<'_>,
    api: &Url,
    name: &str,
) -> Result<Option<Map<String, Value>>, UpstreamError> {
    let mut url = below(api, &["users", name]);
    url.set_query(Some("avatarSize=48"));
    let found = resources.document_if_allowed(&url).await?;
    Ok(found.and_then(|user| called(name, user)))
}

/// Where it is not, the user is among those whose names look like it.
async fn by_search(
    resources: &ProtectedResources<'_>,
    api: &Url,
    name: &str,
) -> Result<Option<Map<String, Value>>, UpstreamError> {
    let mut url = below(api, &["users"]);
    url.query_pairs_mut()
        .append_pair("filter", name)
        .append_pair("limit", "100")
        .append_pair("avatarSize", "48");
    let found = resources.document_if_allowed(&url).await?;
    Ok(found.and_then(|mut page| match page.get_mut("values")?.take() {
        Value::Array(users) => users.into_iter().find_map(|user| called(name, user)),
        _ => None,
    }))
}

/// The user, if that is their name: a slug may be somebody else's name. Names differ in more than case.
fn called(name: &str, user: Value) -> Option<Map<String, Value>> {
    let Value::Object(user) = user else { return None };
    let is_called_so = user.get("name")?.as_str()?.eq_ignore_ascii_case(name);
    is_called_so.then_some(user)
}

/// The header is encoded as a part of a form is. An empty one is nobody's.
fn user_name(header: &str) -> Option<Cow<'_, str>> {
    let (name, _) = form_urlencoded::parse(header.as_bytes()).next()?;
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn endpoints_are_below_the_base() {
        let endpoints = endpoints(&BaseUrl::parse("https://git.example/bitbucket").unwrap());
        assert_eq!(endpoints.issuer, "https://git.example/bitbucket");
        assert_eq!(
            endpoints.authorization.as_str(),
            "https://git.example/bitbucket/rest/oauth2/latest/authorize"
        );
        assert_eq!(endpoints.token.as_str(), "https://git.example/bitbucket/rest/oauth2/latest/token");
        assert_eq!(
            endpoints.revocation.unwrap().as_str(),
            "https://git.example/bitbucket/rest/oauth2/latest/revoke"
        );
        let api = endpoints.api.unwrap();
        assert_eq!(api.as_str(), "https://git.example/bitbucket/rest/api/latest");
        assert_eq!(
            inbox(&api).as_str(),
            "https://git.example/bitbucket/rest/api/latest/inbox/pull-requests/count"
        );
    }

    #[test]
    fn scopes_of_the_cloud_are_not_data_centers() {
        for (scopes, good) in
            [("", true), ("PUBLIC_REPOS REPO_READ", true), ("account", false), ("REPO_READ email", false)]
        {
            let checked = check_scopes(&Scopes::parse(scopes));
            assert_eq!(checked.map_err(|error| error.field), if good { Ok(()) } else { Err("scopes") });
        }
    }

    #[test]
    fn user_names_are_decoded() {
        for (header, expected) in [
            ("t.lindqvist", Some("t.lindqvist")),
            ("t%40corp.example", Some("t@corp.example")),
            ("tove+lindqvist", Some("tove lindqvist")),
            ("t%2Bl", Some("t+l")),
            ("%C3%A5sa", Some("åsa")),
            ("", None),
        ] {
            assert_eq!(user_name(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn a_slug_may_be_somebody_elses_name() {
        let user = || json!({"name": "Foo@bar", "slug": "foo_bar", "id": 1});
        assert!(called("foo@bar", user()).is_some());
        assert!(called("foo_bar", user()).is_none());
        assert!(called("foo_bar", json!({"values": []})).is_none());
        assert!(called("foo_bar", json!([])).is_none());
    }

    #[test]
    fn a_user_name_stays_one_segment() {
        let api = Url::parse("https://git.example/rest/api/latest").unwrap();
        for (name, path) in [
            ("t.lindqvist", "/rest/api/latest/users/t.lindqvist"),
            ("a/../b", "/rest/api/latest/users/a%2F..%2Fb"),
            ("a?b#c", "/rest/api/latest/users/a%3Fb%23c"),
            ("..", "/rest/api/latest/users"),
        ] {
            assert_eq!(below(&api, &["users", name]).path(), path);
        }
    }
}
