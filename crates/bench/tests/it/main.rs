//! The benchmark itself, in small: it must not rot.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs the benchmark with two rounds of one request for each of four connections; returns its table and its JSON.
fn run(store: &str) -> (String, Value) {
    let bench = Path::new(env!("CARGO_BIN_EXE_grantkeeper-bench"));
    let service = bench.with_file_name("grantkeeper");
    assert!(
        service.exists(),
        "there is no {}: run `cargo build -p grantkeeper-server` first",
        service.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("bench.json");
    let run = Command::new(bench)
        .args(["hand-out", "--store", store, "--authorizations", "50", "--connections", "4"])
        .args(["--rounds", "2", "--seconds", "0", "--warm-up", "0", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let json = std::fs::read_to_string(json).unwrap();
    (String::from_utf8(run.stdout).unwrap(), serde_json::from_str(&json).unwrap())
}

/// Who took part, each with as many requests as there were.
fn contenders(json: &Value) -> Vec<&str> {
    let figures = json["runs"][0]["figures"].as_array().unwrap();
    for figures in figures {
        assert_eq!(figures["requests"], 8, "{figures}");
        assert!(figures["p99_micros"]["median"].as_f64().unwrap() > 0.0, "{figures}");
    }
    figures.iter().map(|figures| figures["contender"].as_str().unwrap()).collect()
}

#[test]
fn a_small_run_over_sqlite_measures_service_and_bare_handler() {
    let (table, json) = run("sqlite");
    assert_eq!(contenders(&json), ["peer", "service"]);
    assert_eq!(json["runs"][0]["ratios"][0]["to"], "peer");
    assert!(table.contains("grantkeeper serve : bare handler"), "{table}");
}

/// Under `just test` there is a server; without one there is nothing to run this with.
#[test]
fn a_small_run_over_postgresql_measures_pgbench_as_well() {
    if std::env::var_os("TEST_POSTGRES").is_none() {
        assert!(std::env::var_os("CI").is_none(), "there is no PostgreSQL: run the tests with `just test`");
        eprintln!("*** SKIPPED: there is no PostgreSQL; `just test` brings one ***");
        return;
    }
    let (table, json) = run("postgres");
    assert_eq!(contenders(&json), ["peer", "service", "pgbench_reads", "pgbench_all"]);
    assert!(table.contains("grantkeeper serve : pgbench, the reads"), "{table}");
}
