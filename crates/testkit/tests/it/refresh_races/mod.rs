//! The refresh engine in every order in which its calls can happen, with everything going wrong that can: systematically
//! for few deviations from the plain course, by chance for many.
//!
//! `REFRESH_RACES` multiplies the number of runs that are made by chance; more than 1 goes one deviation deeper too.

mod choices;
mod ports;
mod provider;
mod simulation;
mod world;

use std::time::Duration;

use grantkeeper_domain::providers::RefreshModel;
use grantkeeper_domain::tokens::RefreshOutcome;

use choices::{Choices, every_run};
use provider::Manners;
use simulation::Simulation;
use world::Faults;

/// Processes, their provider, what goes wrong, and what may come of it.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    processes: usize,
    model: RefreshModel,
    revokes_family: bool,
    faults: Faults,
    /// Whether a grant may be lost: the newest tokens are known to nobody who lives.
    may_lose: bool,
    /// Whether a token may be redeemed a second time.
    may_ask_twice: bool,
}

const GRACE: RefreshModel = RefreshModel::RotatingWithGrace(Duration::from_secs(4 * 3600));

const NO_FAULTS: Faults = Faults {
    at_most: 0,
    kills: false,
    freezes: &[],
    wakes_late: false,
    calls: false,
    outage: None,
    network: false,
    clocks: false,
};

/// A provider that ends the grant when a token comes a second time, and nothing goes wrong.
const STRICT: Scenario = Scenario {
    processes: 2,
    model: RefreshModel::Rotating,
    revokes_family: true,
    faults: NO_FAULTS,
    may_lose: false,
    may_ask_twice: false,
};

/// What a caller gets at last, when everything is over and all goes well again.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Lives,
    Dead(String),
}

impl Scenario {
    fn run(&self, choices: Choices) -> Choices {
        let manners = Manners { model: self.model, revokes_family: self.revokes_family };
        let mut simulation = Simulation::start(self.processes, manners, self.faults, choices);
        simulation.settle();
        if self.faults.at_most == 0 {
            let is_refreshed = |outcome: &RefreshOutcome| *outcome == RefreshOutcome::Refreshed;
            let is_good = simulation.served() == 1 && simulation.outcomes().iter().all(is_refreshed);
            assert!(is_good, "{:?}\n{}", simulation.outcomes(), simulation.world.trace());
        }
        simulation.calm();
        let fate = fate(&mut simulation);
        if let Err(complaint) = self.judge(&simulation, &fate) {
            panic!("{complaint}\n{self:?}\n{}", simulation.world.trace());
        }
        simulation.world.take_choices()
    }

    fn judge(&self, simulation: &Simulation, fate: &Fate) -> Result<(), &'static str> {
        let stored = simulation.world.stored();
        let state = simulation.world.state();
        if !stored.is_sorted() {
            return Err("an older token took the place of a newer one");
        }
        if state.asked_with_replaced {
            return Err("a token was redeemed in whose place another had been stored");
        }
        if state.books.asked_twice && !self.may_ask_twice {
            return Err("a token was redeemed twice");
        }
        let Fate::Dead(reason) = fate else { return Ok(()) };
        if !self.may_lose {
            return Err("a grant was lost");
        }
        if reason != "rotation_lost" {
            return Err("the reason is not told");
        }
        if state.books.served < stored.len() {
            return Err("nothing had been rotated");
        }
        Ok(())
    }

    /// Every run with so many deviations at most; in a soak, with one more.
    fn exhaust(&self, depth: usize, horizon: usize) {
        let depth = depth + usize::from(soak() > 1);
        let runs = every_run(depth, horizon, &|choices| self.run(choices));
        assert!(runs > 50, "{runs} runs are not many");
    }

    fn by_chance(&self, runs: u64) {
        for seed in 0..runs * soak() {
            self.run(Choices::by_chance(seed));
        }
    }
}

fn soak() -> u64 {
    std::env::var("REFRESH_RACES").map_or(1, |factor| factor.parse().expect("REFRESH_RACES is a number"))
}

fn fate(simulation: &mut Simulation) -> Fate {
    for _ in 0..5 {
        simulation.pass(Duration::from_secs(1800));
        match simulation.call_anew() {
            RefreshOutcome::Refreshed => {
                assert!(simulation.is_worth_something(), "{}", simulation.world.trace());
                return Fate::Lives;
            }
            RefreshOutcome::Dead { reason } => return Fate::Dead(reason),
            RefreshOutcome::ClientRefused | RefreshOutcome::Failed { .. } => {}
        }
    }
    panic!("nothing can be had though all is well:\n{}", simulation.world.trace());
}

#[test]
fn in_every_order_the_provider_is_asked_once_and_everybody_gets_its_answer() {
    for processes in [2, 3] {
        Scenario { processes, ..STRICT }.exhaust(2, 40);
    }
    Scenario { processes: 4, ..STRICT }.by_chance(200);
}

#[test]
fn calls_of_the_store_that_fail_cost_nothing_whether_they_were_done_or_not() {
    let faults = Faults { at_most: 2, calls: true, ..NO_FAULTS };
    Scenario { faults, ..STRICT }.exhaust(2, 24);
    Scenario { processes: 3, faults: Faults { at_most: 4, ..faults }, ..STRICT }.by_chance(150);
}

#[test]
fn a_store_that_is_away_for_minutes_in_the_middle_costs_nothing() {
    let faults = Faults { at_most: 1, outage: Some(240), ..NO_FAULTS };
    Scenario { processes: 3, faults, ..STRICT }.exhaust(2, 30);
    let faults = Faults { at_most: 3, calls: true, outage: Some(80), ..NO_FAULTS };
    Scenario { processes: 3, faults, ..STRICT }.by_chance(200);
}

#[test]
fn a_killed_process_costs_a_grant_only_where_it_had_the_only_answer() {
    let faults = Faults { at_most: 2, kills: true, ..NO_FAULTS };
    let killed = Scenario { faults, may_ask_twice: true, ..STRICT };
    Scenario { may_lose: true, ..killed }.exhaust(2, 40);
    for model in [RefreshModel::Reusable, RefreshModel::RotatingTolerant, GRACE] {
        Scenario { model, ..killed }.exhaust(2, 40);
        Scenario { model, processes: 3, ..killed }.by_chance(100);
    }
}

#[test]
fn who_stands_still_for_a_moment_costs_nothing_and_is_not_asked_after() {
    let faults = Faults { at_most: 2, freezes: &[3], ..NO_FAULTS };
    Scenario { faults, ..STRICT }.exhaust(2, 60);
    Scenario { processes: 3, faults: Faults { at_most: 1, ..faults }, ..STRICT }.by_chance(200);
}

#[test]
fn who_stands_still_for_long_brings_the_grant_back_with_the_answer() {
    let faults = Faults { at_most: 2, freezes: &[3, 60], ..NO_FAULTS };
    let frozen = Scenario { faults, revokes_family: false, may_ask_twice: true, ..STRICT };
    frozen.exhaust(2, 40);
    Scenario { processes: 3, ..frozen }.by_chance(200);
}

#[test]
fn who_wakes_when_another_is_about_to_follow_costs_nothing() {
    let faults = Faults { at_most: 1, wakes_late: true, ..NO_FAULTS };
    let frozen = Scenario { faults, revokes_family: false, may_ask_twice: true, ..STRICT };
    frozen.exhaust(2, 60);
    for model in [RefreshModel::Reusable, RefreshModel::RotatingTolerant, GRACE] {
        Scenario { model, ..frozen }.exhaust(2, 60);
        Scenario { processes: 3, model, ..frozen }.by_chance(100);
    }
}

#[test]
fn answers_that_get_lost_cost_a_grant_only_where_the_old_token_is_dead() {
    let faults = Faults { at_most: 2, network: true, ..NO_FAULTS };
    let lossy = Scenario { faults, may_ask_twice: true, ..STRICT };
    Scenario { may_lose: true, ..lossy }.exhaust(2, 60);
    for model in [RefreshModel::Reusable, RefreshModel::RotatingTolerant, GRACE] {
        Scenario { model, ..lossy }.exhaust(2, 60);
    }
}

#[test]
fn clocks_that_jump_by_an_hour_change_nothing() {
    let faults = Faults { at_most: 2, clocks: true, ..NO_FAULTS };
    for model in [RefreshModel::Rotating, GRACE] {
        Scenario { model, faults, ..STRICT }.exhaust(2, 20);
        Scenario { model, processes: 3, faults, ..STRICT }.by_chance(100);
    }
    let faults = Faults { at_most: 1, freezes: &[3], ..faults };
    Scenario { processes: 3, faults, ..STRICT }.by_chance(200);
}

#[test]
fn with_everything_going_wrong_at_once_a_grant_is_only_lost_with_its_newest_tokens() {
    let faults = Faults {
        at_most: 4,
        kills: true,
        freezes: &[3, 60],
        wakes_late: true,
        calls: true,
        outage: Some(80),
        network: true,
        clocks: true,
    };
    let everything = Scenario { processes: 3, faults, may_ask_twice: true, ..STRICT };
    Scenario { revokes_family: false, may_lose: true, ..everything }.by_chance(300);
    for model in [RefreshModel::Reusable, RefreshModel::RotatingTolerant] {
        Scenario { model, ..everything }.by_chance(100);
    }
}
