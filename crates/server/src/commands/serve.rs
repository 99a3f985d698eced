//! `serve`.

use std::fmt;
use std::net::SocketAddr;

use clap::Args;
use grantkeeper_provider_simulator::Simulator;
use serde::Serialize;
use url::Url;

use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::service::{RunningService, Service};
use crate::stop_signals::StopSignals;
use crate::{listening, logging, simulation, wiring};

/// Serve the APIs, until SIGTERM or Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The origin that browsers and providers reach this service at.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        help = "The store: sqlite://PATH, postgres://…, or sqlite::memory: to keep nothing"
    )]
    database_url: Option<String>,
    /// Run pending migrations first; an SQLite database is always brought up to date.
    #[arg(long)]
    migrate: bool,
}

/// Says that requests are answered from now on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    listening: String,
    public_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulator_url: Option<String>,
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listening on {}, reached at {}", self.listening, self.public_url)?;
        match &self.simulator_url {
            Some(url) => write!(f, ", the simulated provider is at {url}"),
            None => Ok(()),
        }
    }
}

impl Serve {
    pub(super) async fn run(self, options: &GlobalOptions) -> Result<(), Failure> {
        let settings = options.settings(&self.flags())?;
        let (public_url, key) = settings.for_serving()?;
        let key = wiring::master_key(&settings, &key)?;
        logging::start(&settings.log)?;
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        if self.migrate {
            wiring::migrate(&settings).await?;
        }
        let listener = listening::bind(settings.listen)?;
        let address = listener.local_addr()?;
        let simulator = simulation::start(&settings)?;
        let simulator_url = simulator.as_ref().map(|simulator| Url::parse(simulator.url())).transpose()?;
        let service = Service::assemble(&settings, public_url, key, simulator_url.as_ref()).await?;
        let mut signals = StopSignals::listen()?;
        let running = service.start(listener)?;
        tracing::info!(%address, %public_url, version = env!("CARGO_PKG_VERSION"), "serving");
        if let Some(url) = &simulator_url {
            tracing::warn!(%url, "the simulated provider runs, and provider calls to its address are allowed");
        }
        options.print(&Ready {
            listening: format!("http://{address}"),
            public_url: public_url.to_string(),
            simulator_url: simulator.as_ref().map(|simulator| simulator.url().to_owned()),
        })?;
        until_stopped(running, &mut signals, simulator.as_ref()).await
    }

    fn flags(&self) -> Vec<(String, String)> {
        let flags = [
            ("listen", self.listen.map(|address| address.to_string())),
            ("public_url", self.public_url.clone()),
            ("database_url", self.database_url.clone()),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

async fn until_stopped(
    mut running: RunningService,
    signals: &mut StopSignals,
    simulator: Option<&Simulator>,
) -> Result<(), Failure> {
    tokio::select! {
        signal = signals.next() => tracing::info!(signal, "stopping"),
        failure = running.broken() => return Err(failure),
    }
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        signal = signals.next() => tracing::warn!(signal, "stopped at once, since it was asked for again"),
    }
    // Last, since exchanges that were under way ask it.
    if let Some(simulator) = simulator {
        simulator.stop().await;
    }
    Ok(())
}
