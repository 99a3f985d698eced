//! The benchmark of refreshing: how many tokens one process refreshes, and what it costs to find those that are due.

mod claims;
mod due;
mod provider;
mod report;
mod token_requests;

use std::sync::Arc;

use self::due::Due;
use self::provider::Provider;
pub(crate) use self::provider::serve as serve_provider;
use self::report::{Report, Run};
use crate::failure::Failure;
use crate::machine::Machine;
use crate::options::{Refresh, StoreKind};
use crate::place::Place;
use crate::population::{Population, REFERENCE};
use crate::report::write;
use crate::rounds::say;
use crate::sequence::Sequence;

/// The simulated provider is on this machine, where the service calls nobody unless it is told to.
const REACHABLE: &str = "network.allow=127.0.0.1/32";

/// One round of refreshing.
#[derive(Clone, Copy, Debug)]
struct Refreshed {
    /// How many tokens there were in a second.
    per_second: f64,
    /// CPU microseconds for each: of the service, of its database and of the provider; `None`: it has none of its own, or
    /// cannot be known.
    cpu: Option<f64>,
    database_cpu: Option<f64>,
    provider_cpu: Option<f64>,
}

/// Measures what was asked for, prints it, and writes it down.
pub(crate) fn run(options: &Refresh) -> Result<(), Failure> {
    let machine = Machine::here();
    let mut runs = Vec::new();
    for store in options.databases.stores() {
        let run = measure(store, options)?;
        println!("{}", run.told(&machine));
        runs.push(run);
    }
    write(&Report::of(machine, runs), options.json.as_deref())
}

fn measure(store: StoreKind, options: &Refresh) -> Result<Run, Failure> {
    let (mut service, mut endpoint) = (Vec::new(), Vec::new());
    for number in 1..=options.rounds() {
        say(&format!("round {number} of {}", options.rounds()));
        let random = Arc::new(Sequence::new(number.into()));
        let population = Population::of(options.due(), REFERENCE);
        let place = Place::for_population(store, &options.databases.server, population, &random)?;
        // Of each round its own: it remembers every token that it has ever issued.
        let provider = Provider::start(&place.installation)?;
        endpoint.push(token_requests::measure(&provider, options.plain_loop())?);
        let due = Due::seed(place, store, &provider, population, &random)?;
        service.push(due.refresh(&options.program.with(&[REACHABLE]), &provider)?);
    }
    let claims = claims::measure(store, &options.databases.server, options.scheduled())?;
    Ok(Run::of(store, options.due(), &service, &endpoint, claims))
}
