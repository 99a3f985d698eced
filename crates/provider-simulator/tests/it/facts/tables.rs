//! The tables themselves.

use std::collections::BTreeSet;
use std::fs;

use toml::{Table, Value};

use super::{TABLES, table};

/// Keys at the top of a table that are no facts.
const NO_FACTS: &[&str] = &["settings"];

#[test]
fn every_table_is_checked() {
    let files = fs::read_dir(table::folder()).expect("a folder");
    let names = files.map(|file| file.expect("a file").path().file_stem().expect("a name").to_owned());
    let found: BTreeSet<_> = names.map(|name| name.into_string().expect("text")).collect();
    assert_eq!(found, TABLES.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn every_row_is_checked() {
    for (name, topics) in TABLES {
        assert_eq!(table::own_topics(name), *topics, "{name}");
    }
}

#[test]
fn every_row_says_where_it_comes_from() {
    for (name, _) in TABLES {
        has_sources(name, &Value::Table(table::as_written(name)));
        for (key, value) in &table::as_written(name) {
            match value {
                Value::Table(_) if NO_FACTS.contains(&key.as_str()) => {}
                Value::Table(rows) if key == "errors" => {
                    rows.iter().for_each(|(row, value)| has_sources(&format!("{name}: {key}.{row}"), value));
                }
                Value::Table(_) => has_sources(&format!("{name}: {key}"), value),
                Value::Array(_) if key == "sources" => {}
                Value::Array(rows) => rows.iter().for_each(|row| has_sources(&format!("{name}: {key}"), row)),
                _ => {}
            }
        }
    }
}

fn has_sources(row: &str, value: &Value) {
    let sources = value.as_table().and_then(|row: &Table| row.get("sources")).and_then(Value::as_array);
    let sources = sources.unwrap_or_else(|| panic!("{row} has no sources"));
    assert!(!sources.is_empty(), "{row} has no sources");
    for source in sources {
        assert!(source.as_str().is_some_and(|url| url.starts_with("https://")), "{row}: {source:?}");
    }
}
