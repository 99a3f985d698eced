//! `growth`.

use std::path::PathBuf;

use clap::Args;

use super::hand_out::count;
use super::{DatabaseServer, Pace, Program, StoreKind};

/// Which sizes, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Growth {
    /// The store to measure.
    #[arg(long, value_enum, default_value = "postgres")]
    pub(crate) store: StoreKind,
    #[command(flatten)]
    pub(crate) server: DatabaseServer,
    #[command(flatten)]
    pub(crate) program: Program,
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// How many authorizations there are in each database.
    #[arg(long, value_name = "N", value_delimiter = ',', conflicts_with = "quick",
          default_value = "1000,100000,5000000", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    authorizations: Vec<u64>,
    /// How many requests are sent in a second: so few that the service has forgotten an authorization when its turn comes
    /// again, and as fast as one can answer that has to ask its database for each.
    #[arg(long, value_name = "N", default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// How many connections are kept open, each with one request at a time.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = 1..=4_096)]
    connections: i64,
    /// Write all figures to this file as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Growth {
    /// How many authorizations there are, database by database.
    pub(crate) fn sizes(&self) -> Vec<u64> {
        if self.pace.quick { vec![1_000, 10_000, 30_000] } else { self.authorizations.clone() }
    }

    /// How many connections are kept open.
    pub(crate) fn connections(&self) -> usize {
        count(self.connections)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::options::Options;

    #[test]
    fn the_sizes_are_those_of_the_target_unless_said_otherwise() {
        let sizes = |line: &str| match Options::try_parse_from(line.split(' ')).unwrap() {
            Options::Growth(options) => options.sizes(),
            _ => panic!("{line}"),
        };
        assert_eq!(sizes("bench growth"), [1_000, 100_000, 5_000_000]);
        assert_eq!(sizes("bench growth --authorizations 10,20"), [10, 20]);
    }
}
