//! `refresh`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Databases, Program};

/// What is due, and how much of it.
#[derive(Debug, Args)]
pub(crate) struct Refresh {
    #[command(flatten)]
    pub(crate) databases: Databases,
    #[command(flatten)]
    pub(crate) program: Program,
    /// How many authorizations are due at once, in each round.
    #[arg(long, value_name = "N", default_value_t = 20_000, conflicts_with = "quick",
          value_parser = clap::value_parser!(u64).range(10..1 << 40))]
    due: u64,
    /// How many rounds are measured; each takes all contenders in turns.
    #[arg(long, value_name = "N", default_value_t = 3, conflicts_with = "quick",
          value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long the token endpoint alone is asked in each round; with 0 every connection sends one request.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, conflicts_with = "quick")]
    seconds: u32,
    /// Among how many authorizations with tokens of an hour those that are due are looked for.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, conflicts_with = "quick",
          value_parser = clap::value_parser!(u64).range(3_600..1 << 40))]
    scheduled: u64,
    /// One round over few authorizations: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Write all figures to this file as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Refresh {
    /// How many authorizations are due at once.
    pub(crate) fn due(&self) -> u64 {
        if self.quick { 2_000 } else { self.due }
    }

    /// How many rounds are measured.
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    /// How long the token endpoint alone is asked in each round.
    pub(crate) fn plain_loop(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { self.seconds.into() })
    }

    /// How many authorizations have a schedule.
    pub(crate) fn scheduled(&self) -> u64 {
        if self.quick { 36_000 } else { self.scheduled }
    }
}
