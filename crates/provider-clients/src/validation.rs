//! Telling whether an access token is good, by asking for something that only a good one opens.

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{ProviderConnection, ProviderEndpoints, UpstreamError, ValidateTokens};
use url::Url;

use crate::http::GuardedClient;
use crate::resources::ProtectedResources;

/// Asks for one resource and looks at nothing but whether it is given.
pub(crate) struct ResourceCheck {
    pub(crate) http: Arc<GuardedClient>,
    /// Where that resource is.
    pub(crate) resource: fn(&ProviderEndpoints) -> Option<Url>,
    /// Headers that the API wants to see, by names in lower case.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

#[async_trait]
impl ValidateTokens for ResourceCheck {
    async fn validate_token(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<(), UpstreamError> {
        let url = (self.resource)(&connection.client.endpoints).ok_or(UpstreamError::NotSupported)?;
        let resources = ProtectedResources { http: &self.http, access_token, headers: self.headers };
        resources.answer(&url).await.map(|_| ())
    }
}
