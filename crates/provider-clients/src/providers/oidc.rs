//! Any OpenID Connect provider, by its issuer; with a fixed issuer also the simulated provider.

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizationRequest, CodeExchange, IdentifyUser, ProviderClient, ProviderConnection, ProviderEndpoints,
    PublicClient, RefreshTokens, Registration, RegistrationError, RevokeTokens, TokenSet, UpstreamError,
};
use url::Url;

use crate::code_flow::{CodeFlow, authorization_url};
use crate::http::GuardedClient;
use crate::openid::{Discovery, IdTokens, OpenidIssuer, UserinfoEndpoint};
use crate::revocation::RevocationEndpoint;
use crate::settings::EndpointOverrides;
use crate::token_endpoint::OPENID_ERRORS;

/// The client of OpenID Connect providers.
pub(crate) struct OidcClient {
    discovery: Discovery,
    code_flow: Arc<CodeFlow>,
    id_tokens: IdTokens,
    userinfo: Arc<UserinfoEndpoint>,
    revocation: Arc<RevocationEndpoint>,
}

impl OidcClient {
    /// Sets it up over the one HTTP client.
    pub(crate) fn new(http: Arc<GuardedClient>, issuer: OpenidIssuer, overrides: EndpointOverrides) -> Self {
        Self {
            discovery: Discovery { http: Arc::clone(&http), issuer, overrides },
            code_flow: Arc::new(CodeFlow { http: Arc::clone(&http), errors: OPENID_ERRORS }),
            id_tokens: IdTokens::new(Arc::clone(&http)),
            userinfo: Arc::new(UserinfoEndpoint { http: Arc::clone(&http) }),
            // A refresh token takes the whole grant with it, which servers should do (RFC 7009, 2.1).
            revocation: Arc::new(RevocationEndpoint { http, errors: OPENID_ERRORS, scope: "grant" }),
        }
    }
}

#[async_trait]
impl ProviderClient for OidcClient {
    async fn register(&self, registration: &Registration) -> Result<ProviderEndpoints, RegistrationError> {
        self.check_scopes(&registration.scopes)?;
        self.discovery.endpoints(registration).await
    }

    fn default_scopes(&self) -> Scopes {
        Scopes::from_iter(["openid", "profile", "email", "offline_access"])
    }

    fn check_scopes(&self, scopes: &Scopes) -> Result<(), RegistrationError> {
        if scopes.contains("openid") {
            return Ok(());
        }
        let message = "must contain openid: without it the provider does not tell who the user is".to_owned();
        Err(RegistrationError { field: "scopes", message })
    }

    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url {
        authorization_url(client, request)
    }

    async fn exchange_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        let mut answer = self.code_flow.exchange(connection, exchange).await?;
        match self.id_tokens.identity(connection, &answer, exchange.nonce.as_ref()).await {
            Ok(identity) => answer.tokens.identity = Some(identity),
            Err(error) => answer.tokens.distrust = Some(error),
        }
        Ok(answer.tokens)
    }

    fn identify(&self) -> Arc<dyn IdentifyUser> {
        Arc::clone(&self.userinfo) as _
    }

    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>> {
        Some(Arc::clone(&self.code_flow) as _)
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        endpoints.revocation.is_some().then(|| Arc::clone(&self.revocation) as _)
    }
}
