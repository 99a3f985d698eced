//! What each size came to, beside the others.

use std::fmt;

use serde::Serialize;

use crate::failure::Failure;
use crate::figures::{Figures, Measured, Round, Spread, micros};
use crate::hand_out::{PEER, SERVICE, label};
use crate::machine::Machine;
use crate::options::{Effort, Growth, StoreKind};
use crate::postgres::ServerSettings;
use crate::report::{Table, VERSION, grouped, megabytes, millis, or_none, spread, tenths, whole};
use crate::target::{Bound, Target, Targets, Unit};

/// The slowest size takes at most so many times what the fastest takes.
const P50: f64 = 1.3;
const P99: f64 = 1.5;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: u32,
    machine: Machine,
    effort: Effort,
    store: StoreKind,
    connections: usize,
    /// How many requests were sent in a second.
    rate: u32,
    server: Option<ServerSettings>,
    peer: Option<Figures>,
    sizes: Vec<Size>,
    targets: Vec<Target>,
}

/// One of the databases.
#[derive(Debug, Serialize)]
struct Size {
    /// How many authorizations are in it.
    authorizations: u64,
    /// What the service did over it.
    service: Figures,
}

impl Report {
    /// All sizes; the figures are in the order in which the contenders took their turns.
    pub(super) fn of(
        machine: Machine,
        options: &Growth,
        server: Option<ServerSettings>,
        measured: &[Measured],
    ) -> Result<Self, Failure> {
        let named = |name| measured.iter().filter(move |measured| measured.contender == name);
        let peer = named(PEER).next();
        let services: Vec<&Measured> = named(SERVICE).collect();
        let mut sizes = Vec::new();
        for (authorizations, service) in options.sizes().into_iter().zip(&services) {
            let service = Figures::of(service).ok_or("there was no round")?;
            sizes.push(Size { authorizations, service });
        }
        Ok(Self {
            version: VERSION,
            machine,
            effort: options.pace.effort(),
            store: options.store,
            connections: options.connections(),
            rate: options.rate,
            server,
            peer: peer.and_then(Figures::of),
            sizes,
            targets: targets(&services),
        })
    }

    fn table(&self) -> Table {
        let mut table =
            Table::headed(&["", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "database CPU µs/req", "MB"]);
        let peer = self.peer.iter().map(|peer| row(label(PEER), peer));
        let sizes = self
            .sizes
            .iter()
            .map(|size| row(format!("{} authorizations", grouped(size.authorizations)), &size.service));
        peer.chain(sizes).for_each(|row| table.add(row));
        table
    }
}

fn row(name: String, figures: &Figures) -> Vec<String> {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 bytes of memory")]
    let memory = figures.peak_memory_bytes.map(|bytes| megabytes(bytes as f64));
    vec![
        name,
        spread(figures.requests_per_second, whole),
        spread(figures.p50_micros, millis),
        spread(figures.p99_micros, millis),
        or_none(figures.cpu_micros, tenths),
        or_none(figures.database_cpu_micros, tenths),
        memory.unwrap_or_else(|| "n/a".to_owned()),
    ]
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{} by size, {} requests a second over {} connections, {}; the median of {} rounds of {} s, and the lowest and \
             highest",
            self.store.name(),
            grouped(self.rate.into()),
            self.connections,
            self.machine,
            self.effort.rounds,
            self.effort.length.as_secs(),
        )?;
        if let Some(server) = &self.server {
            writeln!(f, "{server}")?;
        }
        write!(f, "\n{}{}", self.table(), Targets(&self.targets))
    }
}

/// How far the sizes may be apart; nothing where there is one.
fn targets(services: &[&Measured]) -> Vec<Target> {
    if services.len() < 2 {
        return Vec::new();
    }
    let judged = |figure: &str, value: fn(&Round) -> f64, most| {
        let what = format!("the slowest size : the fastest, {figure}");
        Target::judged(what, Unit::Ratio, apart(services, value), Bound::AtMost(most))
    };
    vec![judged("p50", |round| micros(round.p50), P50), judged("p99", |round| micros(round.p99), P99)]
}

/// What the slowest size takes in the middle of its rounds, by what the fastest does.
fn apart(services: &[&Measured], value: fn(&Round) -> f64) -> Option<Spread> {
    let medians = services.iter().filter_map(|service| Spread::of(service.rounds.iter().map(value)));
    let all = Spread::of(medians.map(|spread| spread.median))?;
    Some(Spread::single(all.highest / all.lowest))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn service(p50: [u64; 3]) -> Measured {
        let round = |p50| Round {
            requests: 100,
            elapsed: Duration::from_secs(1),
            p50: Duration::from_micros(p50),
            p99: Duration::from_micros(2 * p50),
            cpu: None,
            database_cpu: None,
        };
        Measured { contender: SERVICE, rounds: p50.map(round).to_vec(), peak_memory: None }
    }

    #[test]
    fn the_slowest_size_is_held_to_the_fastest() {
        // One slow round is no slow size.
        let sizes = [service([100, 100, 900]), service([80, 80, 80]), service([112, 112, 112])];
        let sizes: Vec<&Measured> = sizes.iter().collect();
        let judged = serde_json::to_value(targets(&sizes)).unwrap();
        assert_eq!(judged[0]["measured"]["median"], 1.4);
        assert_eq!((&judged[0]["met"], &judged[1]["met"]), (&false.into(), &true.into()));
    }

    #[test]
    fn one_size_is_held_to_nothing() {
        assert_eq!(targets(&[&service([1, 2, 3])]), []);
    }
}
