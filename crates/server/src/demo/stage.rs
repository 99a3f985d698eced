//! The stage: a key, a database, the simulated provider, the service, and who calls it.

use std::net::SocketAddr;

use grantkeeper_config::Settings;
use grantkeeper_provider_simulator::Simulator;
use grantkeeper_token_sealing::MasterKey;
use tempfile::TempDir;
use url::Url;

use super::Wishes;
use super::cast::{Cast, ORGANIZATION};
use crate::adapters::SystemRandom;
use crate::failure::Failure;
use crate::service::{RunningService, Service};
use crate::{listening, logging, simulation, wiring};

/// Where people sign in: the name of the login provider, and the slug of the provider that it is.
pub(super) const LOGIN_PROVIDER: &str = "github";

/// What the walk needs to know.
pub(super) struct Scene {
    /// Where the service is.
    pub(super) base_url: String,
    /// Where the simulated provider is.
    pub(super) simulator_url: String,
    /// Where the data are.
    pub(super) database: String,
    /// Whether they go at the end.
    pub(super) is_temporary: bool,
    /// Whether nobody is asked.
    pub(super) auto_consent: bool,
    /// Who calls.
    pub(super) cast: Cast,
}

/// Everything that runs.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) running: RunningService,
    simulator: Simulator,
    /// Removed when dropped.
    folder: Option<TempDir>,
}

impl Stage {
    /// Starts everything.
    pub(super) async fn set(wishes: &Wishes, overrides: &[(String, String)]) -> Result<Self, Failure> {
        if !wishes.listen.ip().is_loopback() {
            return Err(Failure::of(format!(
                "the demo is for this machine only, since its provider lets anybody in; {} is not an address of it \
                 alone, give one such as 127.0.0.1:8080 with --listen",
                wishes.listen
            )));
        }
        let listener = listening::bind(wishes.listen)?;
        let folder = match wishes.database {
            None => Some(tempfile::Builder::new().prefix("grantkeeper-demo-").tempdir()?),
            Some(_) => None,
        };
        let database = database(wishes, folder.as_ref())?;
        let key = MasterKey::generate(&SystemRandom);
        let settings = settings(wishes, listener.local_addr()?, &database, overrides)?;
        logging::start(&settings.log)?;
        let simulator = simulation::start(&settings)?
            .ok_or_else(|| Failure::of("the demo needs its provider: leave simulator.enabled alone"))?;
        let public_url = settings
            .public_url
            .as_ref()
            .ok_or_else(|| Failure::of("the demo needs an address: leave public_url alone"))?;
        let simulator_url = Url::parse(simulator.url())?;
        // The database is the demo's own, and new.
        wiring::migrate(&settings).await?;
        let service = Service::assemble(&settings, public_url, key, Some(&simulator_url))
            .await
            .map_err(of_an_old_database)?;
        let cast = Cast::assemble(&service.use_cases).await?;
        let scene = Scene {
            base_url: public_url.to_string(),
            simulator_url: simulator.url().to_owned(),
            database,
            is_temporary: folder.is_some(),
            auto_consent: wishes.auto_consent,
            cast,
        };
        Ok(Self { scene, running: service.start(listener)?, simulator, folder })
    }

    /// Ends everything and removes what was made for the demo.
    pub(super) async fn strike(self) -> Scene {
        let Self { scene, running, simulator, folder } = self;
        running.stop().await;
        simulator.stop().await;
        // Only now: the store has let go of its file.
        if let Some(Err(error)) = folder.map(TempDir::close) {
            tracing::warn!(%error, "the temporary folder could not be removed");
        }
        scene
    }
}

fn database(wishes: &Wishes, folder: Option<&TempDir>) -> Result<String, Failure> {
    match (&wishes.database, folder) {
        (Some(url), _) => Ok(url.clone()),
        (None, Some(folder)) => {
            let path = folder.path().join("grantkeeper.db");
            let path =
                path.to_str().ok_or_else(|| Failure::of("the temporary folder has an unreadable name"))?;
            Ok(format!("sqlite://{path}"))
        }
        (None, None) => Err(Failure::of("there is no database")),
    }
}

/// The demo's own settings, and over them what was given with `--set`.
fn settings(
    wishes: &Wishes,
    address: SocketAddr,
    database: &str,
    overrides: &[(String, String)],
) -> Result<Settings, Failure> {
    let own = [
        ("listen", address.to_string()),
        ("public_url", format!("http://{address}")),
        ("database_url", database.to_owned()),
        // What goes wrong is told; the rest would only stand between the steps.
        ("log.level", "warn".to_owned()),
        ("simulator.enabled", "true".to_owned()),
        ("simulator.plays_everyone", "true".to_owned()),
        ("simulator.listen", SocketAddr::new(address.ip(), 0).to_string()),
        ("simulator.auto_consent", wishes.auto_consent.to_string()),
        ("browser.confirmation", (!wishes.auto_consent).to_string()),
        ("login.confirmation_page", (!wishes.auto_consent).to_string()),
        // Registered in the course of the walk.
        ("login.device_provider", LOGIN_PROVIDER.to_owned()),
        ("login.providers.github.organization", ORGANIZATION.to_owned()),
        ("login.providers.github.provider", LOGIN_PROVIDER.to_owned()),
        ("login.providers.github.new_accounts", "anyone".to_owned()),
        // Nobody likes to wait for a demo.
        ("jobs.poll_interval_ms", "100".to_owned()),
        ("jobs.shutdown_timeout", "30".to_owned()),
    ];
    let own = own.map(|(key, value)| (key.to_owned(), value));
    Ok(Settings::load(None, std::iter::empty(), &[&own, overrides].concat())?)
}

/// Most things that go wrong with a database that was asked for come of its not being new.
fn of_an_old_database(failure: Failure) -> Failure {
    if failure.to_string().starts_with(wiring::WRONG_KEY) {
        Failure::of(
            "this database is sealed under another key, and the demo makes a key of its own each time; give a \
             database that does not exist yet with --database, or leave it out",
        )
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(auto_consent: bool) -> Wishes {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Wishes { listen, database: Some("sqlite::memory:".to_owned()), auto_consent, once: true }
    }

    #[test]
    fn with_automatic_consent_nobody_is_asked_on_either_side() {
        for auto_consent in [true, false] {
            let wishes = wishes(auto_consent);
            let address = SocketAddr::from(([127, 0, 0, 1], 8_080));
            let settings = settings(&wishes, address, "sqlite::memory:", &[]).expect("good settings");
            assert_eq!(settings.simulator.auto_consent, auto_consent);
            assert_eq!(settings.browser.confirmation, !auto_consent);
            assert_eq!(settings.login.confirmation_page, !auto_consent);
            assert_eq!(settings.login.device_provider.as_deref(), Some(LOGIN_PROVIDER));
            assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
        }
    }

    #[test]
    fn what_is_given_counts_more() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8_080));
        let given = [("log.level".to_owned(), "debug".to_owned())];
        let settings = settings(&wishes(true), address, "sqlite::memory:", &given).expect("good settings");
        assert_eq!(settings.log.level, "debug");
    }

    #[tokio::test]
    async fn other_machines_are_kept_out() {
        let wishes = Wishes { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..wishes(true) };
        let failure = Stage::set(&wishes, &[]).await.err().expect("refused").to_string();
        assert!(failure.contains("--listen"), "{failure}");
    }
}
