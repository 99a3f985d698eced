//! The simulator as its owner sees it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;

use crate::clock::{Clock, SystemClock};
use crate::faults::Fault;
use crate::server;
use crate::settings::Settings;
use crate::shared::Sites;
use crate::site::Site;
use crate::stats::Stats;

/// How to start a simulator. The default listens on a free port of 127.0.0.1 and asks people for consent.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// The address to listen on; port 0 takes a free one. Only loopback addresses are accepted.
    pub listen: SocketAddr,
    /// Whether requests for consent are approved without asking, also those of devices. The `login_hint` says as
    /// whom; `deny` refuses.
    pub auto_consent: bool,
    /// How the plain provider at the root behaves at the start and after a reset. The other sites have settings of
    /// their own, see [`Simulator::site`].
    pub settings: Settings,
    /// What time it is there.
    pub clock: Arc<dyn Clock>,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            auto_consent: false,
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for SimulatorOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SimulatorOptions")
            .field("listen", &self.listen)
            .field("auto_consent", &self.auto_consent)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A running simulated provider. It runs on a thread of its own, under whatever runtime the caller has or none, and
/// stops when this is dropped.
pub struct Simulator {
    sites: Arc<Sites>,
    url: String,
    server: ServerHandle,
}

impl Simulator {
    /// Binds the address and begins to serve: requests are answered from the moment this returns.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is not loopback; otherwise what the system says to binding the address or
    /// to starting threads.
    pub fn start(options: SimulatorOptions) -> io::Result<Self> {
        let SimulatorOptions { listen, auto_consent, settings, clock } = options;
        if !listen.ip().is_loopback() {
            let reason =
                format!("the simulated provider listens on loopback addresses only, which {listen} is not");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let listener = TcpListener::bind(listen)?;
        let url = format!("http://{}", listener.local_addr()?);
        let sites = Arc::new(Sites::open(&url, auto_consent, settings, &clock));
        let server = server::start(listener, Arc::clone(&sites))?;
        Ok(Self { sites, url, server })
    }

    /// The issuer, which all endpoints begin with: `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops serving; calls in flight get a second to finish. What was recorded can still be read.
    pub async fn stop(&self) {
        self.server.stop(true).await;
    }

    /// A site by its name, such as `github`; the table is at the [crate].
    pub fn site(&self, name: &str) -> Option<Site<'_>> {
        self.sites().find(|site| site.name() == name)
    }

    /// Every site; `oidc`, the plain provider at the root, is the first one.
    pub fn sites(&self) -> impl Iterator<Item = Site<'_>> {
        self.sites.iter().map(|(row, shared)| Site::new(row, shared, &self.url))
    }

    /// The calls of the plain provider so far.
    pub fn stats(&self) -> Stats {
        self.sites.oidc().stats()
    }

    /// Replaces all faults that wait at the plain provider by these; none clears them.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.sites.oidc().set_faults(faults);
    }

    /// The settings of the plain provider now.
    pub fn settings(&self) -> Settings {
        self.sites.oidc().settings()
    }

    /// Changes settings of the plain provider from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.sites.oidc().update_settings(change);
    }

    /// Lets the plain provider forget calls and faults and return to the settings of the start. Tokens, keys and
    /// secrets stay.
    pub fn reset(&self) {
        self.sites.oidc().reset();
    }

    /// Every authorization code, access token, refresh token, ID token and device code ever issued at any site, and
    /// every client secret and PKCE verifier ever received, by site each once, in the order of their first appearance.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.sites.issued_secrets()
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulator").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The command is sent by the call itself; nobody is here to wait for its end.
        drop(self.server.stop(false));
    }
}
