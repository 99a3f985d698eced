//! A simulated provider, the clients, and one clock for both.

use std::sync::Arc;

use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    CodeExchange, ProviderClient, ProviderClients, ProviderConnection, ProviderEndpoints, ProviderKind,
    PublicClient, Registration, TokenSet, UpstreamError,
};
use grantkeeper_domain::services::Clock;
use grantkeeper_provider_clients::{ClientSettings, EndpointOverrides, NetworkPolicy, ProviderDirectory};
use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};
use grantkeeper_testkit::FixedClock;
use url::Url;

use crate::person::{self, Consent};

pub(crate) const CLIENT_ID: &str = "client:1 %";
/// Every character that an encoding may get wrong.
pub(crate) const CLIENT_SECRET: &str = "s3cr+t/=&% :x wörd";

/// Settings under which this machine may be called.
pub(crate) fn loopback_settings() -> ClientSettings {
    let loopback = "127.0.0.0/8".parse().unwrap();
    ClientSettings { network: NetworkPolicy::new(vec![loopback], []), ..ClientSettings::default() }
}

/// A directory and the clock that it goes by.
pub(crate) fn directory(settings: ClientSettings) -> (ProviderDirectory, Arc<FixedClock>) {
    let clock = FixedClock::new();
    let directory = ProviderDirectory::new(settings, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    (directory, clock)
}

/// The client for `oidc` under these settings.
pub(crate) fn oidc_client(settings: ClientSettings) -> (Arc<dyn ProviderClient>, Arc<FixedClock>) {
    let (directory, clock) = directory(settings);
    (directory.client(ProviderKind::Oidc).unwrap(), clock)
}

/// What registers a provider by its issuer.
pub(crate) fn registration(host: Option<&str>) -> Registration {
    Registration {
        host: host.map(str::to_owned),
        scopes: Scopes::parse("openid profile email offline_access"),
    }
}

/// A client registered at a simulated provider.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) client: Arc<dyn ProviderClient>,
    pub(crate) endpoints: ProviderEndpoints,
}

impl World {
    /// The simulated provider as one of that type.
    pub(crate) async fn of(kind: ProviderKind) -> Self {
        Self::with_overrides(kind, |_| EndpointOverrides::default()).await
    }

    /// The same, with endpoints replaced that may depend on the issuer.
    pub(crate) async fn with_overrides(
        kind: ProviderKind,
        overrides: impl Fn(&str) -> EndpointOverrides,
    ) -> Self {
        let clock = FixedClock::new();
        let time = Arc::clone(&clock);
        let options = SimulatorOptions {
            auto_consent: true,
            clock: Arc::new(move || time.now()),
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        let settings = ClientSettings {
            simulator: Some(Url::parse(simulator.url()).unwrap()),
            overrides: [(kind, overrides(simulator.url()))].into(),
            ..loopback_settings()
        };
        let directory = ProviderDirectory::new(settings, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let client = directory.client(kind).unwrap();
        let host = (kind == ProviderKind::Oidc).then(|| simulator.url());
        let endpoints = client.register(&registration(host)).await.unwrap();
        Self { simulator, clock, client, endpoints }
    }

    /// A connection with the right secret.
    pub(crate) fn connection(&self) -> ProviderConnection {
        connection(self.endpoints.clone(), CLIENT_SECRET)
    }

    /// Has that person agree, and redeems the code.
    pub(crate) async fn authorize(&self, login: &str) -> Result<TokenSet, UpstreamError> {
        let connection = self.connection();
        let consent = person::consents(&*self.client, &connection.client, login).await;
        trusted(self.client.exchange_code(&connection, &exchange(&consent)).await)
    }
}

/// Tokens that nobody may have count as refused here; that they come along, so that they can be revoked, has a test of
/// its own.
pub(crate) fn trusted(answer: Result<TokenSet, UpstreamError>) -> Result<TokenSet, UpstreamError> {
    let tokens = answer?;
    match tokens.distrust {
        Some(error) => Err(error),
        None => Ok(tokens),
    }
}

/// A connection with any secret.
pub(crate) fn connection(endpoints: ProviderEndpoints, secret: &str) -> ProviderConnection {
    let client = PublicClient { endpoints, client_id: CLIENT_ID.to_owned() };
    ProviderConnection { client, client_secret: Secret::new(secret.to_owned()) }
}

/// What redeems the code of a consent.
pub(crate) fn exchange(consent: &Consent) -> CodeExchange {
    CodeExchange {
        code: secret(&consent.code),
        redirect_uri: person::REDIRECT_URI.to_owned(),
        pkce_verifier: Some(secret(person::VERIFIER)),
        nonce: Some(secret(person::NONCE)),
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// The error of something that must not succeed.
pub(crate) fn refused<T>(result: Result<T, UpstreamError>) -> UpstreamError {
    result.err().expect("this must not succeed")
}
