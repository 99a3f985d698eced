//! Any OpenID Connect provider, by its issuer; with a fixed issuer also the simulated provider.

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, CheckAudience, IdentifyUser, ProviderEndpoints, RefreshModel, Registered, Registration,
    RegistrationError, RevocationScope, RevokeTokens, ValidateTokens,
};

use crate::client::ProviderType;
use crate::device_flow::DeviceFlow;
use crate::dialect::Dialect;
use crate::grants::Grants;
use crate::introspection::IntrospectionEndpoint;
use crate::openid::{Discovery, IdTokens, OpenidIdentity, OpenidIssuer, UserinfoEndpoint};
use crate::parts::Parts;
use crate::profile;
use crate::registration::{no_app, scopes_or, scopes_refused};
use crate::revocation::{RevocationEndpoint, RevocationManner};
use crate::token_endpoint::OPENID_ERRORS;
use crate::validation::ResourceCheck;

const DEFAULT_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Offline access wants the person asked (OpenID Connect Core, 11).
static DIALECT: Dialect =
    Dialect { errors: OPENID_ERRORS, consent_prompt: Some("consent"), ..Dialect::STANDARD };

/// The client of OpenID Connect providers.
pub(crate) struct OidcClient {
    discovery: Discovery,
    grants: Arc<Grants>,
    userinfo: Arc<UserinfoEndpoint>,
    validation: Arc<ResourceCheck>,
    revocation: Arc<RevocationEndpoint>,
    introspection: Arc<IntrospectionEndpoint>,
    devices: Arc<DeviceFlow>,
}

impl OidcClient {
    /// Sets it up over the one HTTP client.
    pub(crate) fn new(parts: Parts, issuer: OpenidIssuer) -> Self {
        let http = || Arc::clone(&parts.http);
        let id_tokens =
            OpenidIdentity { id_tokens: IdTokens::new(http()), required: true, profile: profile::oidc };
        let grants =
            Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: Some(Arc::new(id_tokens)) });
        Self {
            devices: Arc::new(DeviceFlow { grants: Arc::clone(&grants) }),
            grants,
            userinfo: Arc::new(UserinfoEndpoint { http: http(), profile: profile::oidc }),
            validation: Arc::new(ResourceCheck {
                http: http(),
                resource: |endpoints| endpoints.userinfo.clone(),
                headers: &[],
            }),
            revocation: Arc::new(RevocationEndpoint {
                http: http(),
                errors: DIALECT.errors,
                // A refresh token takes the whole grant with it, which servers should do (RFC 7009, 2.1).
                scope: RevocationScope::Grant,
                manner: RevocationManner::EachToken,
                as_client: true,
            }),
            introspection: Arc::new(IntrospectionEndpoint { http: http(), errors: DIALECT.errors }),
            discovery: Discovery { http: http(), issuer, overrides: parts.overrides },
        }
    }
}

#[async_trait]
impl ProviderType for OidcClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        no_app(registration)?;
        let scopes = scopes_or(registration, &DEFAULT_SCOPES);
        check_scopes(&scopes)?;
        Ok(Registered { endpoints: self.discovery.endpoints(registration).await?, scopes })
    }

    fn check_scopes(
        &self,
        _: &ProviderEndpoints,
        _: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError> {
        check_scopes(scopes)
    }

    fn identify(&self, _: &Scopes) -> Arc<dyn IdentifyUser> {
        Arc::clone(&self.userinfo) as _
    }

    /// The careful reading: what a provider that nobody has described does with a used refresh token is not known, and
    /// the worst is that it dies (RFC 9700, 4.14.2).
    fn refresh_model(&self, _: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Rotating
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        endpoints.revocation.is_some().then(|| Arc::clone(&self.revocation) as _)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        endpoints.userinfo.is_some().then(|| Arc::clone(&self.validation) as _)
    }

    fn audience(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        endpoints.introspection.is_some().then(|| Arc::clone(&self.introspection) as _)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        endpoints.device_authorization.is_some().then(|| Arc::clone(&self.devices) as _)
    }
}

fn check_scopes(scopes: &Scopes) -> Result<(), RegistrationError> {
    if scopes.contains("openid") {
        return Ok(());
    }
    Err(scopes_refused("must contain openid: without it the provider does not tell who the user is"))
}
