//! What the schema holds by itself, whoever writes.

use std::fs;
use std::path::Path;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use grantkeeper_domain::audit::{AuditAction, AuditEntry, AuditLog};
use grantkeeper_domain::tokens::{UseLog, Uses};
use grantkeeper_domain::{Change, UnitOfWork};
use grantkeeper_testkit::entities::{START, audit_entry, organization};

use crate::database::Place;

#[tokio::test]
async fn every_table_is_strict() {
    let place = Place::new();
    drop(place.open().await.unwrap());
    let lax: Vec<String> = sql::<Text>(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict
         AND name NOT IN ('sqlite_schema', '__diesel_schema_migrations')",
    )
    .load(&mut place.stranger())
    .unwrap();
    assert_eq!(lax, [""; 0]);

    let strict: i64 =
        sql::<BigInt>("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict")
            .get_result(&mut place.stranger())
            .unwrap();
    assert_eq!(strict, 16);
}

#[tokio::test]
async fn an_audit_entry_is_neither_changed_nor_deleted() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    let organization = organization();
    let entry = audit_entry(&organization, START);
    store.commit(vec![Change::Audit(entry.clone())]).await.unwrap();

    let mut stranger = place.stranger();
    for (statement, reason) in [
        ("UPDATE audit_entries SET outcome = 'failed'", "the audit log is append-only"),
        ("UPDATE audit_entries SET count = 2, last_at = at + 1", "the audit log is append-only"),
        ("DELETE FROM audit_entries", "the audit log is append-only"),
        (
            "INSERT OR REPLACE INTO audit_entries (id, at, organization_id, actor, action, outcome)
             SELECT id, at, organization_id, actor, action, 'failed' FROM audit_entries",
            "UNIQUE constraint failed: audit_entries.id",
        ),
    ] {
        let error = stranger.batch_execute(statement).unwrap_err();
        assert_eq!(error.to_string(), reason, "{statement}");
    }
    assert_eq!(store.newest_entries(organization.id, 10).await.unwrap(), [entry]);
}

#[tokio::test]
async fn a_hand_out_only_comes_to_count_more() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    let organization = organization();
    let at = |minutes| START + TimeDelta::minutes(minutes);
    let entry = AuditEntry { action: AuditAction::TokenHandedOut, ..audit_entry(&organization, START) };
    let counted = AuditEntry { count: 3, last_at: Some(at(2)), ..entry.clone() };
    store.note_uses(&Uses { hand_outs: vec![entry], ..Uses::default() }).await.unwrap();

    let mut stranger = place.stranger();
    let (later, latest) = (at(1).timestamp_micros(), at(2).timestamp_micros());
    let mut run = |set: &str| stranger.batch_execute(&format!("UPDATE audit_entries SET {set}"));
    run(&format!("count = 2, last_at = {later}")).unwrap();
    run(&format!("count = 3, last_at = {latest}")).unwrap();
    for set in [
        "count = 3".to_owned(),
        "count = 2".to_owned(),
        "count = NULL".to_owned(),
        format!("count = 4, last_at = {later}"),
        "count = 4, last_at = NULL".to_owned(),
        format!("last_at = {latest} + 1"),
    ] {
        assert_eq!(run(&set).unwrap_err().to_string(), "the audit log is append-only", "{set}");
    }
    let forged: Vec<String> = sql::<Text>(
        "SELECT name || CASE type WHEN 'BLOB' THEN ' = randomblob(16)' WHEN 'TEXT' THEN ' = hex(1)' ELSE ' = 1' END
         FROM pragma_table_info('audit_entries') WHERE name NOT IN ('count', 'last_at')",
    )
    .load(&mut place.stranger())
    .unwrap();
    assert!(forged.len() >= 14, "{forged:?}");
    for column in forged {
        let set = format!("count = 4, last_at = {latest}, {column}");
        assert_eq!(run(&set).unwrap_err().to_string(), "the audit log is append-only", "{set}");
    }
    assert_eq!(store.newest_entries(organization.id, 10).await.unwrap(), [counted]);
}

#[test]
fn every_migration_has_its_way_there_and_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert!(!names.is_empty());
    for name in names {
        let (time, what) = name.split_once('_').unwrap_or_else(|| panic!("{name} is not TIME_what"));
        // Fixed width, so that the order of the names is the order of the migrations.
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00-000000", "{name}");
        assert!(!what.is_empty(), "{name}");
        for script in ["up.sql", "down.sql"] {
            let text = fs::read_to_string(folder.join(&name).join(script)).unwrap();
            assert!(!text.trim().is_empty(), "{name}/{script}");
        }
    }
}
