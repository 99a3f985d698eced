//! The benchmark: what handing out a token costs, beside what it could cost at best.
//!
//! The release binary serves as it does in production, from a database of made-up authorizations. The requests go in
//! turns to it, to a bare web handler that gives the same bytes from memory, and (as SQL) to the database alone, so
//! that whatever else the machine does slows all of them alike: the ratios are what to look at.
//!
//! - `hand_out` runs it all, `contender` is what takes part, `load` sends the requests.
//! - `installation` and `seeds` make what is served; `postgres` is a database of PostgreSQL and its own tools.
//! - `figures` is what is measured, `report` how it is told.

mod child;
mod contender;
mod cpu_time;
mod disk;
mod failure;
mod figures;
mod hand_out;
mod http;
mod installation;
mod load;
mod options;
mod peer;
mod population;
mod postgres;
mod report;
mod seeds;
mod sequence;
mod stopwatch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::options::Options;

fn main() -> ExitCode {
    let done = match Options::parse() {
        Options::HandOut(options) => hand_out::run(&options),
        Options::Peer(options) => peer::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
