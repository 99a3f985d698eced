//! `refresh`.

use serde_json::Value;

use super::{has_postgresql, targets};

/// One round over little.
fn run(store: &str) -> Value {
    let size = ["--due", "100", "--rounds", "1", "--seconds", "0", "--scheduled", "3600"];
    let (tables, json) = super::run(&[&["refresh", "--store", store], &size[..]].concat());
    assert!(tables.contains("100 refreshes due at once"), "{tables}");
    json["runs"][0].clone()
}

fn check(run: &Value) {
    for who in ["service", "endpoint"] {
        assert!(run[who]["per_second"]["median"].as_f64().unwrap() > 0.0, "{run}");
    }
    let claimed = run["claims"]["claimed"].as_u64().unwrap();
    assert!((30..=100).contains(&claimed), "a minute of 57: {claimed}");
    let expected = ["tokens refreshed by one process", "finding out what is due among 3,600"];
    if cfg!(target_os = "linux") {
        assert_eq!(targets(run), expected);
    }
}

#[test]
fn over_sqlite_all_that_is_due_is_refreshed() {
    check(&run("sqlite"));
}

#[test]
fn over_postgresql_all_that_is_due_is_refreshed() {
    if has_postgresql() {
        check(&run("postgres"));
    }
}
