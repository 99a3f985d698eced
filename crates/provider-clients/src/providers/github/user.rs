//! Who the user of an access token is at GitHub (<https://docs.github.com/en/rest/users>).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::UserInfo;
use grantkeeper_domain::providers::{
    ExpectedUser, IdentifyUser, Identity, ProviderConnection, UpstreamError,
};
use serde_json::Value;

use super::HEADERS;
use super::deployment::{at_api, is_cloud};
use super::new_token::{asked_again, refuses_token};
use crate::failure::{unavailable, untrusted};
use crate::http::GuardedClient;
use crate::identity::of_expected_user;
use crate::profile;
use crate::resources::{ProtectedResources, dispensable};

/// Reads the user, and the addresses where the token may see them and GitHub tells them.
pub(super) struct GithubUser {
    pub(super) http: Arc<GuardedClient>,
}

#[async_trait]
impl IdentifyUser for GithubUser {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let endpoints = &connection.client.endpoints;
        let at = |path| at_api(endpoints, path).ok_or(UpstreamError::NotSupported);
        let resources = ProtectedResources { http: &self.http, access_token, headers: HEADERS };
        let (user, emails) = (at("/user")?, at("/user/emails")?);
        let user = asked_again(&self.http, refuses_token, || resources.document(&user)).await?;
        let Value::Object(user) = user else { return Err(unavailable("unreadable_answer")) };
        // Without the scope `user:email`, or the app's permission, it is refused: then there is no address.
        let found = asked_again(&self.http, refuses_token, || resources.document_if_allowed(&emails)).await;
        let emails = dispensable(&emails, found)?;
        let user = profile::github(user, emails).ok_or_else(|| untrusted("userinfo_subject_missing"))?;
        let user = if is_cloud(endpoints) { user } else { without_denials(user) };
        let identity = Identity { issuer: endpoints.issuer.clone(), subject: user.sub.clone(), user };
        of_expected_user(identity, expected)
    }
}

/// A server that does not verify addresses says `false` of every one, so there `false` tells nothing
/// (<https://github.com/dexidp/dex/blob/master/connector/github/github.go>).
fn without_denials(user: UserInfo) -> UserInfo {
    UserInfo { email_verified: user.email_verified.filter(|verified| *verified), ..user }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_can_only_confirm() {
        for (told, expected) in [(Some(true), Some(true)), (Some(false), None), (None, None)] {
            let user = UserInfo { email_verified: told, ..UserInfo::default() };
            assert_eq!(without_denials(user).email_verified, expected, "{told:?}");
        }
    }
}
