//! Access tokens for machines on the wire.

use grantkeeper_domain::providers::ProviderKind;
use grantkeeper_domain::tokens::LentToken;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::Time;
use crate::external_auth::description::values;

/// The access token of a link; or, where there is none, nothing but where a person makes one.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkAccess)]
pub(in super::super) struct WireAccess<'a> {
    /// The provider's access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    /// What the provider has said beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_extra: Option<WireTokenExtra>,
    /// Empty; or, where nothing is linked, the page on which a person links it.
    url: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = values::provider_type)]
    kind: Option<&'static str>,
    /// The user name for git.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    /// The password for git; may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

/// What a provider has said beside an access token, and is no secret.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenExtra)]
struct WireTokenExtra {
    /// The scopes that were granted (RFC 6749, 3.3).
    scope: String,
    /// When the token expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    #[schema(schema_with = values::token_type)]
    token_type: &'static str,
}

impl<'a> WireAccess<'a> {
    pub(in super::super) fn linked(lent: &'a LentToken) -> Self {
        let (token, kind) = (lent.access_token.expose(), lent.authorization.provider.kind);
        let (username, password) = git_credentials(kind, token);
        Self {
            access_token: Some(token),
            token_extra: Some(WireTokenExtra {
                scope: lent.authorization.authorization.granted_scopes.to_wire(),
                expires_at: lent.expires_at.map(Time),
                token_type: "bearer",
            }),
            url: "",
            kind: Some(kind.as_str()),
            username: Some(username),
            password: Some(password),
        }
    }

    pub(in super::super) fn not_linked(page: &'a str) -> Self {
        Self { access_token: None, token_extra: None, url: page, kind: None, username: None, password: None }
    }
}

/// What git sends to a provider of that type in the place of a name and a password
/// (<https://docs.gitlab.com/api/oauth2/#access-git-over-https-with-access-token>,
/// <https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/>).
fn git_credentials(kind: ProviderKind, token: &str) -> (&str, &str) {
    match kind {
        ProviderKind::Gitlab => ("oauth2", token),
        ProviderKind::Bitbucket => ("x-token-auth", token),
        ProviderKind::Github
        | ProviderKind::Google
        | ProviderKind::Box
        | ProviderKind::Microsoft
        | ProviderKind::Oidc
        | ProviderKind::Test => (token, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_gets_the_credentials_that_the_type_wants() {
        for kind in ProviderKind::ALL {
            let expected = match kind.as_str() {
                "gitlab" => ("oauth2", "TOKEN"),
                "bitbucket" => ("x-token-auth", "TOKEN"),
                _ => ("TOKEN", ""),
            };
            assert_eq!(git_credentials(kind, "TOKEN"), expected, "{kind:?}");
        }
    }
}
