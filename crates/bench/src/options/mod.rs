//! What is typed.

mod effort;
mod growth;
mod hand_out;
mod refresh;
mod start_up;

use std::path::PathBuf;
use std::thread;

use clap::{Args, Parser, ValueEnum};
use serde::Serialize;
use url::Url;

pub(crate) use self::effort::{Effort, Pace};
pub(crate) use self::growth::Growth;
pub(crate) use self::hand_out::HandOut;
pub(crate) use self::refresh::Refresh;
pub(crate) use self::start_up::StartUp;

/// Measures Grantkeeper beside a bare web handler, a bare database and a bare provider on the same machine.
#[derive(Debug, Parser)]
#[command(name = "grantkeeper-bench")]
pub(crate) enum Options {
    /// Hand out valid access tokens over HTTP.
    HandOut(Box<HandOut>),
    /// Hand out access tokens from databases of several sizes, all of them in turns.
    Growth(Box<Growth>),
    /// Start, and answer for the first time.
    StartUp(Box<StartUp>),
    /// Refresh tokens that are due, and find out which are.
    Refresh(Box<Refresh>),
    /// Answer every request with the same bytes: the web handler to compare with. Ends with its standard input.
    #[command(hide = true)]
    Peer(Peer),
    /// Be a simulated provider. Ends with its standard input.
    #[command(hide = true)]
    Provider,
}

/// Where databases are made.
#[derive(Debug, Args)]
pub(crate) struct Databases {
    /// The stores to measure; all that there are unless said otherwise.
    #[arg(long, value_enum, value_delimiter = ',')]
    store: Vec<StoreKind>,
    #[command(flatten)]
    pub(crate) server: DatabaseServer,
}

/// PostgreSQL.
#[derive(Debug, Args)]
pub(crate) struct DatabaseServer {
    /// A PostgreSQL server in which databases may be made and dropped.
    #[arg(long, value_name = "URL", env = "TEST_POSTGRES", hide_env_values = true)]
    pub(crate) postgres: Option<Url>,
    /// The `psql` to make databases with, as a command line; `pgbench` is looked for beside it.
    #[arg(long, value_name = "COMMAND", env = "TEST_POSTGRES_PSQL", default_value = "psql")]
    pub(crate) psql: String,
}

/// The program that is measured.
#[derive(Clone, Debug, Args)]
pub(crate) struct Program {
    /// The `grantkeeper` to measure; the one beside this program unless said otherwise.
    #[arg(long, value_name = "FILE")]
    pub(crate) service: Option<PathBuf>,
    /// A setting of the service that is not its default; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// How many threads answer, of the service and of the bare handler; one per core unless said otherwise.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
}

/// The stores there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    /// A file in the folder for temporary files.
    Sqlite,
    /// The server that `--postgres` names.
    Postgres,
}

/// What the bare handler answers.
#[derive(Debug, Args)]
pub(crate) struct Peer {
    /// A whole HTTP answer.
    #[arg(long)]
    pub(crate) answer: PathBuf,
    /// How many threads answer.
    #[arg(long)]
    pub(crate) workers: usize,
}

impl Databases {
    /// The stores to measure.
    pub(crate) fn stores(&self) -> Vec<StoreKind> {
        if !self.store.is_empty() {
            return self.store.clone();
        }
        let postgres = self.server.postgres.is_some().then_some(StoreKind::Postgres);
        [StoreKind::Sqlite].into_iter().chain(postgres).collect()
    }
}

impl Program {
    /// How many threads answer.
    pub(crate) fn workers(&self) -> usize {
        self.workers.unwrap_or_else(cores)
    }

    /// The same program with more settings.
    pub(crate) fn with(&self, settings: &[&str]) -> Self {
        let mut more = self.clone();
        more.settings.extend(settings.iter().map(|&setting| setting.to_owned()));
        more
    }
}

impl StoreKind {
    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// How many threads this machine runs at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn postgresql_is_measured_where_there_is_one() {
        let stores = |line: &str| match Options::try_parse_from(line.split(' ')).unwrap() {
            Options::HandOut(options) => options.databases.stores(),
            _ => panic!("{line}"),
        };
        let url = "postgres://user@127.0.0.1:5433/postgres";
        assert_eq!(
            stores(&format!("bench hand-out --postgres {url}")),
            [StoreKind::Sqlite, StoreKind::Postgres]
        );
        assert_eq!(
            stores(&format!("bench hand-out --postgres {url} --store postgres")),
            [StoreKind::Postgres]
        );
    }
}
