//! Which client serves which type of provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use grantkeeper_domain::providers::{ProviderClient, ProviderClients, ProviderKind};
use grantkeeper_domain::services::Clock;

use crate::http::GuardedClient;
use crate::openid::OpenidIssuer;
use crate::providers::OidcClient;
use crate::settings::ClientSettings;

/// The clients of all types of providers that this installation offers.
pub struct ProviderDirectory {
    clients: BTreeMap<ProviderKind, Arc<dyn ProviderClient>>,
}

/// Why there are no provider clients.
#[derive(Debug, thiserror::Error)]
pub enum ProviderDirectoryError {
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client for providers; are there CA certificates on this machine?")]
    Http(#[source] reqwest::Error),
}

impl ProviderDirectory {
    /// Sets up the HTTP client and, over it, every provider client.
    pub fn new(settings: ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, ProviderDirectoryError> {
        let http = GuardedClient::new(settings.network, settings.limits, &settings.user_agent, clock)
            .map_err(ProviderDirectoryError::Http)?;
        let http = Arc::new(http);
        let mut overrides = settings.overrides;
        let mut oidc_client = |kind, issuer| -> Arc<dyn ProviderClient> {
            let overrides = overrides.remove(&kind).unwrap_or_default();
            Arc::new(OidcClient::new(Arc::clone(&http), issuer, overrides))
        };
        let mut clients = BTreeMap::new();
        clients.insert(ProviderKind::Oidc, oidc_client(ProviderKind::Oidc, OpenidIssuer::Registered));
        if let Some(url) = settings.simulator {
            let issuer = OpenidIssuer::Fixed(url.as_str().trim_end_matches('/').to_owned());
            clients.insert(ProviderKind::Test, oidc_client(ProviderKind::Test, issuer));
        }
        Ok(Self { clients })
    }
}

impl ProviderClients for ProviderDirectory {
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        self.clients.get(&kind).cloned()
    }
}
