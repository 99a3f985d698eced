//! Bitbucket: in the cloud, and self-managed as Data Center. They share a name and little else.

mod cloud;
mod data_center;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    ExpectedUser, IdentifyUser, Identity, ProviderConnection, ProviderEndpoints, RefreshModel, Registered,
    Registration, RegistrationError, RevocationScope, RevokeTokens, UpstreamError, ValidateTokens,
};
use url::Url;

use crate::client::ProviderType;
use crate::dialect::Dialect;
use crate::grants::Grants;
use crate::http::GuardedClient;
use crate::identity::of_expected_user;
use crate::parts::Parts;
use crate::registration::{BaseUrl, no_app, refused, scopes_or};
use crate::resources::ProtectedResources;
use crate::revocation::{RevocationEndpoint, RevocationManner};
use crate::token_endpoint::ErrorClass::{Client, DeadGrant, Misconfigured, Transient};
use crate::token_endpoint::{ErrorTable, row};
use crate::validation::ResourceCheck;

/// Neither of the two documents its codes in one place. Rows without a source are of RFC 6749, 5.2.
const ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_grant", DeadGrant),
    row("invalid_client", Client),
    // The cloud means wrong credentials by it: https://github.com/p2/OAuth2/issues/96
    row("unauthorized_client", Client),
    row("unsupported_grant_type", Misconfigured),
    row("invalid_scope", Misconfigured),
    row("server_error", Transient),            // RFC 6749, 4.1.2.1
    row("temporarily_unavailable", Transient), // RFC 6749, 4.1.2.1
]);

static DIALECT: Dialect = Dialect { errors: ERRORS, granted_scopes: cloud::granted, ..Dialect::STANDARD };

/// Three months in the cloud (<https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/>), and as many at Data
/// Center unless its administrator has set `atlassian.oauth2.provider.refresh.token.expiration.seconds`.
const IDLE_LIMIT: Duration = Duration::from_secs(90 * 24 * 3600);

/// How long the cloud takes an old refresh token after it was used, for answers that were lost
/// (<https://github.com/git-ecosystem/git-credential-manager/pull/2433>).
const GRACE: Duration = Duration::from_secs(600);

/// The client of Bitbucket.
pub(crate) struct BitbucketClient {
    parts: Parts,
    grants: Arc<Grants>,
    users: Arc<BitbucketUsers>,
    validation: Arc<ResourceCheck>,
    revocation: Arc<RevocationEndpoint>,
}

impl BitbucketClient {
    /// Sets it up.
    pub(crate) fn new(parts: Parts) -> Self {
        let http = || Arc::clone(&parts.http);
        Self {
            grants: Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: None }),
            users: Arc::new(BitbucketUsers { http: http() }),
            validation: Arc::new(ResourceCheck { http: http(), resource: wants_token, headers: &[] }),
            revocation: Arc::new(RevocationEndpoint {
                http: http(),
                errors: ERRORS,
                scope: RevocationScope::Pair,
                manner: RevocationManner::EachToken,
                as_client: true,
            }),
            parts,
        }
    }

    fn register_cloud(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        let scopes = scopes_or(registration, &cloud::DEFAULT_SCOPES);
        cloud::check_scopes(&scopes)?;
        let endpoints = self.parts.pin(cloud::endpoints(&self.parts.origins))?;
        Ok(Registered { endpoints, scopes })
    }

    async fn register_data_center(
        &self,
        registration: &Registration,
        base: &BaseUrl,
    ) -> Result<Registered, RegistrationError> {
        let scopes = scopes_or(registration, &data_center::DEFAULT_SCOPES);
        data_center::check_scopes(&scopes)?;
        let endpoints = self.parts.pin(data_center::endpoints(base))?;
        let api = endpoints.api.as_ref().ok_or_else(|| refused("has no REST API"))?;
        data_center::probe(&self.parts.http, api).await?;
        Ok(Registered { endpoints, scopes })
    }
}

#[async_trait]
impl ProviderType for BitbucketClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        no_app(registration)?;
        let Some(host) = &registration.host else { return self.register_cloud(registration) };
        let base = BaseUrl::parse(host)?;
        if base.is_bare() && base.host_name() == cloud::HOST {
            return self.register_cloud(registration);
        }
        self.register_data_center(registration, &base).await
    }

    fn check_scopes(
        &self,
        endpoints: &ProviderEndpoints,
        _: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError> {
        if is_cloud(endpoints) { cloud::check_scopes(scopes) } else { data_center::check_scopes(scopes) }
    }

    fn identify(&self, _: &Scopes) -> Arc<dyn IdentifyUser> {
        Arc::clone(&self.users) as _
    }

    fn refresh_model(&self, endpoints: &ProviderEndpoints) -> RefreshModel {
        if is_cloud(endpoints) { RefreshModel::RotatingWithGrace(GRACE) } else { RefreshModel::Rotating }
    }

    fn idle_limit(&self, _: &ProviderEndpoints) -> Option<Duration> {
        Some(IDLE_LIMIT)
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        endpoints.revocation.is_some().then(|| Arc::clone(&self.revocation) as _)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        endpoints.api.is_some().then(|| Arc::clone(&self.validation) as _)
    }
}

/// Asks who owns a token.
struct BitbucketUsers {
    http: Arc<GuardedClient>,
}

#[async_trait]
impl IdentifyUser for BitbucketUsers {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let endpoints = &connection.client.endpoints;
        let api = endpoints.api.as_ref().ok_or(UpstreamError::NotSupported)?;
        let resources = ProtectedResources { http: &self.http, access_token, headers: &[] };
        let user = if is_cloud(endpoints) {
            cloud::user(&resources, api).await?
        } else {
            data_center::user(&resources, api).await?
        };
        let identity = Identity { issuer: endpoints.issuer.clone(), subject: user.sub.clone(), user };
        of_expected_user(identity, expected)
    }
}

/// Something that only a good token opens.
fn wants_token(endpoints: &ProviderEndpoints) -> Option<Url> {
    let api = endpoints.api.as_ref()?;
    Some(if is_cloud(endpoints) { below(api, &["user"]) } else { data_center::inbox(api) })
}

fn is_cloud(endpoints: &ProviderEndpoints) -> bool {
    endpoints.issuer == cloud::BASE
}

/// A resource of the REST API.
fn below(api: &Url, segments: &[&str]) -> Url {
    let mut url = api.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_class() {
        let rows: Vec<_> = ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
        let expected = [
            ("invalid_grant", DeadGrant),
            ("invalid_client", Client),
            ("unauthorized_client", Client),
            ("unsupported_grant_type", Misconfigured),
            ("invalid_scope", Misconfigured),
            ("server_error", Transient),
            ("temporarily_unavailable", Transient),
        ];
        assert_eq!(rows, expected);
    }
}
