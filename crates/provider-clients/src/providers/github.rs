//! github.com, GitHub Enterprise Cloud with data residency (ghe.com), and GitHub Enterprise Server; OAuth apps and
//! GitHub Apps (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, CheckAudience, IdentifyUser, ListInstallations, ProviderEndpoints, RefreshModel,
    Registered, Registration, RegistrationError, RevokeTokens, ValidateTokens,
};

use self::app_tokens::AppTokens;
use self::deployment::Deployment;
use self::installations::AppInstallations;
use self::user::GithubUser;
use crate::client::ProviderType;
use crate::device_flow::DeviceFlow;
use crate::dialect::Dialect;
use crate::grants::Grants;
use crate::parts::Parts;
use crate::registration::{scopes_or, scopes_refused};
use crate::token_endpoint::{ErrorClass, ErrorTable, row};

mod app_tokens;
mod audience;
mod deployment;
mod installations;
mod new_token;
mod scopes;
mod user;

/// `offline_access` asks for a token that expires and can be refreshed. Servers that do not know it ignore it.
const DEFAULT_SCOPES: [&str; 3] = ["read:user", "user:email", "offline_access"];

/// What the REST API wants to see (<https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api>).
const HEADERS: &[(&str, &str)] =
    &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

/// GitHub's own words, sent with status 200
/// (<https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>).
const ERRORS: ErrorTable = ErrorTable::new(&[
    // <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>
    row("bad_refresh_token", ErrorClass::DeadGrant),
    row("bad_verification_code", ErrorClass::DeadGrant), // of an authorization code
    row("incorrect_client_credentials", ErrorClass::Client),
    row("redirect_uri_mismatch", ErrorClass::Misconfigured),
    row("unsupported_grant_type", ErrorClass::Misconfigured),
    row("device_flow_disabled", ErrorClass::Misconfigured), // to be switched on in the app's settings
    row("unverified_user_email", ErrorClass::Interaction),
]);

static DIALECT: Dialect = Dialect {
    errors: ERRORS,
    // It knows no other value, and asks for consent again only when the scopes are new.
    consent_prompt: Some("select_account"),
    granted_scopes: scopes::granted,
    // https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
    secret_in_device_flow: false,
    ..Dialect::STANDARD
};

/// "Six months without use" (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>).
const IDLE_LIMIT: Duration = Duration::from_secs(183 * 24 * 3600);

/// The client of GitHub.
pub(crate) struct GithubClient {
    parts: Parts,
    grants: Arc<Grants>,
    user: Arc<GithubUser>,
    app_tokens: Arc<AppTokens>,
    devices: Arc<DeviceFlow>,
    installations: Arc<AppInstallations>,
}

impl GithubClient {
    /// Sets it up over the one HTTP client.
    pub(crate) fn new(parts: Parts) -> Self {
        let http = || Arc::clone(&parts.http);
        let grants = Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: None });
        Self {
            devices: Arc::new(DeviceFlow { grants: Arc::clone(&grants) }),
            app_tokens: Arc::new(AppTokens { http: http(), grants: Arc::clone(&grants) }),
            grants,
            user: Arc::new(GithubUser { http: http() }),
            installations: Arc::new(AppInstallations { http: http() }),
            parts,
        }
    }
}

#[async_trait]
impl ProviderType for GithubClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        let scopes = registered_scopes(registration)?;
        let deployment = Deployment::of(registration.host.as_deref(), &self.parts.origins)?;
        let endpoints = self.parts.pin(deployment.endpoints(registration))?;
        deployment.make_sure(&self.parts.http, &endpoints).await?;
        Ok(Registered { endpoints, scopes })
    }

    fn check_scopes(
        &self,
        _: &ProviderEndpoints,
        app_slug: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError> {
        check_scopes(app_slug, scopes)
    }

    fn identify(&self, _: &Scopes) -> Arc<dyn IdentifyUser> {
        Arc::clone(&self.user) as _
    }

    /// The old refresh token and the old access token stop working at once.
    fn refresh_model(&self, _: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Rotating
    }

    fn idle_limit(&self, _: &ProviderEndpoints) -> Option<Duration> {
        Some(IDLE_LIMIT)
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        endpoints.api.is_some().then(|| Arc::clone(&self.app_tokens) as _)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        endpoints.api.is_some().then(|| Arc::clone(&self.app_tokens) as _)
    }

    fn audience(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        endpoints.api.is_some().then(|| Arc::clone(&self.app_tokens) as _)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        endpoints.device_authorization.is_some().then(|| Arc::clone(&self.devices) as _)
    }

    fn installations(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>> {
        endpoints.api.is_some().then(|| Arc::clone(&self.installations) as _)
    }
}

fn registered_scopes(registration: &Registration) -> Result<Scopes, RegistrationError> {
    let app_slug = registration.app_slug.as_deref();
    let scopes = scopes_or(registration, if app_slug.is_some() { &[] } else { &DEFAULT_SCOPES });
    check_scopes(app_slug, &scopes).map(|()| scopes)
}

/// A token without scopes still tells who the user is. A GitHub App has permissions in the place of scopes.
fn check_scopes(app_slug: Option<&str>, scopes: &Scopes) -> Result<(), RegistrationError> {
    if app_slug.is_none() || scopes.is_empty() {
        return Ok(());
    }
    Err(scopes_refused(
        "are not taken for a GitHub App, whose registration has permissions in their place; leave them out",
    ))
}

#[cfg(test)]
mod tests;
