//! Which client serves which type of provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use grantkeeper_domain::providers::{ProviderClient, ProviderClients, ProviderKind};
use grantkeeper_domain::services::Clock;

use crate::client::Client;
use crate::http::GuardedClient;
use crate::openid::OpenidIssuer;
use crate::origins::Origins;
use crate::parts::Parts;
use crate::providers::{
    BitbucketClient, BoxClient, GithubClient, GitlabClient, GoogleClient, MicrosoftClient, OidcClient,
};
use crate::settings::ClientSettings;

/// Makes the client of a type.
type MakeClient = fn(Parts) -> Arc<dyn ProviderClient>;

/// Every type of provider and its client.
const CLIENTS: &[(ProviderKind, MakeClient)] = &[
    (ProviderKind::Github, |parts| Arc::new(Client(GithubClient::new(parts)))),
    (ProviderKind::Gitlab, |parts| Arc::new(Client(GitlabClient::new(parts)))),
    (ProviderKind::Bitbucket, |parts| Arc::new(Client(BitbucketClient::new(parts)))),
    (ProviderKind::Google, |parts| Arc::new(Client(GoogleClient::new(parts)))),
    (ProviderKind::Box, |parts| Arc::new(Client(BoxClient::new(parts)))),
    (ProviderKind::Microsoft, |parts| Arc::new(Client(MicrosoftClient::new(parts)))),
    (ProviderKind::Oidc, |parts| Arc::new(Client(OidcClient::new(parts, OpenidIssuer::Registered)))),
];

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
        let everyone = settings.simulator.as_ref().filter(|_| settings.simulator_plays_everyone);
        let origins = everyone.map_or_else(Origins::real, Origins::simulated);
        let mut overrides = settings.overrides;
        let mut parts = |kind| Parts {
            http: Arc::clone(&http),
            origins: origins.clone(),
            overrides: overrides.remove(&kind).unwrap_or_default(),
        };
        let mut clients: BTreeMap<_, _> =
            CLIENTS.iter().map(|(kind, make)| (*kind, make(parts(*kind)))).collect();
        if let Some(url) = &settings.simulator {
            let issuer = OpenidIssuer::Fixed(url.as_str().trim_end_matches('/').to_owned());
            let client = OidcClient::new(parts(ProviderKind::Test), issuer);
            clients.insert(ProviderKind::Test, Arc::new(Client(client)));
        }
        Ok(Self { clients })
    }
}

impl ProviderClients for ProviderDirectory {
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        self.clients.get(&kind).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_but_the_simulated_one_has_a_row() {
        let rows: Vec<ProviderKind> = CLIENTS.iter().map(|(kind, _)| *kind).collect();
        let expected = ProviderKind::ALL.into_iter().filter(|kind| *kind != ProviderKind::Test);
        assert_eq!(rows, expected.collect::<Vec<_>>());
    }
}
