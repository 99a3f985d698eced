//! The schema of PostgreSQL is the twin of SQLite's: what one has, the other has.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::Place;
use crate::postgres;

/// What is to be compared, by the name of the table.
type ByTable = BTreeMap<String, BTreeSet<String>>;

/// Reads lines of a table's name, a `|`, and what the table has.
fn by_table<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> ByTable {
    let mut tables = ByTable::new();
    for line in lines {
        let (table, what) = line.as_ref().split_once('|').expect("two columns");
        tables.entry(table.to_owned()).or_default().insert(what.to_owned());
    }
    tables
}

/// The words in single quotes, with the name of the table in front: the enumerations.
fn words<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> ByTable {
    let words = |line: L| {
        let (table, text) = line.as_ref().split_once('|').expect("two columns");
        let code = text.lines().filter(|line| !line.trim().starts_with("--"));
        let words = code.flat_map(|line| line.split('\'').skip(1).step_by(2)).filter(|word| !word.is_empty());
        words.map(|word| format!("{table}|{word}")).collect::<Vec<_>>()
    };
    by_table(lines.into_iter().flat_map(words))
}

/// The answers of a new SQLite database.
async fn sqlite(query: &str) -> Vec<String> {
    let place = Place::new();
    drop(place.open().await.unwrap());
    sql::<Text>(query).load(&mut place.stranger()).unwrap()
}

#[tokio::test]
async fn both_databases_have_the_same_columns() {
    let expected = by_table(
        sqlite(
            r#"SELECT t.name || '|' || c.name || iif(c."notnull", ' NOT NULL', '')
               FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
               WHERE t.schema = 'main' AND t.name NOT IN ('sqlite_schema', '__diesel_schema_migrations')"#,
        )
        .await,
    );
    assert_eq!(expected.len(), 16);
    assert_eq!(expected["key_canary"], ["canary NOT NULL".to_owned(), "id NOT NULL".to_owned()].into());

    let found = postgres::database().sql(
        "SELECT table_name, column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'",
    );
    assert_eq!(by_table(found.lines()), expected);
}

#[tokio::test]
async fn both_databases_know_the_same_words() {
    let expected = words(sqlite("SELECT name || '|' || sql FROM sqlite_schema WHERE type = 'table'").await);
    assert_eq!(expected["api_tokens"], ["agent", "api", "session"].map(str::to_owned).into());

    let found = postgres::database().sql(
        "SELECT conrelid::regclass, replace(pg_get_constraintdef(oid), E'\\n', ' ') FROM pg_constraint
         WHERE contype = 'c' AND connamespace = 'public'::regnamespace",
    );
    assert_eq!(words(found.lines()), expected);
}
