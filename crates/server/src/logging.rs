//! The log of a service: to standard error, since standard output is for what commands say.

use std::io::{self, IsTerminal as _};

use grantkeeper_config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// The web server calls every malformed request an error, and anybody may send as many as they like. What the operator
/// says of the same module counts more, since it comes later.
const QUIET: &str = "actix_http::h1::dispatcher=off";

/// Starts logging, once in the life of the process.
pub(crate) fn start(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", log.level))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // It would be told on standard error, which is what cannot be written to, and panic over that: a full disk under
        // the log must not keep anybody from a token.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Human => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::of(format!("logging cannot be started: {error}")))
}
