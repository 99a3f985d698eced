//! What is typed.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use serde::Serialize;
use url::Url;

/// Measures Grantkeeper beside a bare web handler and a bare database on the same machine.
#[derive(Debug, Parser)]
#[command(name = "grantkeeper-bench")]
pub(crate) enum Options {
    /// Hand out valid access tokens over HTTP.
    HandOut(Box<HandOut>),
    /// Answer every request with the same bytes: the web handler to compare with. Ends with its standard input.
    #[command(hide = true)]
    Peer(Peer),
}

/// What to measure, and for how long.
#[derive(Debug, Args)]
pub(crate) struct HandOut {
    /// The stores to measure; all that there are unless said otherwise.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) store: Vec<StoreKind>,
    /// A PostgreSQL server in which databases may be made and dropped.
    #[arg(long, value_name = "URL", env = "TEST_POSTGRES", hide_env_values = true)]
    pub(crate) postgres: Option<Url>,
    /// The `psql` to make databases with, as a command line; `pgbench` is looked for beside it.
    #[arg(long, value_name = "COMMAND", env = "TEST_POSTGRES_PSQL", default_value = "psql")]
    pub(crate) psql: String,
    /// How many authorizations there are; several numbers are measured one after the other.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100000",
          value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    pub(crate) authorizations: Vec<u64>,
    /// How many connections are kept open, each with one request at a time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = 1..=4_096)]
    pub(crate) connections: i64,
    /// How many threads answer, of the service and of the bare handler; one per core unless said otherwise.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// How many rounds are measured; each takes all contenders in turns.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// How long each contender is measured in a round; with 0 every connection sends one request.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) seconds: u32,
    /// How long each contender is warmed up first.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub(crate) warm_up: u32,
    /// Three rounds of one second among 10,000 authorizations: to see that it works.
    #[arg(long, conflicts_with_all = ["rounds", "seconds", "warm_up", "authorizations"])]
    quick: bool,
    /// Write all figures to this file as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// The `grantkeeper` to measure; the one beside this program unless said otherwise.
    #[arg(long, value_name = "FILE")]
    pub(crate) service: Option<PathBuf>,
    /// A setting of the service that is not its default; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
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

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    /// How often all contenders are measured.
    pub(crate) rounds: u32,
    /// How long one of them is measured in a round.
    pub(crate) length: Duration,
    /// How long it is warmed up before the first.
    pub(crate) warm_up: Duration,
}

impl HandOut {
    /// How much is measured.
    pub(crate) fn effort(&self) -> Effort {
        let second = Duration::from_secs(1);
        if self.quick {
            return Effort { rounds: 3, length: second, warm_up: second };
        }
        Effort { rounds: self.rounds, length: second * self.seconds, warm_up: second * self.warm_up }
    }

    /// How many authorizations there are, run by run.
    pub(crate) fn sizes(&self) -> Vec<u64> {
        if self.quick { vec![10_000] } else { self.authorizations.clone() }
    }

    /// How many connections are kept open.
    pub(crate) fn connections(&self) -> usize {
        usize::try_from(self.connections).expect("it was checked to be a small positive number")
    }

    /// How many threads answer.
    pub(crate) fn workers(&self) -> usize {
        self.workers.unwrap_or_else(cores)
    }

    /// The stores to measure.
    pub(crate) fn stores(&self) -> Vec<StoreKind> {
        if !self.store.is_empty() {
            return self.store.clone();
        }
        let postgres = self.postgres.is_some().then_some(StoreKind::Postgres);
        [StoreKind::Sqlite].into_iter().chain(postgres).collect()
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

    fn hand_out(line: &str) -> HandOut {
        match Options::try_parse_from(line.split(' ')).unwrap() {
            Options::HandOut(options) => *options,
            Options::Peer(_) => panic!("{line}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn postgresql_is_measured_where_there_is_one() {
        let url = "postgres://user@127.0.0.1:5433/postgres";
        assert_eq!(
            hand_out(&format!("bench hand-out --postgres {url}")).stores(),
            [StoreKind::Sqlite, StoreKind::Postgres]
        );
        assert_eq!(
            hand_out(&format!("bench hand-out --postgres {url} --store postgres")).stores(),
            [StoreKind::Postgres]
        );
    }

    #[test]
    fn several_sizes_are_measured_one_after_the_other() {
        let options = hand_out("bench hand-out --authorizations 1000,100000 --seconds 0");
        assert_eq!(options.sizes(), [1_000, 100_000]);
        assert_eq!(options.effort().length, Duration::ZERO);
    }

    #[test]
    fn a_quick_run_is_short() {
        let options = hand_out("bench hand-out --quick");
        assert_eq!(options.sizes(), [10_000]);
        assert_eq!(options.effort().rounds, 3);
    }
}
