//! What the processes of a simulation share: the store, the provider, time, and the say about what happens next.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::Change;
use grantkeeper_domain::authorizations::{Authorization, AuthorizationStore as _};
use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::providers::{Provider, RefreshModel, TokenSet, UpstreamError};
use grantkeeper_domain::sealing::{SealedSecret, SecretPlace, TokenSealer as _};
use grantkeeper_domain::{Secret, UnitOfWork as _};
use grantkeeper_testkit::{TestSealer, entities};
use tokio::sync::oneshot;

use super::choices::Choices;
use super::ports::time_delta;
use super::provider::{Books, Manners};

/// What may go wrong in a run.
#[expect(clippy::struct_excessive_bools, reason = "each says of one fault whether it is among them")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// How much of it all.
    pub(crate) at_most: usize,
    /// Processes die.
    pub(crate) kills: bool,
    /// Processes stand still for so many seconds.
    pub(crate) freezes: &'static [u64],
    /// Processes stand still until another is about to follow their request.
    pub(crate) wakes_late: bool,
    /// Single calls of the store fail, before or after they were done.
    pub(crate) calls: bool,
    /// The store is away for so many seconds.
    pub(crate) outage: Option<u64>,
    /// Requests and answers of the provider get lost.
    pub(crate) network: bool,
    /// The clock of a process jumps by an hour.
    pub(crate) clocks: bool,
}

/// Where a call waits to be let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// At the store.
    Store(&'static str),
    Sealer,
    /// The provider has answered.
    Answer,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passes,
    Fails,
    /// It is done, and its caller does not hear of it.
    FailsAfterwards,
}

/// What the provider, or the way to it, makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Prompt,
    /// It takes longer than a holder may be silent.
    Slow(Duration),
    /// It is served, and the answer does not come.
    AnswerLost,
    /// It is served, and no end of the answer comes either.
    Hangs,
    /// It is turned away.
    Busy,
    NotReached,
}

const SLOW: Behaviour = Behaviour::Slow(Duration::from_secs(3));
const NETWORK: [Behaviour; 4] =
    [Behaviour::AnswerLost, Behaviour::Hangs, Behaviour::Busy, Behaviour::NotReached];

/// A call that waits.
pub(crate) struct Waiting {
    pub(crate) process: usize,
    pub(crate) gate: Gate,
    pub(crate) go: oneshot::Sender<Verdict>,
}

pub(crate) struct Timer {
    pub(crate) process: usize,
    pub(crate) at: Duration,
    pub(crate) ring: oneshot::Sender<()>,
}

pub(crate) struct State {
    pub(crate) now: Duration,
    /// How far the clock of each process is off.
    pub(crate) wall: Vec<TimeDelta>,
    pub(crate) choices: Choices,
    pub(crate) faults: Faults,
    /// In the order of their coming.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) timers: Vec<Timer>,
    /// The store is away until then.
    pub(crate) back_at: Duration,
    pub(crate) books: Books,
    /// The numbers of the access tokens that were stored, in this order.
    stored: Vec<u32>,
    /// Whether somebody asked with a token in whose place another had been stored.
    pub(crate) asked_with_replaced: bool,
    trace: Vec<String>,
}

pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) sealer: TestSealer,
    pub(crate) manners: Manners,
    /// The authorization as it was at the beginning.
    pub(crate) first: Authorization,
    state: Mutex<State>,
}

impl World {
    /// A store with one authorization whose token has just expired.
    pub(crate) async fn new(manners: Manners, faults: Faults, choices: Choices, processes: usize) -> Self {
        let (store, sealer) = (MemoryStore::new(), TestSealer::new());
        let organization = entities::organization();
        let account = entities::account(&organization);
        let mut provider = entities::provider(&organization);
        provider.client_secret = seal(&sealer, provider.secret_place(), "client secret").await;
        let mut first = entities::authorization(&account, &provider);
        first.expires_at = Some(entities::START);
        first.issued_at = entities::START - TimeDelta::hours(1);
        first.access_token = seal(&sealer, first.access_token_place(), "access-0").await;
        first.refresh_token = Some(seal(&sealer, first.refresh_token_place(), "refresh-0").await);
        let rows = vec![
            Change::insert(organization),
            Change::insert(account),
            Change::insert(provider),
            Change::insert(first.clone()),
        ];
        store.commit(rows).await.unwrap();
        let state = State {
            now: Duration::ZERO,
            wall: vec![TimeDelta::zero(); processes],
            choices,
            faults,
            waiting: Vec::new(),
            timers: Vec::new(),
            back_at: Duration::ZERO,
            books: Books::new(manners),
            stored: vec![0],
            asked_with_replaced: false,
            trace: Vec::new(),
        };
        Self { store, sealer, manners, first, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Duration {
        self.state().now
    }

    pub(crate) fn wall_clock(&self, process: usize) -> TimeDelta {
        let state = self.state();
        time_delta(state.now) + state.wall[process]
    }

    /// Waits until the simulation lets a call through.
    pub(crate) async fn pass(&self, process: usize, gate: Gate) -> Verdict {
        let (go, verdict) = oneshot::channel();
        self.state().waiting.push(Waiting { process, gate, go });
        verdict.await.unwrap_or(Verdict::Fails)
    }

    pub(crate) async fn sleep(&self, process: usize, time: Duration) {
        let (ring, rung) = oneshot::channel();
        {
            let mut state = self.state();
            let at = state.now.saturating_add(time);
            state.timers.push(Timer { process, at, ring });
        }
        // A timer that is dropped belongs to a simulation that is over.
        let _ = rung.await;
    }

    /// Makes a request to the provider.
    pub(crate) fn ask_provider(
        &self,
        process: usize,
        token: &str,
    ) -> (Behaviour, Result<TokenSet, UpstreamError>) {
        let mut state = self.state();
        let mut ways = vec![Behaviour::Prompt, SLOW];
        if state.faults.network && state.faults.at_most > 0 {
            ways.extend(NETWORK);
        }
        let way = state.choices.choose(ways.len());
        let behaviour = ways[way];
        if way > 1 {
            state.faults.at_most -= 1;
        }
        let is_served = !matches!(behaviour, Behaviour::Busy | Behaviour::NotReached);
        let now = state.now;
        let answer =
            if is_served { state.books.refresh(token, now) } else { Err(UpstreamError::NotSupported) };
        let replaced = state.stored.last().is_some_and(|newest| token != format!("refresh-{newest}"));
        state.asked_with_replaced |= replaced && self.manners.model != RefreshModel::Reusable;
        let is_ok = answer.is_ok();
        state.note(|| format!("{process} asks with {token}: {behaviour:?}, served {is_ok}"));
        (behaviour, answer)
    }

    /// Sees which token the row has now; it is never an older one than before.
    pub(crate) async fn look_at_tokens(&self) {
        let (row, _) = self.row().await;
        let token = self.open(row.access_token_place(), &row.access_token).await;
        let number = token.strip_prefix("access-").unwrap().parse().unwrap();
        let mut state = self.state();
        if state.stored.last() != Some(&number) {
            state.note(|| format!("stored {token}"));
            state.stored.push(number);
        }
    }

    /// What was decided in the run, when it is over.
    pub(crate) fn take_choices(&self) -> Choices {
        std::mem::replace(&mut self.state().choices, Choices::deviating(Vec::new()))
    }

    pub(crate) fn stored(&self) -> Vec<u32> {
        self.state().stored.clone()
    }

    /// The authorization as it is.
    pub(crate) async fn row(&self) -> (Authorization, Arc<Provider>) {
        let Authorization { organization_id, id, .. } = self.first;
        self.store.authorization(organization_id, id).await.unwrap().unwrap()
    }

    pub(crate) async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> String {
        self.sealer.open(place, sealed).await.unwrap().expose().to_owned()
    }

    /// The course of the run, for whoever has to find out why.
    pub(crate) fn trace(&self) -> String {
        let state = self.state();
        format!("{}\nto be had again by {:?}", state.trace.join("\n"), state.choices.made())
    }
}

impl State {
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        let line = format!("{:>7.1} s  {}", self.now.as_secs_f64(), what());
        self.trace.push(line);
    }
}

async fn seal(sealer: &TestSealer, place: SecretPlace, text: &str) -> SealedSecret {
    sealer.seal(place, &Secret::new(text.to_owned())).await.unwrap()
}
