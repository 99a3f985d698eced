//! The client of every type of provider: what is the same for all of them, over what sets one apart.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizationRequest, AuthorizeDevices, CheckAudience, CodeExchange, IdentifyUser, ListInstallations,
    ProviderClient, ProviderConnection, ProviderEndpoints, PublicClient, RefreshModel, RefreshTokens,
    Registered, Registration, RegistrationError, RevokeTokens, TokenSet, UpstreamError, ValidateTokens,
};
use url::Url;

use crate::authorization_url::authorization_url;
use crate::grants::Grants;

/// What sets a type of provider apart. The methods are those of [`ProviderClient`]; what most providers cannot do is
/// `None` unless a type says otherwise.
#[async_trait]
pub(crate) trait ProviderType: Send + Sync + 'static {
    /// How it redeems codes and refresh tokens, and with that its dialect.
    fn grants(&self) -> &Arc<Grants>;

    /// See [`ProviderClient::register`].
    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError>;

    /// See [`ProviderClient::check_scopes`].
    fn check_scopes(
        &self,
        endpoints: &ProviderEndpoints,
        app_slug: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError>;

    /// See [`ProviderClient::identify`].
    fn identify(&self, asked: &Scopes) -> Arc<dyn IdentifyUser>;

    /// See [`ProviderClient::refresh_model`].
    fn refresh_model(&self, endpoints: &ProviderEndpoints) -> RefreshModel;

    /// See [`ProviderClient::idle_limit`].
    fn idle_limit(&self, _endpoints: &ProviderEndpoints) -> Option<Duration> {
        None
    }

    /// See [`ProviderClient::revoke`].
    fn revoke(&self, _endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        None
    }

    /// See [`ProviderClient::validate`].
    fn validate(&self, endpoints: &ProviderEndpoints, asked: &Scopes) -> Option<Arc<dyn ValidateTokens>>;

    /// See [`ProviderClient::audience`].
    fn audience(&self, _endpoints: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        None
    }

    /// See [`ProviderClient::device`].
    fn device(&self, _endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        None
    }

    /// See [`ProviderClient::installations`].
    fn installations(&self, _endpoints: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>> {
        None
    }
}

/// A type of provider as the domain's port.
pub(crate) struct Client<T>(pub(crate) T);

#[async_trait]
impl<T: ProviderType> ProviderClient for Client<T> {
    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        self.0.register(registration).await
    }

    fn check_scopes(
        &self,
        endpoints: &ProviderEndpoints,
        app_slug: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError> {
        self.0.check_scopes(endpoints, app_slug, scopes)
    }

    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url {
        authorization_url(self.0.grants().dialect, client, request)
    }

    async fn exchange_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        self.0.grants().redeem_code(connection, exchange).await
    }

    fn identify(&self, asked: &Scopes) -> Arc<dyn IdentifyUser> {
        self.0.identify(asked)
    }

    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>> {
        Some(Arc::clone(self.0.grants()) as _)
    }

    fn refresh_model(&self, endpoints: &ProviderEndpoints) -> RefreshModel {
        self.0.refresh_model(endpoints)
    }

    fn idle_limit(&self, endpoints: &ProviderEndpoints) -> Option<Duration> {
        self.0.idle_limit(endpoints)
    }

    fn revoke(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        self.0.revoke(endpoints)
    }

    fn validate(&self, endpoints: &ProviderEndpoints, asked: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        self.0.validate(endpoints, asked)
    }

    fn audience(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        self.0.audience(endpoints)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        self.0.device(endpoints)
    }

    fn installations(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>> {
        self.0.installations(endpoints)
    }
}
