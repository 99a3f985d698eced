//! A simulated provider, the clients, and one clock for both.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    CodeExchange, PkceSupport, ProviderClient, ProviderClients, ProviderConnection, ProviderEndpoints,
    ProviderKind, PublicClient, RefreshRequest, Registration, TokenSet, UpstreamError,
};
use grantkeeper_domain::services::Clock;
use grantkeeper_provider_clients::{ClientSettings, EndpointOverrides, NetworkPolicy, ProviderDirectory};
use grantkeeper_provider_simulator::{Simulator, SimulatorOptions, Site};
use grantkeeper_testkit::FixedClock;
use url::Url;

use crate::deployments::{self, Deployment, Host};
use crate::person::{self, Consent};

pub(crate) const CLIENT_ID: &str = "client:1 %";
/// Every character that an encoding may get wrong.
pub(crate) const CLIENT_SECRET: &str = "s3cr+t/=&% :x wörd";

/// Settings under which this machine may be called.
pub(crate) fn loopback_settings() -> ClientSettings {
    let loopback = "127.0.0.0/8".parse().unwrap();
    ClientSettings { network: NetworkPolicy::new(vec![loopback], []), ..ClientSettings::default() }
}

/// A directory and the clock that it goes by, which stands still but for the pauses that clients make.
pub(crate) fn directory(settings: ClientSettings) -> (ProviderDirectory, Arc<FixedClock>) {
    let clock = FixedClock::passing_pauses(LONGEST_PAUSE);
    let directory = ProviderDirectory::new(settings, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    (directory, clock)
}

/// The client for `oidc` under these settings.
pub(crate) fn oidc_client(settings: ClientSettings) -> (Arc<dyn ProviderClient>, Arc<FixedClock>) {
    let (directory, clock) = directory(settings);
    (directory.client(ProviderKind::Oidc).unwrap(), clock)
}

/// What registers a provider by where it is.
pub(crate) fn registration(host: Option<&str>) -> Registration {
    let client_id = CLIENT_ID.to_owned();
    Registration { client_id, host: host.map(str::to_owned), app_slug: None, scopes: None }
}

/// A client registered at a simulated provider.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) client: Arc<dyn ProviderClient>,
    pub(crate) endpoints: ProviderEndpoints,
    /// What flows ask for.
    pub(crate) scopes: Scopes,
}

impl World {
    /// The simulator as that deployment.
    pub(crate) async fn at(deployment: &Deployment) -> Self {
        Self::with_overrides(deployment, |_| EndpointOverrides::default()).await
    }

    /// The same, with endpoints replaced that may depend on where the simulator is.
    pub(crate) async fn with_overrides(
        deployment: &Deployment,
        overrides: impl Fn(&str) -> EndpointOverrides,
    ) -> Self {
        let (simulator, clock) = simulator();
        let settings = ClientSettings {
            overrides: [(deployment.kind, overrides(simulator.url()))].into(),
            ..simulated_settings(&simulator)
        };
        let directory = ProviderDirectory::new(settings, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let client = directory.client(deployment.kind).unwrap();
        let registered = client.register(&deployment.registration(simulator.url())).await.unwrap();
        let world =
            Self { simulator, clock, client, endpoints: registered.endpoints, scopes: registered.scopes };
        world.be_an_app_or_not(deployment);
        world
    }

    /// The site that plays it.
    pub(crate) fn site(&self, deployment: &Deployment) -> Site<'_> {
        self.simulator.site(deployment.site).expect("the simulator plays it")
    }

    /// Lets the client be what is registered: at GitHub it is an app that has permissions, or one that has scopes.
    pub(crate) fn be_an_app_or_not(&self, deployment: &Deployment) {
        self.site(deployment).update_settings(|settings| settings.github_app = deployment.app_slug.is_some());
    }

    /// Any OpenID Connect provider.
    pub(crate) async fn openid() -> Self {
        Self::at(&deployments::OIDC).await
    }

    /// An address in full: what begins with a slash is at the simulator.
    pub(crate) fn address(&self, address: &str) -> String {
        if address.starts_with('/') {
            format!("{}{address}", self.simulator.url()).trim_end_matches('/').to_owned()
        } else {
            address.to_owned()
        }
    }

    /// A connection with the right secret.
    pub(crate) fn connection(&self) -> ProviderConnection {
        connection(self.endpoints.clone(), CLIENT_SECRET)
    }

    /// Has that person agree, and says what redeems the code.
    pub(crate) async fn code(&self, login: &str) -> CodeExchange {
        let client = self.connection().client;
        let consent = person::consents(&*self.client, &client, login, &self.scopes).await;
        exchange(&consent, &client, self.scopes.clone())
    }

    /// Has that person agree, and redeems the code.
    pub(crate) async fn authorize(&self, login: &str) -> Result<TokenSet, UpstreamError> {
        let exchange = self.code(login).await;
        trusted(self.client.exchange_code(&self.connection(), &exchange).await)
    }
}

/// Longer than any pause between two tries, and shorter than any limit of a call.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A simulator that agrees to everything, and whose time stands still but for the pauses that clients make.
pub(crate) fn simulator() -> (Simulator, Arc<FixedClock>) {
    let clock = FixedClock::passing_pauses(LONGEST_PAUSE);
    let time = Arc::clone(&clock);
    let options = SimulatorOptions {
        auto_consent: true,
        clock: Arc::new(move || time.now()),
        ..SimulatorOptions::default()
    };
    (Simulator::start(options).unwrap(), clock)
}

/// Settings under which the simulator is everybody.
pub(crate) fn simulated_settings(simulator: &Simulator) -> ClientSettings {
    ClientSettings {
        simulator: Some(Url::parse(simulator.url()).unwrap()),
        simulator_plays_everyone: true,
        ..loopback_settings()
    }
}

impl Deployment {
    /// What registers it.
    pub(crate) fn registration(&self, simulator: &str) -> Registration {
        let host = match self.host {
            Host::Nowhere => None,
            Host::Named(host) => Some(host.to_owned()),
            Host::Simulated(path) => Some(format!("{simulator}{path}")),
        };
        Registration { app_slug: self.app_slug.map(str::to_owned), ..registration(host.as_deref()) }
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
pub(crate) fn connection(endpoints: ProviderEndpoints, client_secret: &str) -> ProviderConnection {
    connection_of(endpoints, CLIENT_ID, client_secret)
}

/// A connection of any client.
pub(crate) fn connection_of(
    endpoints: ProviderEndpoints,
    client_id: &str,
    client_secret: &str,
) -> ProviderConnection {
    let client = PublicClient { endpoints, client_id: client_id.to_owned() };
    ProviderConnection { client, client_secret: secret(client_secret) }
}

/// What redeems the code of a consent to these scopes.
pub(crate) fn exchange(consent: &Consent, client: &PublicClient, scopes: Scopes) -> CodeExchange {
    let proves = client.endpoints.pkce == PkceSupport::S256;
    CodeExchange {
        code: secret(&consent.code),
        redirect_uri: person::REDIRECT_URI.to_owned(),
        pkce_verifier: proves.then(|| secret(person::VERIFIER)),
        nonce: Some(secret(person::NONCE)),
        scopes,
    }
}

/// What redeems a refresh token that came of no flow in particular.
pub(crate) fn refresh_request(refresh_token: &str) -> RefreshRequest {
    RefreshRequest { refresh_token: secret(refresh_token), scopes: Scopes::default(), redirect_uri: None }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// The error of something that must not succeed.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, UpstreamError>) -> UpstreamError {
    result.err().expect("this must not succeed")
}
