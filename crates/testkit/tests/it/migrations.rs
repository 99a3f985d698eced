//! `migrations/` holds one folder per database, and all of them the same list of migrations.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::workspace::root;

type Names = BTreeSet<String>;

fn names_in(folder: &Path) -> Names {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("a name in UTF-8"))
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// Migrations that one database has and another lacks.
fn missing(databases: &BTreeMap<String, Names>) -> Vec<String> {
    let all: Names = databases.values().flatten().cloned().collect();
    databases
        .iter()
        .flat_map(|(database, names)| {
            all.difference(names).map(move |name| format!("{database} lacks {name}"))
        })
        .collect()
}

#[test]
fn every_database_has_the_same_migrations() {
    let folder = root().join("migrations");
    let databases: BTreeMap<_, _> = names_in(&folder)
        .into_iter()
        .map(|database| (database.clone(), names_in(&folder.join(database))))
        .collect();
    assert!(databases.get("sqlite").is_some_and(|names| !names.is_empty()), "no migrations for SQLite");

    let missing = missing(&databases);
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_migration_can_be_applied() {
    let folder = root().join("migrations");
    for database in names_in(&folder) {
        for migration in names_in(&folder.join(&database)) {
            let up = folder.join(&database).join(migration).join("up.sql");
            let sql = fs::read_to_string(&up).unwrap_or_else(|error| panic!("{}: {error}", up.display()));
            assert!(!sql.trim().is_empty(), "{} is empty", up.display());
        }
    }
}

#[test]
fn a_missing_migration_is_reported() {
    let names = |of: &[&str]| of.iter().map(|&name| name.to_owned()).collect::<Names>();
    let databases = [("postgres".to_owned(), names(&["1_a"])), ("sqlite".to_owned(), names(&["1_a", "2_b"]))];
    assert_eq!(missing(&databases.into()), ["postgres lacks 2_b"]);
}
