//! What the handlers share.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use async_trait::async_trait;
use grantkeeper_domain::providers::ProviderClients;
use grantkeeper_domain::services::{Clock, Random};
use grantkeeper_domain::{Ports, Store, UseCases};
use ipnet::IpNet;

use crate::external_oauth::WrittenProviders;
use crate::limits::{LimitSettings, Limits};

/// How the REST surface is set up.
#[derive(Clone, Debug)]
pub struct RestSettings {
    /// Where the service is reached from outside: an origin without a trailing slash.
    pub public_url: String,
    /// The name of the cookie that holds a browser session.
    pub session_cookie: String,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether callers of `external_auth` may put their token into the query, where it ends in logs.
    pub tokens_in_query: bool,
    /// Whether a person has to sign in and say yes before a flow goes on to the provider.
    pub asks_people: bool,
    /// How often an account and an address may do what costs something.
    pub limits: LimitSettings,
}

/// Something that has to be in order before the service takes requests.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// `Err` names what is not in order, in a word.
    async fn check(&self) -> Result<(), String>;
}

/// What the handlers share.
pub struct Api {
    pub(crate) use_cases: UseCases,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clients: Arc<dyn ProviderClients>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) limits: Limits,
    pub(crate) written_providers: WrittenProviders,
    pub(crate) settings: RestSettings,
}

impl Api {
    /// Puts the surface over the use cases.
    pub fn new(
        ports: &Ports,
        use_cases: UseCases,
        readiness: Arc<dyn Readiness>,
        settings: RestSettings,
    ) -> Self {
        Self {
            use_cases,
            store: ports.store.clone(),
            clients: ports.clients.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            readiness,
            limits: Limits::new(&settings.limits),
            written_providers: WrittenProviders::default(),
            settings,
        }
    }

    /// The one that the application of a request was made over.
    pub(crate) fn of(request: &HttpRequest) -> &Self {
        request.app_data::<web::Data<Self>>().expect("`app` puts it there")
    }

    /// Whether cookies may travel over plain http: only where the service itself is reached so, which the
    /// configuration allows for loopback alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.settings.public_url.starts_with("https://")
    }
}
