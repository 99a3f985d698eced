//! gitlab.com and self-managed GitLab, also below a path
//! (<https://docs.gitlab.com/api/oauth2/>, <https://docs.gitlab.com/integration/openid_connect_provider/>).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, CheckAudience, IdentifyUser, ProviderEndpoints, RefreshModel, Registered, Registration,
    RegistrationError, RevocationScope, RevokeTokens, ValidateTokens,
};

use self::instance::Instance;
use self::token_info::TokenInfo;
use self::user::GitlabUser;
use crate::client::ProviderType;
use crate::device_flow::DeviceFlow;
use crate::dialect::Dialect;
use crate::grants::Grants;
use crate::openid::{IdTokens, OpenidIdentity};
use crate::parts::Parts;
use crate::profile;
use crate::registration::{no_app, scopes_or, scopes_refused};
use crate::revocation::{RevocationEndpoint, RevocationManner};
use crate::token_endpoint::{ErrorClass, ErrorTable, row};
use crate::validation::ResourceCheck;

mod instance;
mod token_info;
mod user;

/// Refresh tokens come without being asked for.
const DEFAULT_SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// With any of these a token tells whose it is (<https://docs.gitlab.com/integration/oauth_provider/>).
const TELL_THE_USER: [&str; 4] = ["openid", "read_user", "read_api", "api"];

/// Doorkeeper's words (<https://github.com/doorkeeper-gem/doorkeeper>), which are those of RFC 6749.
const ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_grant", ErrorClass::DeadGrant), // RFC 6749, 5.2; <https://github.com/dexidp/dex/pull/2352>
    row("invalid_client", ErrorClass::Client),   // RFC 6749, 5.2
    row("unauthorized_client", ErrorClass::Misconfigured), // RFC 6749, 5.2
    row("invalid_scope", ErrorClass::Misconfigured), // RFC 6749, 5.2
    row("unsupported_grant_type", ErrorClass::Misconfigured), // RFC 6749, 5.2
    row("temporarily_unavailable", ErrorClass::Transient), // RFC 6749, 4.1.2.1
    row("server_error", ErrorClass::Transient),  // RFC 6749, 4.1.2.1
]);

/// The revocation endpoint says another thing by one of them.
const REVOCATION_ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_client", ErrorClass::Client), // RFC 7009, 2.2.1
    // Wrong credentials, with status 403, and somebody else's token (`TokensController` of Doorkeeper).
    row("unauthorized_client", ErrorClass::Client),
    row("temporarily_unavailable", ErrorClass::Transient), // RFC 6749, 4.1.2.1
    row("server_error", ErrorClass::Transient),            // RFC 6749, 4.1.2.1
]);

/// It has no parameter that forces consent.
static DIALECT: Dialect = Dialect {
    errors: ERRORS,
    redirect_uri_on_refresh: true,
    // Before GitLab 17.2 there is none.
    device_flow_may_be_missing: true,
    ..Dialect::STANDARD
};

/// The client of GitLab.
pub(crate) struct GitlabClient {
    parts: Parts,
    grants: Arc<Grants>,
    user: Arc<GitlabUser>,
    validation: Arc<ResourceCheck>,
    revocation: Arc<RevocationEndpoint>,
    token_info: Arc<TokenInfo>,
    devices: Arc<DeviceFlow>,
}

impl GitlabClient {
    /// Sets it up over the one HTTP client.
    pub(crate) fn new(parts: Parts) -> Self {
        let http = || Arc::clone(&parts.http);
        let id_tokens = OpenidIdentity {
            id_tokens: IdTokens::new(http()),
            // With other scopes than `openid` there is none, and the API tells who the user is.
            required: false,
            profile: profile::gitlab_oidc,
        };
        let grants =
            Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: Some(Arc::new(id_tokens)) });
        Self {
            devices: Arc::new(DeviceFlow { grants: Arc::clone(&grants) }),
            grants,
            user: Arc::new(GitlabUser { http: http() }),
            token_info: Arc::new(TokenInfo { http: http() }),
            validation: Arc::new(ResourceCheck {
                http: http(),
                resource: |endpoints| Some(instance::token_info(endpoints)),
                headers: &[],
            }),
            revocation: Arc::new(RevocationEndpoint {
                http: http(),
                errors: REVOCATION_ERRORS,
                scope: RevocationScope::Pair,
                manner: RevocationManner::EachToken,
                as_client: true,
            }),
            parts,
        }
    }
}

#[async_trait]
impl ProviderType for GitlabClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        no_app(registration)?;
        let scopes = scopes_or(registration, &DEFAULT_SCOPES);
        check_scopes(&scopes)?;
        let instance = Instance::of(registration.host.as_deref(), &self.parts.origins)?;
        let endpoints = self.parts.pin(instance.endpoints())?;
        instance.make_sure(&self.parts.http).await?;
        Ok(Registered { endpoints, scopes })
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
        Arc::clone(&self.user) as _
    }

    /// Old access token and refresh token are invalid at once.
    fn refresh_model(&self, _: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Rotating
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        endpoints.revocation.is_some().then(|| Arc::clone(&self.revocation) as _)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        endpoints.api.is_some().then(|| Arc::clone(&self.validation) as _)
    }

    fn audience(&self, _: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        Some(Arc::clone(&self.token_info) as _)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        endpoints.device_authorization.is_some().then(|| Arc::clone(&self.devices) as _)
    }
}

fn check_scopes(scopes: &Scopes) -> Result<(), RegistrationError> {
    if TELL_THE_USER.into_iter().any(|scope| scopes.contains(scope)) {
        return Ok(());
    }
    Err(scopes_refused(
        "must contain openid or read_user: without one of them GitLab does not tell who the user is",
    ))
}

#[cfg(test)]
mod tests;
