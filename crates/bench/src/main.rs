//! The benchmark: what handing out a token costs, and refreshing one, beside what it could cost at best.
//!
//! The release binary serves as it does in production, from a database of made-up authorizations. The requests go in
//! turns to it, to a bare web handler that gives the same bytes from memory, and (as SQL) to the database alone, so
//! that whatever else the machine does slows all of them alike: the ratios are what to look at.
//!
//! - `hand_out`, `growth`, `start_up` and `refresh` each run a benchmark; `rounds` takes everybody in turns,
//!   `contender` is who takes part, `load` sends the requests.
//! - `planted` is what is served: a `place` (installation and database) with `seeds` in it; `postgres` is a database of
//!   PostgreSQL and its own tools.
//! - `figures` is what is measured, `target` what it has to be, `report` how it is told.

mod child;
mod connection;
mod contender;
mod cpu_time;
mod disk;
mod failure;
mod figures;
mod growth;
mod hand_out;
mod http;
mod installation;
mod load;
mod machine;
mod memory;
mod options;
mod peer;
mod place;
mod planted;
mod population;
mod postgres;
mod refresh;
mod report;
mod rounds;
mod seeds;
mod sequence;
mod start_up;
mod stopwatch;
mod target;
mod turns;

use std::process::ExitCode;

use clap::Parser as _;

use crate::options::Options;

fn main() -> ExitCode {
    let done = match Options::parse() {
        Options::HandOut(options) => hand_out::run(&options),
        Options::Growth(options) => growth::run(&options),
        Options::StartUp(options) => start_up::run(&options),
        Options::Refresh(options) => refresh::run(&options),
        Options::Peer(options) => peer::run(&options),
        Options::Provider => refresh::serve_provider(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
