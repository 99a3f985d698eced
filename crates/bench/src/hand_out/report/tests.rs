use std::time::Duration;

use serde_json::{Value, json};

use super::super::{BEFORE_RELEASE, BY_DEFAULT};
use super::*;
use crate::figures::Round;
use crate::population::JWT;

const EFFORT: Effort = Effort { rounds: 3, length: Duration::from_secs(5), warm_up: Duration::from_secs(3) };

fn machine() -> Machine {
    Machine { cores: 2, os: "linux", architecture: "x86_64", load_average: Some(0.5) }
}

/// Three rounds around that rate, with a p99 of 1.5 ms.
fn measured(contender: &'static str, rate: u64) -> Measured {
    let round = |requests| Round {
        requests,
        elapsed: Duration::from_secs(1),
        p50: Duration::from_micros(420),
        p99: Duration::from_micros(1_500),
        cpu: Some(Duration::from_millis(100)),
        database_cpu: None,
    };
    let rounds = [rate - 1_000, rate + 1_000, rate].map(round).to_vec();
    Measured { contender, rounds, peak_memory: Some(42_000_000) }
}

fn run(store: StoreKind) -> Run {
    let program = Program { service: None, settings: vec!["log.level=warn".to_owned()], workers: Some(2) };
    let measured = [
        measured(PEER, 50_000),
        measured(SERVICE_HOT, 25_000),
        measured(SERVICE, 10_000),
        measured(PGBENCH_READ, 10_000),
    ];
    let comparison = |name, count| Comparison::of(name, Connections::open(count), &program, &measured);
    let comparisons = vec![comparison(BY_DEFAULT, 32), comparison(BEFORE_RELEASE, 256)];
    Run::of(store, Population::of(100_000, JWT), None, comparisons)
}

/// What was judged, and how.
fn verdicts(run: &Run) -> Vec<(String, bool)> {
    let targets = serde_json::to_value(&run.targets).unwrap();
    let verdict =
        |target: &Value| (target["what"].as_str().unwrap().to_owned(), target["met"].as_bool().unwrap());
    targets.as_array().unwrap().iter().map(verdict).collect()
}

#[test]
fn people_read_medians_with_their_spread_and_what_is_not_known() {
    let told = run(StoreKind::Sqlite).told(&machine(), EFFORT);
    assert!(
        told.contains("SQLite, 100,000 authorizations in use, 2 cores (load 0.5 before); the median of 3"),
        "{told}"
    );
    assert!(told.contains("256 connections, 2 workers, log.level=warn\n"), "{told}");
    assert!(told.contains("10,000 (9,000–11,000)"), "{told}");
    assert!(told.contains("   0.42   "), "{told}");
    assert!(told.contains("n/a   42.0\n"), "{told}");
    assert!(told.contains("grantkeeper serve : bare handler"), "{told}");
    assert!(!told.contains("hot ones : pgbench"), "{told}");
}

#[test]
fn the_json_has_every_figure_under_its_name() {
    let report = Report::of(machine(), EFFORT, vec![run(StoreKind::Sqlite)]);
    let report = serde_json::to_value(report).unwrap();
    assert_eq!(report["version"], VERSION);
    assert_eq!(report["machine"]["cores"], 2);
    assert_eq!(report["effort"], json!({ "rounds": 3, "seconds": 5, "warm_up_seconds": 3 }));
    let run = &report["runs"][0];
    assert_eq!((&run["store"], &run["authorizations"]), (&json!("sqlite"), &json!(100_000)));
    let comparison = &run["comparisons"][0];
    assert_eq!(comparison["connections"], 32);
    assert_eq!(
        comparison["figures"][2],
        json!({
            "contender": "service",
            "requests": 30_000,
            "requests_per_second": { "median": 10_000.0, "lowest": 9_000.0, "highest": 11_000.0 },
            "p50_micros": { "median": 420.0, "lowest": 420.0, "highest": 420.0 },
            "p99_micros": { "median": 1_500.0, "lowest": 1_500.0, "highest": 1_500.0 },
            "cpu_micros": comparison["figures"][2]["cpu_micros"],
            "database_cpu_micros": null,
            "peak_memory_bytes": 42_000_000,
        })
    );
    let ratio = &comparison["ratios"][0];
    assert_eq!((&ratio["of"], &ratio["to"]), (&json!("service_hot"), &json!("peer")));
    assert_eq!(ratio["requests_per_second"]["median"], 0.5);
}

#[test]
fn on_sqlite_the_service_is_held_to_the_bare_handler() {
    let expected = [
        ("grantkeeper serve, 64 hot ones : bare handler, req/s", true),
        ("grantkeeper serve, 64 hot ones : bare handler, p99", true),
        ("grantkeeper serve : bare handler, req/s", false),
        ("grantkeeper serve : bare handler, recorded before release, req/s", false),
        ("memory at its highest, 32 connections", true),
        ("memory at its highest, 256 connections", true),
    ];
    assert_eq!(verdicts(&run(StoreKind::Sqlite)), expected.map(|(what, met)| (what.to_owned(), met)));
}

#[test]
fn on_postgresql_it_is_held_to_pgbench_where_it_has_to_ask() {
    let expected = [
        ("grantkeeper serve, 64 hot ones : bare handler, req/s", true),
        ("grantkeeper serve, 64 hot ones : bare handler, p99", true),
        ("grantkeeper serve : pgbench, the authorization, req/s", true),
        ("grantkeeper serve : pgbench, the authorization, p99", true),
        ("grantkeeper serve, 64 hot ones : bare handler, recorded before release, req/s", true),
        ("memory at its highest, 32 connections", true),
        ("memory at its highest, 256 connections", true),
    ];
    assert_eq!(verdicts(&run(StoreKind::Postgres)), expected.map(|(what, met)| (what.to_owned(), met)));
}
