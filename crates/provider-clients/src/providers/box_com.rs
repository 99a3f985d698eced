//! Box (<https://developer.box.com/guides/authentication/oauth2/without-sdk/>).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    ClientAuthentication, ExpectedUser, IdentifyUser, Identity, PkceSupport, ProviderConnection,
    ProviderEndpoints, RefreshModel, Registered, Registration, RegistrationError, RevocationScope,
    RevokeTokens, UpstreamError, ValidateTokens,
};
use serde_json::Value;
use url::Url;

use crate::client::ProviderType;
use crate::dialect::Dialect;
use crate::failure::untrusted;
use crate::grants::Grants;
use crate::http::GuardedClient;
use crate::identity::of_expected_user;
use crate::origins::Origins;
use crate::parts::Parts;
use crate::profile;
use crate::registration::{no_app, no_host, scopes_or};
use crate::resources::ProtectedResources;
use crate::revocation::{RevocationEndpoint, RevocationManner};
use crate::token_endpoint::ErrorClass::{Client, DeadGrant, Misconfigured, Transient};
use crate::token_endpoint::{ErrorTable, row};
use crate::validation::ResourceCheck;

/// Box has no issuer; people are sent here.
const BASE: &str = "https://account.box.com";

/// Rows without a source of their own are of
/// <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>.
const ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_grant", DeadGrant),
    row("invalid_client", Client),
    row("unauthorized_client", Client),
    row("invalid_request", Misconfigured),
    row("unsupported_grant_type", Misconfigured), // RFC 6749, 5.2
    row("invalid_scope", Misconfigured),          // RFC 6749, 5.2
    row("server_error", Transient),               // RFC 6749, 4.1.2.1
    row("temporarily_unavailable", Transient),    // RFC 6749, 4.1.2.1
]);

static DIALECT: Dialect = Dialect { errors: ERRORS, ..Dialect::STANDARD };

/// "60 days or one use" (<https://developer.box.com/guides/authentication/tokens/refresh/>).
const IDLE_LIMIT: Duration = Duration::from_secs(60 * 24 * 3600);

/// The client of Box.
pub(crate) struct BoxClient {
    parts: Parts,
    grants: Arc<Grants>,
    users: Arc<BoxUsers>,
    validation: Arc<ResourceCheck>,
    revocation: Arc<RevocationEndpoint>,
}

impl BoxClient {
    /// Sets it up.
    pub(crate) fn new(parts: Parts) -> Self {
        let http = || Arc::clone(&parts.http);
        Self {
            grants: Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: None }),
            users: Arc::new(BoxUsers { http: http() }),
            validation: Arc::new(ResourceCheck {
                http: http(),
                resource: |endpoints| endpoints.userinfo.clone(),
                headers: &[],
            }),
            // Either token takes the other along (https://developer.box.com/reference/post-oauth2-revoke/), but a refresh
            // token that was used up in an answer that got lost takes nothing.
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
}

#[async_trait]
impl ProviderType for BoxClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        no_app(registration)?;
        no_host(registration)?;
        // Without scopes Box grants all that are ticked on the app.
        let scopes = scopes_or(registration, &[]);
        let endpoints = self.parts.pin(endpoints(&self.parts.origins))?;
        Ok(Registered { endpoints, scopes })
    }

    /// Any will do: every token tells whose it is.
    fn check_scopes(
        &self,
        _: &ProviderEndpoints,
        _: Option<&str>,
        _: &Scopes,
    ) -> Result<(), RegistrationError> {
        Ok(())
    }

    fn identify(&self, _: &Scopes) -> Arc<dyn IdentifyUser> {
        Arc::clone(&self.users) as _
    }

    /// "60 days or one use" (<https://developer.box.com/guides/authentication/tokens/refresh/>).
    fn refresh_model(&self, _endpoints: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Rotating
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
}

/// Asks who owns a token (<https://developer.box.com/reference/get-users-me/>).
struct BoxUsers {
    http: Arc<GuardedClient>,
}

#[async_trait]
impl IdentifyUser for BoxUsers {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let endpoints = &connection.client.endpoints;
        let url = endpoints.userinfo.as_ref().ok_or(UpstreamError::NotSupported)?;
        let resources = ProtectedResources { http: &self.http, access_token, headers: &[] };
        let Value::Object(user) = resources.document(url).await? else {
            return Err(untrusted("userinfo_subject_missing"));
        };
        let user = profile::box_com(user).ok_or_else(|| untrusted("userinfo_subject_missing"))?;
        let identity = Identity { issuer: endpoints.issuer.clone(), subject: user.sub.clone(), user };
        of_expected_user(identity, expected)
    }
}

fn endpoints(origins: &Origins) -> ProviderEndpoints {
    let api = origins.base("api.box.com");
    ProviderEndpoints {
        issuer: BASE.to_owned(),
        api: None,
        authorization: origins.base("account.box.com").at("/api/oauth2/authorize"),
        token: api.at("/oauth2/token"),
        userinfo: Some(api.at("/2.0/users/me")),
        revocation: Some(api.at("/oauth2/revoke")),
        introspection: None,
        jwks: None,
        device_authorization: None,
        announces_iss: false,
        client_authentication: ClientAuthentication::ClientSecretPost,
        // No parameter for it is documented.
        pkce: PkceSupport::Unsupported,
        settings_url: Some(settings_page()),
    }
}

/// Where people withdraw what they have granted; nothing is called there.
fn settings_page() -> Url {
    Url::parse("https://app.box.com/account/security").expect("a constant URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_boxes() {
        let endpoints = endpoints(&Origins::real());
        assert_eq!(endpoints.authorization.as_str(), "https://account.box.com/api/oauth2/authorize");
        assert_eq!(endpoints.token.as_str(), "https://api.box.com/oauth2/token");
        assert_eq!(endpoints.userinfo.unwrap().as_str(), "https://api.box.com/2.0/users/me");
        assert_eq!(endpoints.revocation.unwrap().as_str(), "https://api.box.com/oauth2/revoke");
    }

    #[test]
    fn every_code_has_its_class() {
        let rows: Vec<_> = ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
        let expected = [
            ("invalid_grant", DeadGrant),
            ("invalid_client", Client),
            ("unauthorized_client", Client),
            ("invalid_request", Misconfigured),
            ("unsupported_grant_type", Misconfigured),
            ("invalid_scope", Misconfigured),
            ("server_error", Transient),
            ("temporarily_unavailable", Transient),
        ];
        assert_eq!(rows, expected);
    }
}
