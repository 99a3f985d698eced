//! Who the user of an access token is at GitLab.

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::UserInfo;
use grantkeeper_domain::providers::{
    ExpectedUser, IdentifyUser, Identity, ProviderConnection, ProviderEndpoints, UpstreamError,
};
use serde_json::Value;

use super::instance::api_user;
use crate::failure::{unavailable, untrusted};
use crate::http::GuardedClient;
use crate::identity::of_expected_user;
use crate::profile::{self, ClaimsSource};
use crate::resources::ProtectedResources;

/// Asks by OpenID Connect where the token has the scope `openid`, else by the REST API. The subject is the same
/// (<https://docs.gitlab.com/integration/openid_connect_provider/>).
pub(super) struct GitlabUser {
    pub(super) http: Arc<GuardedClient>,
}

#[async_trait]
impl IdentifyUser for GitlabUser {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let endpoints = &connection.client.endpoints;
        let resources = ProtectedResources { http: &self.http, access_token, headers: &[] };
        let user = match by_openid(&resources, endpoints).await? {
            Some(user) => user,
            None => by_api(&resources, endpoints).await?,
        };
        let identity = Identity { issuer: endpoints.issuer.clone(), subject: user.sub.clone(), user };
        of_expected_user(identity, expected)
    }
}

/// `None`: the token does not have the scope, which GitLab says with status 403.
async fn by_openid(
    resources: &ProtectedResources<'_>,
    endpoints: &ProviderEndpoints,
) -> Result<Option<UserInfo>, UpstreamError> {
    let Some(url) = &endpoints.userinfo else { return Ok(None) };
    match resources.document_if_allowed(url).await? {
        None => Ok(None),
        Some(Value::Object(claims)) => {
            let user = profile::gitlab_oidc(claims, ClaimsSource::Userinfo);
            user.map(Some).ok_or_else(|| untrusted("userinfo_subject_missing"))
        }
        Some(_) => Err(unavailable("unreadable_answer")),
    }
}

async fn by_api(
    resources: &ProtectedResources<'_>,
    endpoints: &ProviderEndpoints,
) -> Result<UserInfo, UpstreamError> {
    let url = api_user(endpoints).ok_or(UpstreamError::NotSupported)?;
    match resources.document(&url).await? {
        Value::Object(user) => profile::gitlab_api(user).ok_or_else(|| untrusted("userinfo_subject_missing")),
        _ => Err(unavailable("unreadable_answer")),
    }
}
