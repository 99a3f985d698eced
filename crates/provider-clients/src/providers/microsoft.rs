//! Microsoft: Entra ID and personal accounts, of the public and the national clouds
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow>).

mod directory;
mod graph;
mod id_token;
mod scopes;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, IdentifyUser, ProviderEndpoints, RefreshModel, Registered, Registration,
    RegistrationError, ValidateTokens,
};
use serde_json::Value;
use url::Url;

use self::directory::Directory;
use self::graph::{GraphUser, NobodyToAsk};
use self::id_token::MicrosoftIdentity;
use crate::client::ProviderType;
use crate::device_flow::DeviceFlow;
use crate::dialect::Dialect;
use crate::grants::Grants;
use crate::openid::IdTokens;
use crate::parts::Parts;
use crate::registration::{Document, document, no_app, refused, scopes_or};
use crate::token_endpoint::ErrorClass::{Client, DeadGrant, Interaction, Misconfigured, Transient};
use crate::token_endpoint::{ErrorTable, row};

const DEFAULT_SCOPES: [&str; 5] = ["openid", "profile", "email", "User.Read", "offline_access"];

/// Only `error` counts: the numbers in descriptions are for people and may change
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>). The rows are those of the code
/// flow's page.
const ERRORS: ErrorTable = ErrorTable::new(&[
    row("invalid_grant", DeadGrant),
    row("interaction_required", Interaction),
    row("consent_required", Interaction),
    row("login_required", Interaction),
    row("invalid_client", Client),
    // One directory may not have admitted the client: that says nothing about the others, nor about the credentials.
    row("unauthorized_client", Misconfigured),
    row("invalid_request", Misconfigured),
    row("invalid_scope", Misconfigured),
    row("invalid_resource", Misconfigured),
    row("unsupported_grant_type", Misconfigured),
    row("temporarily_unavailable", Transient),
    row("server_error", Transient),
]);

static DIALECT: Dialect = Dialect {
    errors: ERRORS,
    authorization_parameters: &[("response_mode", "query")],
    // `consent` would ask the person even where an administrator has consented for all, and who may not consent could
    // then not get in.
    consent_prompt: Some("select_account"),
    granted_scopes: scopes::granted,
    // A token is for one resource, and the scopes say for which.
    scope_on_token_requests: true,
    // https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code: a client that may use the flow is
    // a public one there, which is refused when it shows a secret.
    secret_in_device_flow: false,
    device_page_hosts: &["microsoft.com", "www.microsoft.com", "login.microsoft.com", "aka.ms"],
    ..Dialect::STANDARD
};

/// 90 days, anew with each refresh (<https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens>).
const IDLE_LIMIT: Duration = Duration::from_secs(90 * 24 * 3600);

/// The client of Microsoft.
pub(crate) struct MicrosoftClient {
    parts: Parts,
    grants: Arc<Grants>,
    user: Arc<GraphUser>,
    devices: Arc<DeviceFlow>,
}

impl MicrosoftClient {
    /// Sets it up.
    pub(crate) fn new(parts: Parts) -> Self {
        let http = || Arc::clone(&parts.http);
        let id_tokens = MicrosoftIdentity { id_tokens: IdTokens::new(http()) };
        let grants =
            Arc::new(Grants { http: http(), dialect: &DIALECT, id_tokens: Some(Arc::new(id_tokens)) });
        Self {
            user: Arc::new(GraphUser { http: http() }),
            devices: Arc::new(DeviceFlow { grants: Arc::clone(&grants) }),
            grants,
            parts,
        }
    }

    /// The issuer that the tenant's metadata name, and with it, whether there is such a tenant. Where the operator names
    /// another issuer, that one's metadata are believed.
    async fn issuer(&self, directory: &Directory) -> Result<String, RegistrationError> {
        if let Some(replaced) = &self.parts.overrides.issuer {
            let url = format!("{}/.well-known/openid-configuration", replaced.trim_end_matches('/'));
            let url = Url::parse(&url).map_err(|_| refused("is replaced by an issuer that is not a URL"))?;
            return issuer(directory, &document(&self.parts.http, &url).await?);
        }
        let url = directory.metadata(&self.parts.origins);
        let issuer = issuer(directory, &document(&self.parts.http, &url).await?)?;
        if directory.may_have_issuer(&issuer) {
            return Ok(issuer);
        }
        Err(refused(format!("has metadata of another tenant than {}", directory.name())))
    }
}

#[async_trait]
impl ProviderType for MicrosoftClient {
    fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        no_app(registration)?;
        let scopes = scopes_or(registration, &DEFAULT_SCOPES);
        scopes::check(&scopes)?;
        let directory = Directory::parse(registration.host.as_deref())?;
        let issuer = self.issuer(&directory).await?;
        let endpoints = self.parts.pin(directory.endpoints(issuer.clone(), &self.parts.origins))?;
        let endpoints = ProviderEndpoints { issuer, ..endpoints };
        Ok(Registered { endpoints, scopes })
    }

    fn check_scopes(
        &self,
        _: &ProviderEndpoints,
        _: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError> {
        scopes::check(scopes)
    }

    /// A token for another resource is nothing to show to Graph, which would refuse it, good as it is.
    fn identify(&self, asked: &Scopes) -> Arc<dyn IdentifyUser> {
        if scopes::open_graph(asked) { Arc::clone(&self.user) as _ } else { Arc::new(NobodyToAsk) }
    }

    /// <https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens>
    fn refresh_model(&self, _endpoints: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::RotatingTolerant
    }

    fn idle_limit(&self, _: &ProviderEndpoints) -> Option<Duration> {
        Some(IDLE_LIMIT)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, asked: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        (endpoints.userinfo.is_some() && scopes::open_graph(asked)).then(|| Arc::clone(&self.user) as _)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        endpoints.device_authorization.is_some().then(|| Arc::clone(&self.devices) as _)
    }
}

/// What metadata say.
fn issuer(directory: &Directory, metadata: &Document) -> Result<String, RegistrationError> {
    let text = |name: &str| metadata.body.as_ref()?.get(name).and_then(Value::as_str);
    match (metadata.status, text("issuer"), text("error")) {
        (200, Some(issuer), _) => Ok(issuer.to_owned()),
        (400, _, Some("invalid_tenant")) => {
            Err(refused(format!("names a tenant that does not exist: {}", directory.name())))
        }
        (status, ..) => Err(refused(format!(
            "could not be checked: the metadata of {} were not there (status {status})",
            directory.name()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_tell_whether_there_is_such_a_tenant() {
        let directory = Directory::parse(Some("kumo.example")).unwrap();
        let read = |status, body: Option<Value>| {
            issuer(&directory, &Document { status, body }).map_err(|error| error.message)
        };
        assert_eq!(read(200, Some(json!({"issuer": "https://i"}))), Ok("https://i".to_owned()));
        let missing = json!({"error": "invalid_tenant", "error_codes": [90002]});
        assert!(read(400, Some(missing)).unwrap_err().contains("does not exist"));
        for (status, body) in
            [(200, None), (200, Some(json!({}))), (404, None), (400, Some(json!({"error": "other"})))]
        {
            let message = read(status, body).unwrap_err();
            assert!(message.contains(&format!("status {status}")), "{message}");
        }
    }

    #[test]
    fn every_code_has_its_class() {
        let rows: Vec<_> = ERRORS.rows().map(|(code, _, class)| (code, class)).collect();
        let expected = [
            ("invalid_grant", DeadGrant),
            ("interaction_required", Interaction),
            ("consent_required", Interaction),
            ("login_required", Interaction),
            ("invalid_client", Client),
            ("unauthorized_client", Misconfigured),
            ("invalid_request", Misconfigured),
            ("invalid_scope", Misconfigured),
            ("invalid_resource", Misconfigured),
            ("unsupported_grant_type", Misconfigured),
            ("temporarily_unavailable", Transient),
            ("server_error", Transient),
        ];
        assert_eq!(rows, expected);
    }
}
