//! Wiring: adapters behind the domain's ports, set up from the settings.

mod login;

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_config::{self as config, AllowedPeer, EndpointReplacements, KeyText, Settings};
use grantkeeper_domain::accounts::SuspendAccount;
use grantkeeper_domain::login::LinkIdentity;
use grantkeeper_domain::providers::ProviderKind;
use grantkeeper_domain::services::{Clock, Random};
use grantkeeper_domain::tokens::{HandOutRecord, TokenSettings};
use grantkeeper_domain::{BackgroundTasks, Ports, Store};
use grantkeeper_provider_clients::{
    ClientSettings, EndpointOverrides, Limits, NetworkPolicy, ProviderDirectory,
};
use grantkeeper_rest::{LimitSettings, PerMinute};
use grantkeeper_store_diesel::{DieselStore, OpenOptions};
use grantkeeper_token_sealing::{CanaryError, EnvelopeSealer, KeyRing, MasterKey};
use tokio::task::spawn_blocking;
use url::Url;

use crate::adapters::{SystemClock, SystemRandom};
use crate::failure::Failure;

pub(crate) use login::login_settings;

/// What the commands of an operator need: no key, no provider.
pub(crate) struct Administration {
    /// Everything that is kept.
    pub(crate) store: Arc<dyn Store>,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness.
    pub(crate) random: Arc<dyn Random>,
}

impl Administration {
    /// Opens the store.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let store = DieselStore::open(settings.database_url.as_str(), open_options(settings)).await?;
        Ok(Self { store: Arc::new(store), clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) })
    }

    /// Suspends accounts.
    pub(crate) fn suspend_account(&self) -> SuspendAccount {
        SuspendAccount {
            accounts: self.store.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
        }
    }

    /// Links identities to accounts.
    pub(crate) fn link_identity(&self) -> LinkIdentity {
        LinkIdentity {
            accounts: self.store.clone(),
            logins: self.store.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
        }
    }
}

/// How the store is opened.
pub(crate) fn open_options(settings: &Settings) -> OpenOptions {
    OpenOptions { connections: settings.database_connections, ..OpenOptions::default() }
}

/// Brings the schema up to date.
pub(crate) async fn migrate(settings: &Settings) -> Result<(), Failure> {
    let options = OpenOptions { migrate: true, ..open_options(settings) };
    DieselStore::open(settings.database_url.as_str(), options).await?;
    Ok(())
}

/// Reads the operator's key, and says where a key that is none came from.
pub(crate) fn master_key(settings: &Settings, text: &KeyText) -> Result<MasterKey, Failure> {
    MasterKey::parse(text.expose()).map_err(|error| {
        let origin = settings.keys.file().map_or_else(
            || "the key that was given as GRANTKEEPER_KEY or keys.key".to_owned(),
            |file| format!("the key in {}", file.display()),
        );
        Failure::of(format!("{origin} cannot be used: {error}; `grantkeeper key generate` makes a key"))
    })
}

/// How the failure begins that tells of a wrong key.
pub(crate) const WRONG_KEY: &str = "wrong key";

/// Makes sure that the store is sealed under a key of this sealer's.
pub(crate) async fn verify_key(sealer: &EnvelopeSealer) -> Result<(), Failure> {
    sealer.verify_or_plant_canary().await.map_err(|error| match error {
        CanaryError::WrongKey { .. } => Failure::of(format!(
            "{WRONG_KEY}: {error}; give the key that this database was first served with, or another database_url"
        )),
        CanaryError::Damaged | CanaryError::Store(_) => Failure::from(error),
    })
}

/// All ports, and the sealer by its own name: the readiness check asks it about its key.
pub(crate) struct Wired {
    /// What the use cases need.
    pub(crate) ports: Ports,
    /// The sealer among them.
    pub(crate) sealer: Arc<EnvelopeSealer>,
}

impl Wired {
    /// Puts every adapter behind its port and verifies the key. Detached work will run on the calling runtime.
    pub(crate) async fn up(
        settings: &Settings,
        key: MasterKey,
        simulator: Option<&Url>,
    ) -> Result<Self, Failure> {
        // It reads all certificates that this machine trusts, which takes as long as connecting to a database does.
        let client_settings = client_settings(settings, simulator);
        let clients = spawn_blocking(move || ProviderDirectory::new(client_settings, Arc::new(SystemClock)));
        let Administration { store, clock, random } = Administration::open(settings).await?;
        let sealer =
            Arc::new(EnvelopeSealer::new(KeyRing::new(key), store.clone(), random.clone(), clock.clone()));
        verify_key(&sealer).await?;
        let clients = clients.await.map_err(Failure::from)??;
        let ports = Ports {
            store,
            clients: Arc::new(clients),
            sealer: sealer.clone(),
            clock,
            random,
            tasks: BackgroundTasks::on_current_runtime(),
        };
        Ok(Self { ports, sealer })
    }
}

/// How tokens are kept fresh.
pub(crate) fn token_settings(settings: &Settings) -> TokenSettings {
    TokenSettings {
        freshness_margin: settings.tokens.freshness_margin,
        caller_wait: settings.tokens.caller_wait,
        upstream_limit: settings.tokens.upstream_limit,
        lease_silence: settings.tokens.refresh_lease,
        in_use_for: settings.tokens.in_use_for,
        refreshes_at_once: settings.tokens.refreshes_at_once,
        refreshes_per_second: settings.tokens.refreshes_per_second,
        ..TokenSettings::default()
    }
}

/// When a hand-out is in the store.
pub(crate) fn hand_out_record(settings: &Settings) -> HandOutRecord {
    match settings.tokens.hand_out_record {
        config::HandOutRecord::Within100Ms => HandOutRecord::Within100Ms,
        config::HandOutRecord::BeforeRelease => HandOutRecord::BeforeRelease,
    }
}

/// How often an account and an address may do what costs something.
pub(crate) fn limit_settings(limits: &config::Limits) -> LimitSettings {
    LimitSettings {
        flows: PerMinute { caller: limits.flows_per_caller, address: limits.flows_per_address },
        callbacks: PerMinute { caller: limits.callbacks_per_caller, address: limits.callbacks_per_address },
        token_reads: PerMinute {
            caller: limits.token_reads_per_caller,
            address: limits.token_reads_per_address,
        },
        wrong_tokens_per_address: limits.wrong_tokens_per_address,
    }
}

/// A name for this process that no other has, not even the one that was here before a restart.
pub(crate) fn holder(random: &dyn Random) -> String {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    format!("grantkeeper-{:08x}", u32::from_be_bytes(bytes))
}

fn client_settings(settings: &Settings, simulator: Option<&Url>) -> ClientSettings {
    let overrides = settings.providers.iter().filter_map(|(name, replacements)| {
        Some((ProviderKind::from_name(name)?, endpoint_overrides(replacements)))
    });
    ClientSettings {
        network: network_policy(&settings.network.allow, simulator),
        limits: limits(settings.tokens.upstream_limit),
        simulator: simulator.cloned(),
        simulator_plays_everyone: settings.simulator.plays_everyone,
        overrides: overrides.collect(),
        ..ClientSettings::default()
    }
}

/// Two thirds of what an exchange may take are for the tokens, the rest for the keys that verify them.
fn limits(upstream: Duration) -> Limits {
    let document = upstream / 3;
    let request = document * 2;
    Limits { request, document, ..Limits::default() }
}

/// What the operator allows, and the simulated provider while it runs.
fn network_policy(allow: &[AllowedPeer], simulator: Option<&Url>) -> NetworkPolicy {
    let mut networks = Vec::new();
    let mut hosts = Vec::new();
    for peer in allow {
        match peer {
            AllowedPeer::Net(network) => networks.push(*network),
            AllowedPeer::Host(host) => hosts.push(host.clone()),
        }
    }
    let policy = NetworkPolicy::new(networks, hosts);
    match simulator {
        Some(url) => policy.and_server(url),
        None => policy,
    }
}

fn endpoint_overrides(replacements: &EndpointReplacements) -> EndpointOverrides {
    EndpointOverrides {
        issuer: replacements.issuer.clone(),
        api: replacements.api_url.clone(),
        authorization: replacements.authorization_url.clone(),
        token: replacements.token_url.clone(),
        userinfo: replacements.userinfo_url.clone(),
        revocation: replacements.revocation_url.clone(),
        jwks: replacements.jwks_url.clone(),
        device_authorization: replacements.device_authorization_url.clone(),
        settings_url: replacements.settings_url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_goes_where_it_belongs() {
        let given = config::Limits {
            flows_per_caller: 1,
            flows_per_address: 2,
            callbacks_per_caller: 3,
            callbacks_per_address: 4,
            token_reads_per_caller: 5,
            token_reads_per_address: 6,
            wrong_tokens_per_address: 7,
            connections: 8,
        };
        let wanted = LimitSettings {
            flows: PerMinute { caller: 1, address: 2 },
            callbacks: PerMinute { caller: 3, address: 4 },
            token_reads: PerMinute { caller: 5, address: 6 },
            wrong_tokens_per_address: 7,
        };
        assert_eq!(limit_settings(&given), wanted);
    }

    #[test]
    fn a_holder_has_a_name_of_its_own() {
        let name = holder(&SystemRandom);
        let digits = name.strip_prefix("grantkeeper-").expect("the name begins with the program's");
        assert!(digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        assert_ne!(name, holder(&SystemRandom));
    }

    #[test]
    fn only_the_running_simulator_opens_its_own_address() {
        let simulator = Url::parse("http://127.0.0.1:4321").expect("a URL");
        let closed = network_policy(&[], None);
        assert_eq!(closed, NetworkPolicy::default());
        let open = network_policy(&[], Some(&simulator));
        assert_eq!(open, NetworkPolicy::default().and_server(&simulator));
    }

    #[test]
    fn what_is_no_key_is_told_without_the_key() {
        let environment = [("GRANTKEEPER_KEY".to_owned(), "gkk_c2hvcnQtYW5kLXNlY3JldA".to_owned())];
        let settings = Settings::load(None, environment.into_iter(), &[]).expect("the rest are defaults");
        let text = settings.keys.text().expect("it was given");
        let failure = master_key(&settings, &text).err().expect("too short").to_string();
        assert!(failure.contains("GRANTKEEPER_KEY") && failure.contains("16 bytes where 32"), "{failure}");
        assert!(!failure.contains("c2hvcnQ"), "{failure}");
    }

    #[tokio::test]
    async fn a_store_opens_with_the_key_it_was_sealed_under_and_with_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("grantkeeper.db").display());
        let overrides = [("database_url".to_owned(), url)];
        let settings = Settings::load(None, std::iter::empty(), &overrides).expect("the rest are defaults");
        let key = MasterKey::generate(&SystemRandom);
        let same = MasterKey::parse(key.to_text().expose()).expect("a key");
        assert!(Wired::up(&settings, key, None).await.is_ok());
        assert!(Wired::up(&settings, same, None).await.is_ok());
        let other = MasterKey::generate(&SystemRandom);
        let failure = Wired::up(&settings, other, None).await.err().expect("another key").to_string();
        assert!(failure.starts_with(WRONG_KEY), "{failure}");
    }
}
