//! `hand-out`.

use serde_json::Value;

use super::{has_postgresql, targets};

/// Two rounds of one request for each of four connections.
fn run(store: &str) -> (String, Value) {
    let size = ["--authorizations", "50", "--connections", "4", "--connections-before-release", "4"];
    let effort = ["--rounds", "2", "--seconds", "0", "--warm-up", "0"];
    super::run(&[&["hand-out", "--store", store], &size[..], &effort].concat())
}

/// Who took part in a comparison, each with as many requests as there were.
fn contenders(comparison: &Value) -> Vec<&str> {
    let figures = comparison["figures"].as_array().unwrap();
    for figures in figures {
        assert_eq!(figures["requests"], 8, "{figures}");
        assert!(figures["p99_micros"]["median"].as_f64().unwrap() > 0.0, "{figures}");
    }
    figures.iter().map(|figures| figures["contender"].as_str().unwrap()).collect()
}

#[test]
fn over_sqlite_the_service_is_beside_the_bare_handler() {
    let (tables, json) = run("sqlite");
    let run = &json["runs"][0];
    for (number, name) in ["default", "before_release"].into_iter().enumerate() {
        let comparison = &run["comparisons"][number];
        assert_eq!(comparison["name"], name);
        assert_eq!(contenders(comparison), ["peer", "service_hot", "service"]);
    }
    assert_eq!(targets(run).len(), 6);
    assert!(tables.contains("grantkeeper serve : bare handler"), "{tables}");
}

#[test]
fn over_postgresql_pgbench_takes_part_as_well() {
    if !has_postgresql() {
        return;
    }
    let (tables, json) = run("postgres");
    let run = &json["runs"][0];
    let expected = ["peer", "service_hot", "service", "pgbench_read", "pgbench_reads"];
    assert_eq!(contenders(&run["comparisons"][0]), expected);
    assert_eq!(targets(run).len(), 7);
    assert!(tables.contains("grantkeeper serve : pgbench, the authorization"), "{tables}");
}
