//! The service: the web surface and the workers over one set of use cases, started and stopped together.

use std::error::Error;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use async_trait::async_trait;
use grantkeeper_config::{PublicUrl, Settings};
use grantkeeper_domain::links::LinkWaits;
use grantkeeper_domain::login::CompleteDeviceLogin;
use grantkeeper_domain::services::{Clock, within};
use grantkeeper_domain::{BackgroundTasks, Settings as DomainSettings, UseCases};
use grantkeeper_rest::{Api, Readiness, RestSettings};
use grantkeeper_token_sealing::{CanaryError, EnvelopeSealer, MasterKey};
use grantkeeper_workers::{WorkerSettings, Workers};
use tokio::task::JoinHandle;
use url::Url;

use crate::failure::Failure;
use crate::listening::{self, ServerSettings};
use crate::wiring::{self, Wired};

/// A service that is put together, and does nothing yet.
pub(crate) struct Service {
    pub(crate) use_cases: UseCases,
    api: Data<Api>,
    clock: Arc<dyn Clock>,
    tasks: BackgroundTasks,
    server: ServerSettings,
    poll_interval: Duration,
}

impl Service {
    /// Opens the store, verifies the key and puts the use cases over it all. Work that outlives its caller will run
    /// on the runtime that calls this, not on one of a web worker.
    pub(crate) async fn assemble(
        settings: &Settings,
        public_url: &PublicUrl,
        key: MasterKey,
        simulator: Option<&Url>,
    ) -> Result<Self, Failure> {
        let Wired { ports, sealer } = Wired::up(settings, key, simulator).await?;
        let domain_settings = DomainSettings {
            public_url: public_url.as_str().to_owned(),
            tokens: wiring::token_settings(settings),
            hand_out_record: wiring::hand_out_record(settings),
            asks_people: settings.browser.confirmation,
            link_wait: settings.external_auth.listen_limit,
            login: wiring::login_settings(&settings.login),
            holder: wiring::holder(&*ports.random),
        };
        let use_cases = UseCases::over(&ports, &domain_settings);
        let rest_settings = RestSettings {
            public_url: public_url.as_str().to_owned(),
            session_cookie: settings.browser.session_cookie.clone(),
            trusted_proxies: settings.network.trusted_proxies.clone(),
            tokens_in_query: settings.external_auth.tokens_in_query,
            asks_people: settings.browser.confirmation,
            limits: wiring::limit_settings(&settings.limits),
        };
        let api = Api::new(&ports, use_cases.clone(), Arc::new(KeyInPlace(sealer)), rest_settings);
        Ok(Self {
            use_cases,
            api: Data::new(api),
            clock: ports.clock,
            tasks: ports.tasks,
            server: ServerSettings {
                threads: settings.workers.unwrap_or_else(cores),
                connections: settings.limits.connections,
                shutdown_timeout: settings.jobs.shutdown_timeout,
            },
            poll_interval: settings.jobs.poll_interval,
        })
    }

    /// Starts to answer requests and to work in the background.
    pub(crate) fn start(self, listener: TcpListener) -> Result<RunningService, Failure> {
        let Self { use_cases, api, clock, tasks, server, poll_interval } = self;
        let shutdown_timeout = server.shutdown_timeout;
        let server = listening::serve(listener, api, &server)?;
        let handle = server.handle();
        let server = tokio::spawn(server);
        let workers = Workers::start(&use_cases, clock.clone(), WorkerSettings { poll_interval });
        let waits = Waits {
            device_logins: use_cases.complete_device_login,
            links: use_cases.await_link.waits.clone(),
        };
        Ok(RunningService { handle, server, workers, waits, tasks, clock, shutdown_timeout })
    }
}

/// The calls that wait for a person.
struct Waits {
    device_logins: Arc<CompleteDeviceLogin>,
    links: LinkWaits,
}

impl Waits {
    /// Ends them all, with an answer.
    fn stop(&self) {
        self.device_logins.stop();
        self.links.stop();
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A service that answers requests.
pub(crate) struct RunningService {
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
    workers: Workers,
    waits: Waits,
    tasks: BackgroundTasks,
    clock: Arc<dyn Clock>,
    shutdown_timeout: Duration,
}

impl RunningService {
    /// Waits for the web server to end by itself, which it does only when something is very wrong.
    pub(crate) async fn broken(&mut self) -> Failure {
        let reason = match (&mut self.server).await {
            Ok(Ok(())) => "without a reason".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "by a panic".to_owned(),
        };
        Failure::of(format!("the web server ended: {reason}"))
    }

    /// Stops: no new connections, requests and background runs that have begun get to their end, and so do
    /// exchanges and refreshes with nobody waiting, each for the configured time. Calls that wait for a person are told
    /// at once to try again.
    pub(crate) async fn stop(self) {
        let Self { handle, server, workers, waits, tasks, clock, shutdown_timeout } = self;
        waits.stop();
        let stopping = async { tokio::join!(workers.stop(shutdown_timeout), handle.stop(true)) };
        match within(&clock, shutdown_timeout, stopping).await {
            Some((true, ())) => {}
            Some((false, ())) => tracing::warn!("background work was cut off; another start goes on with it"),
            None => tracing::warn!("not every request ended within jobs.shutdown_timeout"),
        }
        // On its own account: a token that is being rotated must not pay for a slow job or a slow reader.
        if within(&clock, shutdown_timeout, tasks.drain()).await.is_none() {
            tracing::warn!("not every exchange and refresh ended within jobs.shutdown_timeout");
        }
        server.abort();
    }
}

/// Whether the key is (still) the one that the store is sealed under.
struct KeyInPlace(Arc<EnvelopeSealer>);

#[async_trait]
impl Readiness for KeyInPlace {
    async fn check(&self) -> Result<(), String> {
        match self.0.verify_or_plant_canary().await {
            Ok(()) => Ok(()),
            // That says nothing about the key.
            Err(CanaryError::Store(error)) => {
                tracing::warn!(error = &error as &dyn Error, "the key cannot be compared with the store");
                Err("store".to_owned())
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "the key does not fit the store");
                Err("key".to_owned())
            }
        }
    }
}
