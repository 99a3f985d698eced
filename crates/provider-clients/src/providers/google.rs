//! Google (<https://developers.google.com/identity/protocols/oauth2/web-server>).

mod scopes;
mod token_info;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, CheckAudience, ClientAuthentication, IdentifyUser, PkceSupport, ProviderEndpoints,
    RefreshModel, Registered, Registration, RegistrationError, RevocationScope, RevokeTokens, ValidateTokens,
};
use url::Url;

use self::token_info::TokenInfo;
use crate::client::ProviderType;
use crate::device_flow::DeviceFlow;
use crate::dialect::Dialect;
use crate::grants::Grants;
use crate::openid::{IdTokens, OpenidIdentity, UserinfoEndpoint};
use crate::origins::Origins;
use crate::parts::Parts;
use crate::profile;
use crate::registration::{no_app, no_host, scopes_or, scopes_refused};
use crate::revocation::{RevocationEndpoint, RevocationManner};
use crate::token_endpoint::ErrorClass::{
    Client, DeadGrant, Interaction, Misconfigured, RateLimit, Transient,
};
use crate::token_endpoint::{ErrorTable, row, subtype_row};
use crate::validation::ResourceCheck;

/// What Google calls itself (<https://accounts.google.com/.well-known/openid-configuration>).
const ISSUER: &str = "https://accounts.google.com";

const DEFAULT_SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// Rows without an address are of the web server guide.
const ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_grant", DeadGrant),
    // The organization wants its people to sign in again: https://developers.google.com/identity/protocols/oauth2#expiration
    subtype_row("invalid_grant", "invalid_rapt", Interaction),
    row("invalid_client", Client),
    row("deleted_client", Client),
    row("unauthorized_client", Client),
    row("redirect_uri_mismatch", Misconfigured),
    row("org_internal", Misconfigured),
    row("admin_policy_enforced", Misconfigured),
    row("invalid_scope", Misconfigured),          // RFC 6749, 5.2
    row("unsupported_grant_type", Misconfigured), // …/identity/protocols/oauth2/limited-input-device
    row("rate_limit_exceeded", RateLimit),        // …/identity/protocols/oauth2/limited-input-device
    row("server_error", Transient),               // RFC 6749, 4.1.2.1
    row("temporarily_unavailable", Transient),    // RFC 6749, 4.1.2.1
]);

static DIALECT: Dialect = Dialect {
    errors: ERRORS,
    // It is this, and no scope, that brings a refresh token, and with `prompt=consent` not only the first time.
    offline_parameter: Some(("access_type", "offline")),
    consent_prompt: Some("consent"),
    sent_scopes: scopes::without_offline_access,
    granted_scopes: scopes::granted,
    // https://developers.google.com/identity/protocols/oauth2/limited-input-device
    device_page_hosts: &["www.google.com", "google.com"],
    ..Dialect::STANDARD
};

/// "Not been used for six months" (<https://developers.google.com/identity/protocols/oauth2#expiration>).
const IDLE_LIMIT: Duration = Duration::from_secs(182 * 24 * 3600);

/// The client of Google.
pub(crate) struct GoogleClient {
    parts: Parts,
    grants: Arc<Grants>,
    userinfo: Arc<UserinfoEndpoint>,
    validation: Arc<ResourceCheck>,
    revocation: Arc<RevocationEndpoint>,
    token_info: Arc<TokenInfo>,
    devices: Arc<DeviceFlow>,
}

impl GoogleClient {
    /// Sets it up.
    pub(crate) fn new(parts: Parts) -> Self {
        let http = || Arc::clone(&parts.http);
        let id_tokens = OpenidIdentity {
            id_tokens: IdTokens::new(http()).with_bare_issuer(),
            required: true,
            profile: profile::google,
        };
        let grants =
            Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: Some(Arc::new(id_tokens)) });
        Self {
            userinfo: Arc::new(UserinfoEndpoint { http: http(), profile: profile::google }),
            validation: Arc::new(ResourceCheck {
                http: http(),
                resource: |endpoints| endpoints.userinfo.clone(),
                headers: &[],
            }),
            revocation: Arc::new(RevocationEndpoint {
                http: http(),
                errors: ERRORS,
                scope: RevocationScope::Project,
                manner: RevocationManner::OneToken,
                as_client: false,
            }),
            token_info: Arc::new(TokenInfo { http: http() }),
            devices: Arc::new(DeviceFlow { grants: Arc::clone(&grants) }),
            grants,
            parts,
        }
    }
}

#[async_trait]
impl ProviderType for GoogleClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        no_app(registration)?;
        no_host(registration)?;
        let scopes = scopes_or(registration, &DEFAULT_SCOPES);
        check_scopes(&scopes)?;
        let endpoints = self.parts.pin(endpoints(&self.parts.origins))?;
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
        Arc::clone(&self.userinfo) as _
    }

    fn refresh_model(&self, _endpoints: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Reusable
    }

    fn idle_limit(&self, _: &ProviderEndpoints) -> Option<Duration> {
        Some(IDLE_LIMIT)
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        endpoints.revocation.is_some().then(|| Arc::clone(&self.revocation) as _)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        endpoints.userinfo.is_some().then(|| Arc::clone(&self.validation) as _)
    }

    fn audience(&self, _: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        Some(Arc::clone(&self.token_info) as _)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        endpoints.device_authorization.is_some().then(|| Arc::clone(&self.devices) as _)
    }
}

fn check_scopes(scopes: &Scopes) -> Result<(), RegistrationError> {
    if scopes.contains("openid") {
        return Ok(());
    }
    Err(scopes_refused("must contain openid: without it Google does not tell who the user is"))
}

/// As Google's metadata have them; revocation and the device flow are of the guides.
fn endpoints(origins: &Origins) -> ProviderEndpoints {
    let [accounts, oauth] = ["accounts.google.com", "oauth2.googleapis.com"].map(|host| origins.base(host));
    ProviderEndpoints {
        issuer: ISSUER.to_owned(),
        api: None,
        authorization: accounts.at("/o/oauth2/v2/auth"),
        token: oauth.at("/token"),
        userinfo: Some(origins.base("openidconnect.googleapis.com").at("/v1/userinfo")),
        revocation: Some(oauth.at("/revoke")),
        introspection: None,
        jwks: Some(origins.base("www.googleapis.com").at("/oauth2/v3/certs")),
        device_authorization: Some(oauth.at("/device/code")),
        // It sends `iss` without announcing it, so its absence proves nothing.
        announces_iss: false,
        client_authentication: ClientAuthentication::ClientSecretPost,
        pkce: PkceSupport::S256,
        settings_url: Some(settings_page()),
    }
}

/// Where people withdraw what they have granted; nothing is called there.
fn settings_page() -> Url {
    Url::parse("https://myaccount.google.com/connections").expect("a constant URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_googles() {
        let endpoints = endpoints(&Origins::real());
        assert_eq!(endpoints.authorization.as_str(), "https://accounts.google.com/o/oauth2/v2/auth");
        assert_eq!(endpoints.token.as_str(), "https://oauth2.googleapis.com/token");
        let optional =
            [endpoints.userinfo, endpoints.revocation, endpoints.jwks, endpoints.device_authorization];
        assert_eq!(
            optional.map(|url| url.unwrap().to_string()),
            [
                "https://openidconnect.googleapis.com/v1/userinfo",
                "https://oauth2.googleapis.com/revoke",
                "https://www.googleapis.com/oauth2/v3/certs",
                "https://oauth2.googleapis.com/device/code",
            ]
        );
    }

    #[test]
    fn every_code_has_its_class() {
        let rows: Vec<_> = ERRORS.rows().collect();
        let expected = [
            ("invalid_grant", None, DeadGrant),
            ("invalid_grant", Some("invalid_rapt"), Interaction),
            ("invalid_client", None, Client),
            ("deleted_client", None, Client),
            ("unauthorized_client", None, Client),
            ("redirect_uri_mismatch", None, Misconfigured),
            ("org_internal", None, Misconfigured),
            ("admin_policy_enforced", None, Misconfigured),
            ("invalid_scope", None, Misconfigured),
            ("unsupported_grant_type", None, Misconfigured),
            ("rate_limit_exceeded", None, RateLimit),
            ("server_error", None, Transient),
            ("temporarily_unavailable", None, Transient),
        ];
        assert_eq!(rows, expected);
    }
}
