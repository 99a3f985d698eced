//! The one binary: wiring and commands.
//!
//! - `cli` and `commands` are what an operator types, a file per command.
//! - `wiring` puts the adapters behind the domain's ports, `service` puts the web surface and the workers over them,
//!   and `demo` walks the main job through it all.

mod adapters;
mod cli;
mod commands;
mod demo;
mod effective_settings;
mod failure;
mod lifetime;
mod listening;
mod logging;
mod report;
mod service;
mod simulation;
mod stop_signals;
mod wiring;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(std::env::args_os()).await
}
