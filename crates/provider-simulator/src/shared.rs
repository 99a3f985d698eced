//! What the request handlers and the owner of a simulator share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::faults::Fault;
use crate::settings::Settings;
use crate::sites::{self, SiteRow};
use crate::state::Provider;
use crate::stats::{InFlight, Stats};

/// One site: the provider behind its one lock, and the count of calls in flight.
pub(crate) struct Shared {
    provider: Mutex<Provider>,
    pub(crate) token_calls: InFlight,
}

impl Shared {
    /// Shares a provider.
    pub(crate) fn new(provider: Provider) -> Self {
        Self { provider: Mutex::new(provider), token_calls: InFlight::default() }
    }

    /// The provider, for a moment: nobody waits for anything else while holding it.
    pub(crate) fn provider(&self) -> MutexGuard<'_, Provider> {
        // A handler that panicked leaves at worst its own call half done.
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats { max_in_flight: self.token_calls.most(), ..self.provider().stats() }
    }

    /// Replaces all faults that wait by these.
    pub(crate) fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        let faults: Vec<Fault> = faults.into_iter().collect();
        let mut provider = self.provider();
        provider.faults.clear();
        for fault in faults {
            provider.faults.set(fault);
        }
    }

    /// The settings now.
    pub(crate) fn settings(&self) -> Settings {
        self.provider().settings.clone()
    }

    /// Changes settings from now on.
    pub(crate) fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        // The caller's code runs outside the lock: it may ask this simulator something.
        let mut settings = self.settings();
        change(&mut settings);
        self.provider().settings = settings;
    }

    /// Forgets calls and faults and returns to the settings of the start.
    pub(crate) fn reset(&self) {
        self.provider().reset();
        self.token_calls.reset();
    }
}

/// All sites of a simulator, each with a state of its own.
pub(crate) struct Sites {
    /// The plain provider at the root.
    oidc: Arc<Shared>,
    /// All of them, in the order of their rows.
    all: Vec<(&'static SiteRow, Arc<Shared>)>,
}

impl Sites {
    /// Opens every site. The settings are those of the plain provider; the others have their own.
    pub(crate) fn open(origin: &str, auto_consent: bool, settings: Settings, clock: &Arc<dyn Clock>) -> Self {
        let open = |row: &SiteRow, settings| {
            let place = row.place(origin);
            let provider = Provider::new(place, row.dialect, auto_consent, settings, Arc::clone(clock));
            Arc::new(Shared::new(provider))
        };
        let (plain, others) = sites::ALL;
        let oidc = open(plain, settings);
        let others = others.iter().map(|row| (row, open(row, (row.settings)())));
        Self { all: [(plain, Arc::clone(&oidc))].into_iter().chain(others).collect(), oidc }
    }

    /// The plain provider at the root.
    pub(crate) fn oidc(&self) -> &Arc<Shared> {
        &self.oidc
    }

    /// Every site, the plain one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static SiteRow, &Arc<Shared>)> {
        self.all.iter().map(|(row, shared)| (*row, shared))
    }

    /// Every secret issued or received at any site.
    pub(crate) fn issued_secrets(&self) -> Vec<String> {
        self.iter().flat_map(|(_, shared)| shared.provider().issued_secrets()).collect()
    }
}
