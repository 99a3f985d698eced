//! `growth`.

use super::{has_postgresql, targets};

const LITTLE: [&str; 10] =
    ["--authorizations", "10,50", "--connections", "4", "--rounds", "2", "--seconds", "0", "--warm-up", "0"];

#[test]
fn sizes_are_measured_side_by_side_and_held_to_each_other() {
    let (tables, json) = super::run(&[&["growth", "--store", "sqlite"], &LITTLE[..]].concat());
    let sizes = json["sizes"].as_array().unwrap();
    let authorizations: Vec<_> = sizes.iter().map(|size| size["authorizations"].as_u64().unwrap()).collect();
    assert_eq!(authorizations, [10, 50]);
    assert_eq!(sizes[1]["service"]["requests"], 8);
    assert_eq!(
        targets(&json),
        ["the slowest size : the fastest, p50", "the slowest size : the fastest, p99"]
    );
    assert!(tables.contains("SQLite by size, 1,500 requests a second over 4 connections"), "{tables}");
}

#[test]
fn over_postgresql_the_same_is_measured() {
    if !has_postgresql() {
        return;
    }
    let (_, json) = super::run(&[&["growth"], &LITTLE[..]].concat());
    for size in json["sizes"].as_array().unwrap() {
        assert_eq!(size["service"]["requests"], 8, "{size}");
    }
}
