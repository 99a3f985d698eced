//! `demo`.

use std::net::SocketAddr;

use clap::Args;

use crate::cli::GlobalOptions;
use crate::demo;
use crate::failure::Failure;

/// Walk the main job against a simulated provider, step by step, then keep serving to be tried out.
///
/// It brings everything along: a key, a database in a new temporary folder, the simulated provider, two
/// organizations and their accounts. It reads neither a configuration file nor the environment; --set counts.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to listen, on this machine; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[arg(
        long,
        value_name = "URL",
        help = "Keep the data in this new database instead, such as sqlite://demo.db, and leave it there"
    )]
    database: Option<String>,
    /// Nobody is asked: the simulated provider approves by itself, and our own confirmation page is off.
    #[arg(long)]
    auto_consent: bool,
    /// End after the walk.
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) async fn run(self, options: &GlobalOptions) -> Result<(), Failure> {
        let Self { listen, database, auto_consent, once } = self;
        demo::run(&demo::Wishes { listen, database, auto_consent, once }, options).await
    }
}
