//! How the figures are told: a table for people, JSON for everything else.

mod table;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Serialize;

use self::table::Table;
use crate::failure::Failure;
use crate::figures::{Figures, Ratio, Spread};
use crate::hand_out::{Measured, PEER, SERVICE};
use crate::options::{HandOut, StoreKind, cores};
use crate::population::Population;
use crate::postgres::{PGBENCH_ALL, PGBENCH_READS, ServerSettings};

/// What was measured, and how.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Of this form of the document.
    version: u32,
    conditions: Conditions,
    runs: Vec<Run>,
}

/// Under which conditions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conditions {
    /// How many threads the machine runs at once.
    cores: usize,
    /// `linux`, `macos`.
    os: &'static str,
    /// `x86_64`, `aarch64`.
    architecture: &'static str,
    /// What else the machine did in the last minute, as Linux tells it.
    load_average: Option<f64>,
    /// How many connections asked, each for one token at a time.
    connections: usize,
    /// How many threads answered, of the service and of the bare handler.
    workers: usize,
    /// How many rounds there were.
    rounds: u32,
    /// How long each contender was measured in a round.
    seconds: u64,
    /// The service's settings that are not the defaults.
    settings: Vec<String>,
}

impl Conditions {
    /// As they are before anything is measured.
    pub(crate) fn of(options: &HandOut) -> Self {
        let load_average = fs::read_to_string("/proc/loadavg").ok();
        Self {
            cores: cores(),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            load_average: load_average.and_then(|line| line.split(' ').next()?.parse().ok()),
            connections: options.connections(),
            workers: options.workers(),
            rounds: options.effort().rounds,
            seconds: options.effort().length.as_secs(),
            settings: options.settings.clone(),
        }
    }
}

/// All that was measured over one database.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// Which store it was.
    store: StoreKind,
    /// How many authorizations were in it.
    authorizations: u64,
    /// How the database server is set, where there is one.
    server: Option<ServerSettings>,
    /// Of every contender.
    figures: Vec<Figures>,
    /// Of the service to every other contender.
    ratios: Vec<Ratio>,
}

impl Report {
    /// All runs.
    pub(crate) fn of(conditions: Conditions, runs: Vec<Run>) -> Self {
        Self { version: 1, conditions, runs }
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(fs::write(file, text)?)
    }

    /// What more authorizations cost; empty unless one store was measured with several numbers of them.
    pub(crate) fn growth_table(&self) -> String {
        let mut table = Table::headed(&[
            "the service by size",
            "authorizations",
            "req/s",
            "p50 ms",
            "p99 ms",
            "req/s : bare handler",
        ]);
        let mut compared = false;
        for run in &self.runs {
            let first = self.runs.iter().find(|first| first.store == run.store);
            let (Some(first), Some(figures)) = (first.and_then(Run::service), run.service()) else {
                continue;
            };
            compared |= first != figures;
            let beside = |value: Spread, first: Spread, text: String| {
                format!("{text} (× {:.2})", value.median / first.median)
            };
            let (rate, p50, p99) = (figures.requests_per_second, figures.p50_micros, figures.p99_micros);
            table.add(vec![
                run.store.name().to_owned(),
                grouped(run.authorizations),
                beside(rate, first.requests_per_second, whole(rate.median)),
                beside(p50, first.p50_micros, millis(p50.median)),
                beside(p99, first.p99_micros, millis(p99.median)),
                // What slowed the machine in one of the runs is left out of this.
                run.beside_peer().map_or_else(|| "n/a".to_owned(), |ratio| hundredths(ratio.median)),
            ]);
        }
        if compared { format!("\n{table}") } else { String::new() }
    }
}

impl Run {
    /// What all rounds over one database came to.
    pub(crate) fn of(
        store: StoreKind,
        population: Population,
        server: Option<ServerSettings>,
        measured: &[Measured],
    ) -> Self {
        let figures = measured.iter().filter_map(|(name, rounds)| Figures::of(name, rounds));
        let service = measured.iter().find(|(name, _)| *name == SERVICE);
        let others = measured.iter().filter(|(name, _)| *name != SERVICE);
        let ratios = service.into_iter().flat_map(|(_, service)| {
            others.clone().filter_map(|(name, rounds)| Ratio::between((SERVICE, service), (name, rounds)))
        });
        Self {
            store,
            authorizations: population.authorizations,
            server,
            figures: figures.collect(),
            ratios: ratios.collect(),
        }
    }

    fn service(&self) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.contender == SERVICE)
    }

    fn beside_peer(&self) -> Option<Spread> {
        let ratio = self.ratios.iter().find(|ratio| ratio.to == PEER);
        ratio.map(|ratio| ratio.requests_per_second)
    }

    /// The table for people.
    pub(crate) fn table(&self, conditions: &Conditions) -> String {
        let mut text = format!(
            "\n{}, {} authorizations at random, {} connections, {} workers, {} cores{}; the median of {} rounds of {} s, \
             and the lowest and highest\n\n",
            self.store.name(),
            grouped(self.authorizations),
            conditions.connections,
            conditions.workers,
            conditions.cores,
            conditions.load_average.map_or_else(String::new, |load| format!(" (load {load} before)")),
            conditions.rounds,
            conditions.seconds,
        );
        if let Some(server) = &self.server {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{server}\n");
        }
        let mut figures =
            Table::headed(&["", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "database CPU µs/req"]);
        for row in &self.figures {
            figures.add(vec![
                label(row.contender).to_owned(),
                spread(row.requests_per_second, whole),
                spread(row.p50_micros, millis),
                spread(row.p99_micros, millis),
                or_none(row.cpu_micros, tenths),
                or_none(row.database_cpu_micros, tenths),
            ]);
        }
        let mut ratios = Table::headed(&["ratios", "req/s", "p50", "p99", "CPU, all"]);
        for row in &self.ratios {
            ratios.add(vec![
                format!("{} : {}", label(row.of), label(row.to)),
                spread(row.requests_per_second, hundredths),
                spread(row.p50, hundredths),
                spread(row.p99, hundredths),
                or_none(row.cpu, hundredths),
            ]);
        }
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{figures}\n{ratios}");
        text
    }
}

impl StoreKind {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A contender as people read it.
fn label(contender: &str) -> &str {
    match contender {
        SERVICE => "grantkeeper serve",
        PEER => "bare handler",
        PGBENCH_READS => "pgbench, the reads",
        PGBENCH_ALL => "pgbench, reads and audit row",
        other => other,
    }
}

fn or_none(value: Option<Spread>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| spread(value, show))
}

fn spread(value: Spread, show: fn(f64) -> String) -> String {
    format!("{} ({}–{})", show(value.median), show(value.lowest), show(value.highest))
}

fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1_000.0)
}

fn hundredths(number: f64) -> String {
    format!("{number:.2}")
}

fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

fn whole(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are small and positive"
    )]
    grouped(number.round() as u64)
}

/// With a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
