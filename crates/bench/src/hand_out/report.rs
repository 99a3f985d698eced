//! What was measured, and how.

use std::fmt::Write as _;

use serde::Serialize;

use super::targets::targets;
use super::{HOT, PEER, SERVICE, SERVICE_HOT};
use crate::figures::{Figures, Measured, Ratio};
use crate::load::Connections;
use crate::machine::Machine;
use crate::options::{Effort, Program, StoreKind};
use crate::population::Population;
use crate::postgres::{PGBENCH_READ, PGBENCH_READS, ServerSettings};
use crate::report::{Table, VERSION, grouped, hundredths, megabytes, millis, or_none, spread, tenths, whole};
use crate::target::{Target, Targets};

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: u32,
    machine: Machine,
    effort: Effort,
    runs: Vec<Run>,
}

/// All that was measured over one database.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    /// Which store it was.
    store: StoreKind,
    /// How many authorizations were in it.
    authorizations: u64,
    /// Whether they had been used just before it began.
    in_use: bool,
    /// How the database server is set, where there is one.
    server: Option<ServerSettings>,
    /// One after the other.
    comparisons: Vec<Comparison>,
    /// What was to be reached.
    pub(super) targets: Vec<Target>,
}

/// One load, and what everybody made of it in turns.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    /// How the service was set, in a word.
    pub(super) name: &'static str,
    /// How many connections asked, each for one token at a time.
    pub(super) connections: usize,
    /// How many threads answered, of the service and of the bare handler.
    workers: usize,
    /// The service's settings that are not the defaults.
    settings: Vec<String>,
    /// Of every contender.
    pub(super) figures: Vec<Figures>,
    /// Of the service to every other contender, where that makes sense.
    ratios: Vec<Ratio>,
}

impl Report {
    /// All runs.
    pub(super) fn of(machine: Machine, effort: Effort, runs: Vec<Run>) -> Self {
        Self { version: VERSION, machine, effort, runs }
    }
}

impl Run {
    /// What all comparisons over one database came to.
    pub(super) fn of(
        store: StoreKind,
        population: Population,
        server: Option<ServerSettings>,
        comparisons: Vec<Comparison>,
    ) -> Self {
        let targets = targets(store, &comparisons);
        let Population { authorizations, in_use, .. } = population;
        Self { store, authorizations, in_use, server, comparisons, targets }
    }

    /// As tables for people.
    pub(super) fn told(&self, machine: &Machine, effort: Effort) -> String {
        let mut text = format!(
            "\n{}, {} authorizations {}, {machine}; the median of {} rounds of {} s, and the lowest and highest\n",
            self.store.name(),
            grouped(self.authorizations),
            if self.in_use { "in use" } else { "not used for months" },
            effort.rounds,
            effort.length.as_secs(),
        );
        // Writing to a `String` cannot fail.
        if let Some(server) = &self.server {
            let _ = writeln!(text, "{server}");
        }
        for comparison in &self.comparisons {
            let _ = write!(text, "\n{}", comparison.told());
        }
        let _ = write!(text, "{}", Targets(&self.targets));
        text
    }
}

impl Comparison {
    /// What all rounds came to.
    pub(super) fn of(
        name: &'static str,
        connections: Connections,
        program: &Program,
        measured: &[Measured],
    ) -> Self {
        let pairs = measured.iter().flat_map(|of| measured.iter().map(move |to| (of, to)));
        let ratios = pairs.filter(|(of, to)| makes_sense(of.contender, to.contender));
        Self {
            name,
            connections: connections.count,
            workers: program.workers(),
            settings: program.settings.clone(),
            figures: measured.iter().filter_map(Figures::of).collect(),
            ratios: ratios.filter_map(|(of, to)| Ratio::between(of, to)).collect(),
        }
    }

    /// One of the ratios.
    pub(super) fn ratio(&self, of: &str, to: &str) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| ratio.of == of && ratio.to == to)
    }

    fn told(&self) -> String {
        let head = [format!("{} connections, {} workers", self.connections, self.workers)];
        let head = [&head[..], &self.settings].concat().join(", ");
        format!("{head}\n\n{}\n{}", self.figures_table(), self.ratios_table())
    }

    fn figures_table(&self) -> Table {
        let mut table =
            Table::headed(&["", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "database CPU µs/req", "MB"]);
        for row in &self.figures {
            table.add(vec![
                label(row.contender),
                spread(row.requests_per_second, whole),
                spread(row.p50_micros, millis),
                spread(row.p99_micros, millis),
                or_none(row.cpu_micros, tenths),
                or_none(row.database_cpu_micros, tenths),
                memory(row.peak_memory_bytes),
            ]);
        }
        table
    }

    fn ratios_table(&self) -> Table {
        let mut table = Table::headed(&["ratios", "req/s", "p50", "p99", "CPU, all"]);
        for row in &self.ratios {
            table.add(vec![
                format!("{} : {}", label(row.of), label(row.to)),
                spread(row.requests_per_second, hundredths),
                spread(row.p50, hundredths),
                spread(row.p99, hundredths),
                or_none(row.cpu, hundredths),
            ]);
        }
        table
    }
}

/// The service is compared with everybody else; where it need not ask the database, not with that.
fn makes_sense(of: &str, to: &str) -> bool {
    match of {
        SERVICE => ![SERVICE, SERVICE_HOT].contains(&to),
        SERVICE_HOT => to == PEER,
        _ => false,
    }
}

fn memory(bytes: Option<u64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 bytes of memory")]
    bytes.map_or_else(|| "n/a".to_owned(), |bytes| megabytes(bytes as f64))
}

/// A contender as people read it.
pub(crate) fn label(contender: &str) -> String {
    match contender {
        SERVICE => "grantkeeper serve".to_owned(),
        SERVICE_HOT => format!("grantkeeper serve, {HOT} hot ones"),
        PEER => "bare handler".to_owned(),
        PGBENCH_READ => "pgbench, the authorization".to_owned(),
        PGBENCH_READS => "pgbench, caller and authorization".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
