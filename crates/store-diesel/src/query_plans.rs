//! Every query of a port finds its rows through an index, on either database.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use grantkeeper_domain::ids::OrganizationId;
use grantkeeper_testkit::postgres::{Database, PostgresCluster};
use uuid::Uuid;

use crate::columns::{Id, Time};
use crate::{
    accounts, api_tokens, audit, authorizations, data_keys, device_flows, flows, jobs, leases, organizations,
    providers, revocations,
};

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn database() -> SqliteConnection {
    let mut c = SqliteConnection::establish(":memory:").unwrap();
    crate::sqlite::run_pending(&mut c).unwrap();
    c
}

/// How SQLite goes about a query, a step in a line.
fn plan<Q: QueryFragment<Sqlite> + QueryId>(query: &Q) -> String {
    let text = diesel::debug_query::<Sqlite, _>(query).to_string();
    let (statement, _binds) = text.split_once(" -- binds").unwrap();
    let steps =
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load::<Step>(&mut database()).unwrap();
    steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n")
}

fn assert_uses_an_index(plan: &str) {
    assert!(plan.contains("SEARCH"), "{plan}");
    assert!(!plan.contains("SCAN"), "{plan}");
}

/// A database with our schema, for PostgreSQL to plan in.
static POSTGRES: LazyLock<Database> = LazyLock::new(|| {
    let database = PostgresCluster::shared().fresh_database();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    for name in crate::migrations::names() {
        database.sql(&fs::read_to_string(migrations.join(name).join("up.sql")).unwrap());
    }
    database
});

/// How PostgreSQL goes about a query. It knows a better way than an index through tables as small as these, and is
/// kept from it.
fn postgres_plan<Q: QueryFragment<Pg> + QueryId>(query: &Q, settings: &str) -> String {
    let text = diesel::debug_query::<Pg, _>(query).to_string();
    let (statement, _binds) = text.split_once(" -- binds").unwrap();
    let parameters = (1..=9).filter(|number| statement.contains(&format!("${number}"))).count();
    let nothing = vec!["NULL"; parameters].join(", ");
    POSTGRES.sql(&format!(
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; {settings};
         PREPARE asked AS {statement};
         EXPLAIN (COSTS off) EXECUTE asked{}",
        if parameters == 0 { String::new() } else { format!("({nothing})") }
    ))
}

fn assert_postgres_uses_an_index(plan: &str) {
    assert!(plan.contains("Index"), "{plan}");
    assert!(!plan.contains("Seq Scan"), "{plan}");
}

macro_rules! use_an_index {
    ($($name:ident: $query:expr;)+) => {$(
        #[test]
        fn $name() {
            assert_uses_an_index(&plan(&$query));
            assert_postgres_uses_an_index(&postgres_plan(&$query, ""));
        }
    )+};
}

/// Like `use_an_index`, and the index gives the rows in the order that is asked for.
macro_rules! use_an_index_in_order {
    ($($name:ident: $query:expr;)+) => {$(
        #[test]
        fn $name() {
            let plan = plan(&$query);
            assert_uses_an_index(&plan);
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");

            let plan = postgres_plan(&$query, "SET enable_bitmapscan = off");
            assert_postgres_uses_an_index(&plan);
            assert!(!plan.contains("Sort"), "{plan}");
        }
    )+};
}

fn id() -> Id {
    OrganizationId::from_uuid(Uuid::nil()).into()
}

fn text() -> String {
    "text".to_owned()
}

fn time() -> Time {
    Time(chrono::DateTime::UNIX_EPOCH)
}

use_an_index_in_order! {
    organization: organizations::by_id(id());
    organization_named: organizations::by_name(text());
    account: accounts::by_id(id());
    accounts_in: accounts::of_organization(id());
    token_by_hash: api_tokens::by_hash(text());
    token: api_tokens::by_id(id());
    tokens_of: api_tokens::of_account(id());
    expired_tokens: api_tokens::expired(time());
    data_key: data_keys::by_id(id());
    newest_data_key: data_keys::newest_first(id());
    provider: providers::by_id(id());
    providers: providers::of_organization(id());
    authorization: authorizations::by_id(id(), id());
    authorization_for_identity: authorizations::by_identity(id(), id(), text(), text());
    authorizations_at: authorizations::at_provider(id(), 10);
    flow: flows::by_id(id());
    flow_by_state: flows::by_state(id(), text());
    flow_by_state_of_account: flows::by_state(id(), text()).filter(crate::schema::flows::account_id.eq(id()));
    expired_flows: flows::expired(time());
    device_flow: device_flows::by_id(id());
    device_flow_by_handle: device_flows::by_handle(id(), text(), id());
    expired_device_flows: device_flows::expired(time());
    job: jobs::by_id(id());
    jobs: jobs::newest_first(id(), 10);
    due_revocations: revocations::due(time(), 10);
    revocations_of: revocations::of_provider(id());
    ended_revocations: revocations::ended(time());
    newest_audit_entries: audit::newest_first(id(), 10);
}

#[test]
fn purged_leases() {
    // On PostgreSQL the time is not indexed, so that a lease is taken and given back without touching an index; the
    // rare purge reads the table.
    assert_uses_an_index(&plan(&leases::abandoned(time())));
}

// A handful of rows each, sorted or counted after they are found.
use_an_index! {
    accounts_with_email: accounts::by_email(text());
    authorizations_of: authorizations::of_account(id());
    claimable_jobs: jobs::claimable(time());
    claimable_revocations_of: revocations::claimable_of(id(), time(), 10);
    audit_tally: audit::tally(id());
    exchanges_under_way: flows::exchanging(id(), time());
    polls_under_way: device_flows::polling(id(), time());
}
