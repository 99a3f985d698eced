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
use crate::shared::Shared;
use crate::state::Provider;
use crate::stats::Stats;

/// How to start a simulator. The default listens on a free port of 127.0.0.1 and asks people for consent.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// The address to listen on; port 0 takes a free one. Only loopback addresses are accepted.
    pub listen: SocketAddr,
    /// Whether requests for consent are approved without asking, also those of devices. The `login_hint` says as
    /// whom; `deny` refuses.
    pub auto_consent: bool,
    /// How the provider behaves at the start and after a reset.
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
    shared: Arc<Shared>,
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
        let shared = Arc::new(Shared::new(Provider::new(url.clone(), auto_consent, settings, clock)));
        let server = server::start(listener, Arc::clone(&shared))?;
        Ok(Self { shared, url, server })
    }

    /// The issuer, which all endpoints begin with: `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops serving; calls in flight get a second to finish. What was recorded can still be read.
    pub async fn stop(&self) {
        self.server.stop(true).await;
    }

    /// The calls so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Replaces all faults that wait by these; none clears them.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        let faults: Vec<Fault> = faults.into_iter().collect();
        let mut provider = self.shared.provider();
        provider.faults.clear();
        for fault in faults {
            provider.faults.set(fault);
        }
    }

    /// The settings now.
    pub fn settings(&self) -> Settings {
        self.shared.provider().settings.clone()
    }

    /// Changes settings from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        // The caller's code runs outside the lock: it may ask this simulator something.
        let mut settings = self.settings();
        change(&mut settings);
        self.shared.provider().settings = settings;
    }

    /// Forgets calls and faults and returns to the settings of the start. Tokens, keys and secrets stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Every authorization code, access token, refresh token, ID token and device code ever issued, and every client
    /// secret and PKCE verifier ever received, each once, in the order of their first appearance.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.shared.provider().issued_secrets()
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
