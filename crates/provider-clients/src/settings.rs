//! What an operator can set about provider calls.

use std::collections::BTreeMap;
use std::time::Duration;

use grantkeeper_domain::providers::ProviderKind;
use url::Url;

use crate::NetworkPolicy;

/// Everything about the clients of providers.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Which addresses may be called.
    pub network: NetworkPolicy,
    /// How long a call may take, and how much it may bring.
    pub limits: Limits,
    /// The `User-Agent` of every call. GitHub refuses requests without one.
    pub user_agent: String,
    /// The simulated provider, which is what providers of the type `test` are. `None`: there is no such type.
    /// As an issuer identifier it is read without the slash at its end. The network policy must allow its address.
    pub simulator: Option<Url>,
    /// Whether the simulated provider plays every provider in the cloud as well, each below a path that is the name of
    /// its host: for trying things out and for tests. Self-managed providers are called where they are.
    pub simulator_plays_everyone: bool,
    /// Endpoints that the operator puts in the place of a type's own. They take effect when a provider is registered.
    pub overrides: BTreeMap<ProviderKind, EndpointOverrides>,
}

impl Default for ClientSettings {
    /// Public addresses only, no simulator, nothing replaced.
    fn default() -> Self {
        Self {
            network: NetworkPolicy::default(),
            limits: Limits::default(),
            user_agent: concat!("grantkeeper/", env!("CARGO_PKG_VERSION")).to_owned(),
            simulator: None,
            simulator_plays_everyone: false,
            overrides: BTreeMap::new(),
        }
    }
}

/// How long a call may take, and how much it may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For resolving the name, connecting and the TLS handshake.
    pub connect: Duration,
    /// For a whole call of a token, revocation or device authorization endpoint, to the last byte of the answer.
    pub request: Duration,
    /// For a whole call for a document: metadata, keys, a profile. An exchange takes one of each, and what the two
    /// take together must not be longer than its caller's limit: tokens that come and are not kept are lost.
    pub document: Duration,
    /// The largest answer of a token, revocation or device authorization endpoint, in bytes.
    pub token_answer: usize,
    /// The largest answer of any other endpoint, in bytes.
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(20),
            document: Duration::from_secs(10),
            token_answer: 64 * 1024,
            answer: 1024 * 1024,
        }
    }
}

/// Endpoints that an operator puts in the place of those that a type of provider has or publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointOverrides {
    /// The issuer whose metadata are read instead of the registered one's, byte for byte.
    pub issuer: Option<String>,
    /// The base of the provider's own REST API, without a slash at its end.
    pub api: Option<Url>,
    /// The authorization endpoint.
    pub authorization: Option<Url>,
    /// The token endpoint.
    pub token: Option<Url>,
    /// The userinfo endpoint.
    pub userinfo: Option<Url>,
    /// The revocation endpoint.
    pub revocation: Option<Url>,
    /// The keys that sign ID tokens.
    pub jwks: Option<Url>,
    /// The device authorization endpoint.
    pub device_authorization: Option<Url>,
    /// Where people withdraw an authorization by hand.
    pub settings_url: Option<Url>,
}
