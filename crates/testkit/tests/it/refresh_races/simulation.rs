//! Processes that refresh one authorization, in every order in which their calls can happen.
//!
//! Each process is a tokio runtime of its own on this one thread. It runs only when it is driven, and stops at every call
//! of a port: so what happens next is always one of a list of events, and [`Choices`](super::choices::Choices) picks.
//! Dropping the runtime is `kill -9`; not driving it is `SIGSTOP`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::BackgroundTasks;
use grantkeeper_domain::authorizations::{Authorization, GrantState};
use grantkeeper_domain::services::Clock;
use grantkeeper_domain::tokens::{
    AwaitedAnswers, InFlight, ProviderGates, RefreshOutcome, RefreshTokensOnce, RefreshTurn, TokenSettings,
};
use grantkeeper_testkit::SeededRandom;
use tokio::runtime::Runtime;

use super::choices::Choices;
use super::ports::{Port, clients};
use super::provider::Manners;
use super::world::{Faults, Gate, State, Verdict, World};

/// Small times, so that little happens while one waits for them.
pub(crate) fn settings() -> TokenSettings {
    TokenSettings {
        upstream_limit: Duration::from_secs(4),
        lease_silence: Duration::from_secs(2),
        ..TokenSettings::default()
    }
}

/// One run.
pub(crate) struct Simulation {
    pub(crate) world: Arc<World>,
    processes: Vec<Process>,
    /// Runs what the simulation itself wants of the store.
    own: Runtime,
}

struct Process {
    /// `None`: it was killed.
    life: Option<(Runtime, Arc<RefreshTokensOnce>)>,
    /// It stands still until then, or until another one is about to write its own request down.
    thaws_at: Duration,
    thaws_when_followed: bool,
    outcomes: Arc<Mutex<Vec<RefreshOutcome>>>,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The call at that place in the queue goes on.
    Goes(usize, Verdict),
    /// Time passes until the next timer rings.
    TimePasses,
    Killed(usize),
    Frozen(usize, u64),
    FrozenUntilFollowed(usize),
    Outage(u64),
    ClockJumps(usize, i64),
}

/// A run that takes longer than this does not come to its end.
const LONGEST: usize = 50_000;
/// How far time passes while a call waits that could go on.
const SLOW_CALL: Duration = Duration::from_secs(1);
/// For how long who is never followed stands still.
const LONG: Duration = Duration::from_secs(60);
const HOUR: i64 = 3600;

impl Simulation {
    /// Every process has one caller, the first has two.
    pub(crate) fn start(processes: usize, manners: Manners, faults: Faults, choices: Choices) -> Self {
        let own = runtime();
        let world = Arc::new(own.block_on(World::new(manners, faults, choices, processes)));
        let mut simulation = Self { world, processes: Vec::new(), own };
        for number in 0..processes {
            simulation.processes.push(Process::start(&simulation.world, number));
        }
        let seen = simulation.world.first.clone();
        simulation.processes[0].call(seen.clone());
        for process in &simulation.processes {
            process.call(seen.clone());
        }
        simulation
    }

    /// Lets happen what may, until nothing is left to happen.
    pub(crate) fn settle(&mut self) {
        for _ in 0..LONGEST {
            self.wake_who_is_followed();
            let mut events = self.plain_events();
            if events.is_empty() {
                return;
            }
            events.extend(self.faults());
            let choice = self.world.state().choices.choose(events.len());
            self.happen(events[choice], choice != 0);
        }
        panic!("this has no end:\n{}", self.world.trace());
    }

    /// From here on nothing goes wrong.
    pub(crate) fn calm(&mut self) {
        let mut state = self.world.state();
        state.faults = Faults::default();
        state.choices.end();
    }

    /// A caller at a new process, who looks at the row and wants another token; what they get.
    pub(crate) fn call_anew(&mut self) -> RefreshOutcome {
        let seen = self.row();
        let number = self.processes.len();
        self.world.state().wall.push(TimeDelta::zero());
        self.processes.push(Process::start(&self.world, number));
        self.processes[number].call(seen);
        self.settle();
        let outcomes = self.processes[number].outcomes.lock().unwrap();
        let [outcome] = &outcomes[..] else { panic!("one outcome:\n{}", self.world.trace()) };
        outcome.clone()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.world.state().now += time;
    }

    /// The row as it is.
    pub(crate) fn row(&self) -> Authorization {
        self.own.block_on(self.world.row()).0
    }

    /// Whether the provider takes the refresh token of the row.
    pub(crate) fn is_worth_something(&self) -> bool {
        let row = self.row();
        let Some(token) = row.refresh_token.as_ref().filter(|_| row.grant == GrantState::Live) else {
            return false;
        };
        let token = self.own.block_on(self.world.open(row.refresh_token_place(), token));
        let state = self.world.state();
        state.books.takes(&token, state.now)
    }

    /// How many requests the provider has served.
    pub(crate) fn served(&self) -> usize {
        self.world.state().books.served
    }

    /// All outcomes that callers have got.
    pub(crate) fn outcomes(&self) -> Vec<RefreshOutcome> {
        self.processes.iter().flat_map(|process| process.outcomes.lock().unwrap().clone()).collect()
    }

    /// The plain course of things: calls go on in their order, and time passes when none is left. Any other call may come
    /// first, and time may pass before it.
    fn plain_events(&self) -> Vec<Event> {
        let mut state = self.world.state();
        state.waiting.retain(|waiting| !waiting.go.is_closed());
        state.timers.retain(|timer| !timer.ring.is_closed());
        let calls =
            state.waiting.iter().enumerate().filter(|(_, waiting)| !self.is_frozen(waiting.process, &state));
        let mut events: Vec<_> = calls.map(|(place, _)| Event::Goes(place, Verdict::Passes)).collect();
        // An answer that has come is read; a provider takes its time before that.
        let is_answered = state
            .waiting
            .iter()
            .any(|waiting| waiting.gate == Gate::Answer && !self.is_frozen(waiting.process, &state));
        if let Some(next) = self.next_time(&state)
            && (events.is_empty() || (!is_answered && next <= state.now + SLOW_CALL))
        {
            events.push(Event::TimePasses);
        }
        events
    }

    fn wake_who_is_followed(&mut self) {
        let state = self.world.state();
        if state.waiting.iter().any(|waiting| waiting.gate == Gate::Store("note") && !waiting.go.is_closed())
        {
            for process in self.processes.iter_mut().filter(|process| process.thaws_when_followed) {
                process.thaws_when_followed = false;
                process.thaws_at = state.now;
            }
        }
    }

    fn faults(&self) -> Vec<Event> {
        let state = self.world.state();
        let faults = state.faults;
        let mut events = Vec::new();
        if faults.at_most == 0 {
            return events;
        }
        if faults.calls {
            for (place, waiting) in state.waiting.iter().enumerate() {
                if matches!(waiting.gate, Gate::Store(_)) && !self.is_frozen(waiting.process, &state) {
                    events.push(Event::Goes(place, Verdict::Fails));
                    events.push(Event::Goes(place, Verdict::FailsAfterwards));
                }
            }
        }
        for (number, process) in self.processes.iter().enumerate() {
            if process.is_idle(number, &state) || self.is_frozen(number, &state) {
                continue;
            }
            if faults.kills {
                events.push(Event::Killed(number));
            }
            events.extend(faults.freezes.iter().map(|seconds| Event::Frozen(number, *seconds)));
            if faults.wakes_late {
                events.push(Event::FrozenUntilFollowed(number));
            }
            if faults.clocks {
                events.extend([Event::ClockJumps(number, -HOUR), Event::ClockJumps(number, HOUR)]);
            }
        }
        if let Some(seconds) = faults.outage.filter(|_| state.now >= state.back_at) {
            events.push(Event::Outage(seconds));
        }
        events
    }

    fn happen(&mut self, event: Event, is_deviation: bool) {
        let mut state = self.world.state();
        let is_fault = !matches!(event, Event::Goes(_, Verdict::Passes) | Event::TimePasses);
        if is_fault {
            state.faults.at_most -= 1;
        }
        if is_fault || is_deviation {
            state.note(|| format!("{event:?}"));
        }
        match event {
            Event::Goes(place, verdict) => {
                let waiting = state.waiting.remove(place);
                let is_away = matches!(waiting.gate, Gate::Store(_)) && state.now < state.back_at;
                let verdict = if is_away { Verdict::Fails } else { verdict };
                if waiting.gate != Gate::Store("read") && waiting.gate != Gate::Store("take") {
                    state.note(|| format!("{} {:?} {verdict:?}", waiting.process, waiting.gate));
                }
                drop(state);
                // A call that nobody waits for any more is over.
                let _ = waiting.go.send(verdict);
                self.processes[waiting.process].drive();
            }
            Event::TimePasses => {
                state.now = self.next_time(&state).expect("it was there when it was chosen");
                drop(state);
                self.ring();
            }
            Event::Killed(number) => {
                drop(state);
                self.processes[number].life = None;
            }
            Event::Frozen(number, seconds) => {
                self.processes[number].thaws_at = state.now + Duration::from_secs(seconds);
            }
            Event::FrozenUntilFollowed(number) => {
                self.processes[number].thaws_at = state.now + LONG;
                self.processes[number].thaws_when_followed = true;
            }
            Event::Outage(seconds) => state.back_at = state.now + Duration::from_secs(seconds),
            Event::ClockJumps(number, seconds) => state.wall[number] += TimeDelta::seconds(seconds),
        }
    }

    fn is_frozen(&self, process: usize, state: &State) -> bool {
        state.now < self.processes[process].thaws_at
    }

    /// When the next timer rings, or one that should have rung is heard.
    fn next_time(&self, state: &State) -> Option<Duration> {
        let heard = |process: usize, at: Duration| at.max(self.processes[process].thaws_at).max(state.now);
        let calls = state.waiting.iter().filter(|waiting| self.is_frozen(waiting.process, state));
        let thaws = calls.map(|waiting| heard(waiting.process, Duration::ZERO));
        state.timers.iter().map(|timer| heard(timer.process, timer.at)).chain(thaws).min()
    }

    fn ring(&mut self) {
        let mut state = self.world.state();
        let now = state.now;
        let processes = &self.processes;
        let (due, later) = std::mem::take(&mut state.timers)
            .into_iter()
            .partition(|timer| timer.at <= now && processes[timer.process].thaws_at <= now);
        state.timers = later;
        drop(state);
        let due: Vec<super::world::Timer> = due;
        for timer in due {
            let _ = timer.ring.send(());
            self.processes[timer.process].drive();
        }
    }
}

impl Process {
    fn start(world: &Arc<World>, number: usize) -> Self {
        let runtime = runtime();
        let tasks = {
            let _within = runtime.enter();
            BackgroundTasks::on_current_runtime()
        };
        let port = Arc::new(Port { world: Arc::clone(world), process: number });
        let clock: Arc<dyn Clock> = port.clone();
        let turn = Arc::new(RefreshTurn {
            authorizations: port.clone(),
            leases: port.clone(),
            clients: clients(Port::clone(&port)),
            sealer: port.clone(),
            store: port.clone(),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(number as u64)),
            settings: settings(),
            gates: ProviderGates::new(clock.clone(), 32, 100),
            awaited: AwaitedAnswers::default(),
        });
        let refresh = RefreshTokensOnce {
            authorizations: port.clone(),
            leases: port,
            turn,
            tasks,
            clock,
            settings: settings(),
            holder: format!("process {number}"),
            in_flight: InFlight::default(),
        };
        Self {
            life: Some((runtime, Arc::new(refresh))),
            thaws_at: Duration::ZERO,
            thaws_when_followed: false,
            outcomes: Arc::default(),
        }
    }

    /// A caller who has seen that row wants another token.
    fn call(&self, seen: Authorization) {
        let Some((runtime, refresh)) = &self.life else { return };
        let (refresh, outcomes) = (Arc::clone(refresh), Arc::clone(&self.outcomes));
        runtime.spawn(async move {
            let outcome = refresh.run(seen, Duration::from_secs(3600)).await;
            outcomes.lock().unwrap().push(outcome);
        });
        self.drive();
    }

    /// Runs it until it waits for something.
    fn drive(&self) {
        if let Some((runtime, _)) = &self.life {
            runtime.block_on(tokio::task::yield_now());
        }
    }

    /// Whether it has nothing to do, or is dead.
    fn is_idle(&self, number: usize, state: &State) -> bool {
        self.life.is_none()
            || !(state.waiting.iter().any(|waiting| waiting.process == number)
                || state.timers.iter().any(|timer| timer.process == number && !timer.ring.is_closed()))
    }
}

/// All of a runtime's tasks run before [`Process::drive`] goes on.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().event_interval(u32::MAX).build().unwrap()
}
