//! What the starts came to.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Start, Starts};
use crate::figures::{Spread, micros};
use crate::hand_out::{SERVICE, label};
use crate::machine::Machine;
use crate::options::StoreKind;
use crate::report::{Table, VERSION, megabytes, millis, or_none};
use crate::target::{Bound, Target, Targets, Unit};

/// The longest until the first answer, in milliseconds.
const FIRST_ANSWER: f64 = 50.0;
/// The most memory of an idle service, in millions of bytes.
const IDLE_MEMORY: f64 = 30.0;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: u32,
    machine: Machine,
    /// How often everybody was started.
    starts: u32,
    runs: Vec<Run>,
}

/// Over one store.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    store: StoreKind,
    figures: Vec<StartFigures>,
    targets: Vec<Target>,
}

/// What all starts of one program came to.
#[derive(Debug, Serialize)]
struct StartFigures {
    /// Who it is, in a word.
    contender: &'static str,
    /// From the start to the end of the first answer, in microseconds.
    first_answer_micros: Option<Spread>,
    /// What it has in memory when it idles, in bytes; `None`: that cannot be known.
    idle_memory_bytes: Option<Spread>,
}

impl Report {
    /// All runs.
    pub(super) fn of(machine: Machine, starts: u32, runs: Vec<Run>) -> Self {
        Self { version: VERSION, machine, starts, runs }
    }
}

impl Run {
    /// All starts over one store.
    pub(super) fn of(store: StoreKind, starts: &[Starts]) -> Self {
        let figures: Vec<_> = starts.iter().map(StartFigures::of).collect();
        let service = figures.iter().find(|figures| figures.contender == SERVICE);
        Self { store, targets: service.map(StartFigures::targets).unwrap_or_default(), figures }
    }

    /// As tables for people.
    pub(super) fn told(&self, machine: &Machine, starts: u32) -> String {
        let mut table = Table::headed(&["", "first answer ms", "idle MB"]);
        for row in &self.figures {
            table.add(vec![
                label(row.contender),
                or_none(row.first_answer_micros, millis),
                or_none(row.idle_memory_bytes, megabytes),
            ]);
        }
        let mut text = format!(
            "\n{}, {machine}; the median of {starts} starts, and the lowest and highest\n\n{table}",
            self.store.name(),
        );
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{}", Targets(&self.targets));
        text
    }
}

impl StartFigures {
    fn of(starts: &Starts) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 bytes of memory")]
        let memory = |start: &Start| start.idle_memory.map(|bytes| bytes as f64);
        Self {
            contender: starts.contender,
            first_answer_micros: Spread::of(starts.starts.iter().map(|start| micros(start.first_answer))),
            idle_memory_bytes: Spread::of(starts.starts.iter().filter_map(memory)),
        }
    }

    fn targets(&self) -> Vec<Target> {
        let first_answer = self.first_answer_micros.map(|micros| micros.divided_by(1e3));
        let memory = self.idle_memory_bytes.map(|bytes| bytes.divided_by(1e6));
        let judged =
            |what: &str, unit, value, most| Target::judged(what.to_owned(), unit, value, Bound::AtMost(most));
        vec![
            judged("from the start to the first token", Unit::Milliseconds, first_answer, FIRST_ANSWER),
            judged("memory when idle", Unit::Megabytes, memory, IDLE_MEMORY),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_service_is_held_to_time_and_memory_and_the_bare_handler_to_nothing() {
        let starts = |contender, millis: u64, bytes| {
            let start = Start { first_answer: Duration::from_millis(millis), idle_memory: Some(bytes) };
            Starts { contender, starts: vec![start; 3] }
        };
        let run =
            Run::of(StoreKind::Sqlite, &[starts("peer", 900, 900_000_000), starts(SERVICE, 49, 31_000_000)]);
        let machine = Machine { cores: 2, os: "linux", architecture: "x86_64", load_average: None };
        let told = run.told(&machine, 3);
        let lines: Vec<&str> =
            told.lines().filter(|line| line.ends_with("met") || line.ends_with("MISSED")).collect();
        assert!(lines[0].contains("first token") && lines[0].ends_with("met"), "{told}");
        assert!(lines[1].contains("31.0") && lines[1].ends_with("MISSED"), "{told}");
        assert_eq!(lines.len(), 2, "{told}");
    }
}
