use serde_json::json;

use super::*;

const fn constant(value: f64) -> Spread {
    Spread { median: value, lowest: value, highest: value }
}

fn figures(contender: &'static str, rate: f64) -> Figures {
    Figures {
        contender,
        requests: 1_000,
        requests_per_second: Spread { median: rate, lowest: rate - 1_000.0, highest: rate + 1_000.0 },
        p50_micros: constant(420.0),
        p99_micros: constant(1_500.0),
        cpu_micros: Some(constant(12.34)),
        database_cpu_micros: None,
    }
}

fn run(authorizations: u64, rate: f64) -> Run {
    Run {
        store: StoreKind::Sqlite,
        authorizations,
        server: None,
        figures: vec![figures("peer", 50_000.0), figures("service", rate)],
        ratios: vec![Ratio {
            of: "service",
            to: "peer",
            requests_per_second: constant(rate / 50_000.0),
            p50: constant(1.0),
            p99: constant(1.0),
            cpu: None,
        }],
    }
}

fn conditions() -> Conditions {
    Conditions {
        cores: 2,
        os: "linux",
        architecture: "x86_64",
        load_average: Some(0.5),
        connections: 32,
        workers: 2,
        rounds: 5,
        seconds: 5,
        settings: Vec::new(),
    }
}

#[test]
fn people_read_medians_with_their_spread_and_what_is_not_known() {
    let table = run(100_000, 12_500.0).table(&conditions());
    assert!(table.contains(
        "SQLite, 100,000 authorizations at random, 32 connections, 2 workers, 2 cores (load 0.5 before);"
    ));
    assert!(table.contains("12,500 (11,500–13,500)"), "{table}");
    assert!(table.contains("0.42 (0.42–0.42)"), "{table}");
    assert!(table.contains("12.3 (12.3–12.3)"), "{table}");
    assert!(table.contains("n/a"), "{table}");
    assert!(table.contains("grantkeeper serve : bare handler   0.25 (0.25–0.25)"), "{table}");
}

#[test]
fn the_json_has_every_figure_under_its_name() {
    let report = serde_json::to_value(Report::of(conditions(), vec![run(1_000, 12_500.0)])).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["conditions"]["cores"], 2);
    let run = &report["runs"][0];
    assert_eq!(run["store"], "sqlite");
    assert_eq!(run["authorizations"], 1_000);
    assert_eq!(
        run["figures"][1],
        json!({
            "contender": "service",
            "requests": 1_000,
            "requests_per_second": { "median": 12_500.0, "lowest": 11_500.0, "highest": 13_500.0 },
            "p50_micros": { "median": 420.0, "lowest": 420.0, "highest": 420.0 },
            "p99_micros": { "median": 1_500.0, "lowest": 1_500.0, "highest": 1_500.0 },
            "cpu_micros": { "median": 12.34, "lowest": 12.34, "highest": 12.34 },
            "database_cpu_micros": null,
        })
    );
    assert_eq!(run["ratios"][0]["requests_per_second"]["median"], 0.25);
    assert_eq!(run["ratios"][0]["to"], "peer");
}

#[test]
fn sizes_are_compared_with_the_first_of_their_store() {
    let report = Report::of(conditions(), vec![run(1_000, 10_000.0), run(100_000, 8_000.0)]);
    let table = report.growth_table();
    assert!(table.contains("8,000 (× 0.80)"), "{table}");
    let last = table.lines().last().unwrap();
    assert!(last.contains("100,000") && last.ends_with(" 0.16"), "{table}");
}

#[test]
fn one_size_is_not_compared() {
    assert_eq!(Report::of(conditions(), vec![run(1_000, 10_000.0)]).growth_table(), "");
}
