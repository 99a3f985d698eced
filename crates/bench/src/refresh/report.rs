//! What refreshing came to.

use std::fmt::Write as _;

use serde::Serialize;

use super::Refreshed;
use super::claims::Claims;
use crate::figures::Spread;
use crate::machine::Machine;
use crate::options::StoreKind;
use crate::report::{Table, VERSION, grouped, hundredths, or_none, spread, tenths, whole};
use crate::target::{Bound, Target, Targets, Unit};

/// How many tokens one process refreshes in a second.
const PER_SECOND: f64 = 1_000.0;
/// So much of one core may go into finding out what is due, among a million.
const CORES: f64 = 0.5;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: u32,
    machine: Machine,
    runs: Vec<Run>,
}

/// Over one store.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    store: StoreKind,
    /// How many were due at once.
    due: u64,
    /// How often.
    rounds: usize,
    /// The service.
    service: Figures,
    /// The token endpoint alone, by a plain loop.
    endpoint: Figures,
    /// Of their refreshes in a second, round by round.
    ratio: Option<Spread>,
    /// Finding out what is due.
    claims: Claims,
    targets: Vec<Target>,
}

/// What all rounds came to.
#[derive(Debug, Serialize)]
struct Figures {
    /// Refreshes in a second.
    per_second: Option<Spread>,
    /// CPU microseconds for each, of the process itself.
    cpu_micros: Option<Spread>,
    /// Of its database.
    database_cpu_micros: Option<Spread>,
    /// Of the provider.
    provider_cpu_micros: Option<Spread>,
}

impl Figures {
    fn of(rounds: &[Refreshed]) -> Self {
        let known = |value: fn(&Refreshed) -> Option<f64>| Spread::of(rounds.iter().filter_map(value));
        Self {
            per_second: Spread::of(rounds.iter().map(|round| round.per_second)),
            cpu_micros: known(|round| round.cpu),
            database_cpu_micros: known(|round| round.database_cpu),
            provider_cpu_micros: known(|round| round.provider_cpu),
        }
    }

    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            or_none(self.per_second, whole),
            or_none(self.cpu_micros, tenths),
            or_none(self.database_cpu_micros, tenths),
            or_none(self.provider_cpu_micros, tenths),
        ]
    }
}

impl Report {
    /// All runs.
    pub(super) fn of(machine: Machine, runs: Vec<Run>) -> Self {
        Self { version: VERSION, machine, runs }
    }
}

impl Run {
    /// All rounds over one store: the service, and the endpoint right before it.
    pub(super) fn of(
        store: StoreKind,
        due: u64,
        service: &[Refreshed],
        endpoint: &[Refreshed],
        claims: Claims,
    ) -> Self {
        let pairs = service.iter().zip(endpoint);
        let ratio = Spread::of(pairs.map(|(service, endpoint)| service.per_second / endpoint.per_second));
        let (rounds, service, endpoint) = (service.len(), Figures::of(service), Figures::of(endpoint));
        let targets = vec![
            Target::judged(
                "tokens refreshed by one process".to_owned(),
                Unit::PerSecond,
                service.per_second,
                Bound::AtLeast(PER_SECOND),
            ),
            Target::judged(
                format!("finding out what is due among {}", grouped(claims.authorizations)),
                Unit::Cores,
                claims.cores.map(Spread::single),
                Bound::AtMost(CORES),
            ),
        ];
        Self { store, due, rounds, service, endpoint, ratio, claims, targets }
    }

    /// As tables for people.
    pub(super) fn told(&self, machine: &Machine) -> String {
        let mut text = format!(
            "\n{}, {} refreshes due at once, {machine}; the median of {} rounds, and the lowest and highest\n\n",
            self.store.name(),
            grouped(self.due),
            self.rounds,
        );
        let mut table = Table::headed(&["", "refreshes/s", "CPU µs", "database CPU µs", "provider CPU µs"]);
        table.add(self.endpoint.row("token endpoint, plain loop"));
        table.add(self.service.row("grantkeeper serve"));
        table.add(self.claims_row());
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{table}");
        if let Some(ratio) = self.ratio {
            let _ = writeln!(text, "\ngrantkeeper serve : plain loop   {}", spread(ratio, hundredths));
        }
        let _ = write!(text, "{}", Targets(&self.targets));
        text
    }

    fn claims_row(&self) -> Vec<String> {
        let Claims { authorizations, cpu_micros, database_cpu_micros, .. } = self.claims;
        let known = |micros: Option<f64>| or_none(micros.map(Spread::single), tenths);
        vec![
            format!("finding what is due among {}", grouped(authorizations)),
            String::new(),
            known(cpu_micros),
            known(database_cpu_micros),
            String::new(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(rates: [f64; 3]) -> Vec<Refreshed> {
        let round = |per_second| Refreshed {
            per_second,
            cpu: Some(250.0),
            database_cpu: None,
            provider_cpu: Some(40.0),
        };
        rates.map(round).to_vec()
    }

    #[test]
    fn the_rate_and_the_cost_of_claims_are_judged() {
        let claims = Claims {
            authorizations: 1_000_000,
            claimed: 17_000,
            cpu_micros: Some(200.0),
            database_cpu_micros: None,
            cores: Some(0.06),
        };
        let (service, endpoint) = (rounds([900.0, 1_300.0, 1_200.0]), rounds([9_000.0, 13_000.0, 6_000.0]));
        let run = Run::of(StoreKind::Sqlite, 20_000, &service, &endpoint, claims);
        let machine = Machine { cores: 2, os: "linux", architecture: "x86_64", load_average: None };
        let told = run.told(&machine);
        assert!(
            told.contains("SQLite, 20,000 refreshes due at once, 2 cores; the median of 3 rounds"),
            "{told}"
        );
        assert!(told.contains("1,200 (900–1,300)"), "{told}");
        assert!(told.contains("plain loop   0.10 (0.10–0.20)"), "{told}");
        let document = serde_json::to_value(&run).unwrap();
        assert_eq!(document["targets"][0]["met"], true);
        assert_eq!(document["targets"][1]["measured"]["median"], 0.06);
        assert_eq!(document["claims"]["claimed"], 17_000);
    }
}
