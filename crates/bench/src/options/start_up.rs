//! `start-up`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Databases, Program};

/// How often to start.
#[derive(Debug, Args)]
pub(crate) struct StartUp {
    #[command(flatten)]
    pub(crate) databases: Databases,
    #[command(flatten)]
    pub(crate) program: Program,
    /// How often it is started.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    starts: u32,
    /// How long it idles before its memory is looked at.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1_500)]
    idle_ms: u32,
    /// Five short starts: to see that it works.
    #[arg(long, conflicts_with_all = ["starts", "idle_ms"])]
    quick: bool,
    /// Write all figures to this file as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl StartUp {
    /// How often it is started.
    pub(crate) fn starts(&self) -> u32 {
        if self.quick { 5 } else { self.starts }
    }

    /// How long it idles before its memory is looked at.
    pub(crate) fn idles(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { self.idle_ms.into() })
    }
}
