//! `doctor`.

mod login_provider;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use clap::Args;
use grantkeeper_config::Settings;
use grantkeeper_store_diesel::DieselStore;
use grantkeeper_token_sealing::{EnvelopeSealer, KeyRing, MasterKey};
use serde::Serialize;

use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::{self, Administration};

/// Examine the configuration, the key and the store, and change nothing.
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

#[derive(Debug, Serialize)]
pub(crate) struct Examination {
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: Cow<'static, str>,
    ok: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Check {
    fn of(name: impl Into<Cow<'static, str>>, result: Result<String, Failure>) -> Self {
        let name = name.into();
        match result {
            Ok(detail) => Self { name, ok: true, detail },
            Err(failure) => Self { name, ok: false, detail: failure.to_string() },
        }
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, check) in self.checks.iter().enumerate() {
            let verdict = if check.ok { "ok" } else { "failed" };
            write!(f, "{}{:<13}  {verdict}", if index == 0 { "" } else { "\n" }, check.name)?;
            for line in check.detail.lines() {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

impl Examination {
    /// Whether all is well.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let failed: Vec<_> = self.checks.iter().filter(|check| !check.ok).map(|check| &*check.name).collect();
        if failed.is_empty() { Ok(()) } else { Err(Failure::of(format!("failed: {}", failed.join(", ")))) }
    }
}

impl Doctor {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Examination {
        let settings = match options.settings(&[]) {
            Ok(settings) => settings,
            // Nothing else can be looked at without it.
            Err(failure) => {
                return Examination { checks: vec![Check::of("configuration", Err(failure))] };
            }
        };
        let key = settings.keys.text().map_err(Failure::from);
        let key = key.and_then(|text| wiring::master_key(&settings, &text));
        let key_check = Check::of(
            "key",
            match &key {
                Ok(key) => Ok(format!("its id is {}", key.id())),
                Err(failure) => Err(Failure::of(failure.to_string())),
            },
        );
        let store_check = Check::of("store", store(&settings, key.ok()).await);
        let mut checks = vec![Check::of("configuration", configuration(&settings)), key_check, store_check];
        checks.extend(login_providers(&settings).await);
        Examination { checks }
    }
}

/// Where the schema is not there yet, or the store cannot be read, there is nothing to look at.
async fn login_providers(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    let is_ready = DieselStore::pending_migrations(settings.database_url.as_str()).await;
    if !is_ready.is_ok_and(|pending| pending.is_empty()) {
        return checks;
    }
    if let Ok(with) = Administration::open(settings).await {
        for provider in &settings.login.providers {
            let found = login_provider::examine(&with.store, &settings.login, provider).await;
            checks.push(Check::of(format!("login {}", provider.name), found));
        }
    }
    checks
}

/// The key has a check of its own.
fn configuration(settings: &Settings) -> Result<String, Failure> {
    if settings.public_url.is_none()
        && let Err(missing) = settings.for_serving()
    {
        let first = missing.problems().first().map(ToString::to_string).unwrap_or_default();
        return Err(Failure::of(first));
    }
    Ok(settings.warnings.join("\n"))
}

/// Opening migrates and sealing plants a canary: neither is done here.
async fn store(settings: &Settings, key: Option<MasterKey>) -> Result<String, Failure> {
    let pending = DieselStore::pending_migrations(settings.database_url.as_str()).await?;
    if !pending.is_empty() {
        return Ok(format!("these migrations are to be run: {}", pending.join(", ")));
    }
    let Administration { store, clock, random } = Administration::open(settings).await?;
    store.check().await?;
    let Some(key) = key else {
        return Ok("its key was not checked, since there is none".to_owned());
    };
    if store.canary().await?.is_none() {
        return Ok("nothing is sealed in it yet: the next start binds it to the key".to_owned());
    }
    let sealer = EnvelopeSealer::new(KeyRing::new(key), Arc::clone(&store) as _, random, clock);
    wiring::verify_key(&sealer).await?;
    Ok("the key fits".to_owned())
}
