//! The benchmarks themselves, in small: they must not rot.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod growth;
mod hand_out;
mod refresh;
mod start_up;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs a benchmark; returns its tables and its JSON.
fn run(arguments: &[&str]) -> (String, Value) {
    let bench = Path::new(env!("CARGO_BIN_EXE_grantkeeper-bench"));
    let service = bench.with_file_name("grantkeeper");
    assert!(
        service.exists(),
        "there is no {}: run `cargo build -p grantkeeper-server` first",
        service.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("bench.json");
    let run = Command::new(bench).args(arguments).arg("--json").arg(&json).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(json["version"], 2);
    (String::from_utf8(run.stdout).unwrap(), json)
}

/// Whether there is a PostgreSQL server. Under `just test` there is one; without it there is nothing to run this with.
fn has_postgresql() -> bool {
    let has = std::env::var_os("TEST_POSTGRES").is_some();
    if !has {
        assert!(std::env::var_os("CI").is_none(), "there is no PostgreSQL: run the tests with `just test`");
        eprintln!("*** SKIPPED: there is no PostgreSQL; `just test` brings one ***");
    }
    has
}

/// What was held to a target, whatever came of it.
fn targets(run: &Value) -> Vec<&str> {
    let targets = run["targets"].as_array().unwrap();
    for target in targets {
        assert!(target["measured"]["median"].as_f64().is_some_and(|figure| figure > 0.0), "{target}");
        assert!(target["met"].is_boolean(), "{target}");
    }
    targets.iter().map(|target| target["what"].as_str().unwrap()).collect()
}
