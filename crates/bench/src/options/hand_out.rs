//! `hand-out`.

use std::path::PathBuf;

use clap::Args;

use super::{Databases, Pace, Program, StoreKind};

/// What to hand out, from where, and for how long.
#[derive(Debug, Args)]
pub(crate) struct HandOut {
    #[command(flatten)]
    pub(crate) databases: Databases,
    #[command(flatten)]
    pub(crate) program: Program,
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// How many authorizations there are: 100,000 on SQLite and a million on PostgreSQL unless said otherwise.
    #[arg(long, value_name = "N", conflicts_with = "quick", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    authorizations: Option<u64>,
    /// Nobody has used any of them for months, so that the first hand-out of each is noted with it. They are in use unless said
    /// otherwise: that is noted once in the better part of a day.
    #[arg(long)]
    pub(crate) long_unused: bool,
    /// How many connections are kept open, each with one request at a time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = 1..=4_096)]
    connections: i64,
    /// How many there are where the record of every hand-out is on disk before its token leaves.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = 1..=4_096)]
    connections_before_release: i64,
    /// Write all figures to this file as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl HandOut {
    /// How many authorizations there are.
    pub(crate) fn authorizations(&self, store: StoreKind) -> u64 {
        let usual = match store {
            _ if self.pace.quick => 10_000,
            StoreKind::Sqlite => 100_000,
            StoreKind::Postgres => 1_000_000,
        };
        self.authorizations.unwrap_or(usual)
    }

    /// How many connections are kept open.
    pub(crate) fn connections(&self) -> usize {
        count(self.connections)
    }

    /// How many there are where records come first.
    pub(crate) fn connections_before_release(&self) -> usize {
        count(self.connections_before_release)
    }
}

pub(super) fn count(connections: i64) -> usize {
    usize::try_from(connections).expect("it was checked to be a small positive number")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;

    use super::*;
    use crate::options::Options;

    fn hand_out(line: &str) -> HandOut {
        match Options::try_parse_from(line.split(' ')).unwrap() {
            Options::HandOut(options) => *options,
            _ => panic!("{line}"),
        }
    }

    #[test]
    fn there_are_as_many_authorizations_as_the_targets_are_about() {
        let usual = hand_out("bench hand-out");
        assert_eq!(usual.authorizations(StoreKind::Postgres), 1_000_000);
        assert_eq!(usual.authorizations(StoreKind::Sqlite), 100_000);
        let told = hand_out("bench hand-out --authorizations 50 --seconds 0");
        assert_eq!(told.authorizations(StoreKind::Postgres), 50);
        assert_eq!(told.pace.effort().length, Duration::ZERO);
    }

    #[test]
    fn a_quick_run_is_short() {
        let options = hand_out("bench hand-out --quick");
        assert_eq!(options.authorizations(StoreKind::Postgres), 10_000);
        assert_eq!(options.pace.effort().rounds, 3);
    }
}
