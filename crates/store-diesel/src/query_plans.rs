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
use crate::connection::Batch as _;
use crate::locked::Locked;
use crate::moot_ends::MootEnds;
use crate::{
    accounts, api_tokens, audit, authorizations, data_keys, device_flows, due_refreshes, flows, jobs,
    login_identities, logins, organizations, providers, refreshes, revocations, uses,
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
static POSTGRES: LazyLock<Database> = LazyLock::new(migrated);

fn migrated() -> Database {
    let database = PostgresCluster::shared().fresh_database();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    for name in crate::migrations::names() {
        database.sql(&fs::read_to_string(migrations.join(name).join("up.sql")).unwrap());
    }
    database
}

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
    authorization: authorizations::by_id(id());
    authorization_with_provider_version: authorizations::with_provider_version(id());
    authorization_for_identity: authorizations::by_identity(id(), id(), text(), text());
    authorizations_at: authorizations::at_provider(id(), 10);
    authorized_since: authorizations::authorized_since(time(), 10);
    flow: flows::by_id(id());
    flow_by_state: flows::by_state(id(), text());
    flow_by_state_of_account: flows::by_state(id(), text()).filter(crate::schema::flows::account_id.eq(id()));
    expired_flows: flows::expired(time());
    device_flow: device_flows::by_id(id());
    device_flow_by_handle: device_flows::by_handle(id(), text(), id());
    expired_device_flows: device_flows::expired(time());
    login: logins::by_id(id());
    login_by_handle: logins::by_handle(text());
    login_by_state: logins::by_state(id(), text());
    expired_logins: logins::expired(time());
    identified: login_identities::with_account(id(), text(), text());
    identities_of: login_identities::of_account(id());
    job: jobs::by_id(id());
    jobs: jobs::newest_first(id(), 10);
    due_refreshes: due_refreshes::due(time(), 10);
    refresh: refreshes::by_id(id());
    due_revocations: revocations::due(time(), 10);
    revocations_of: revocations::of_provider(id());
    revocation: revocations::by_id(id(), id());
    newest_revocations_of_organization: revocations::newest_of_organization(id(), 10);
    newest_revocations_of_account: revocations::newest_of_account(id(), 10);
    newest_revocations_of_authorization: revocations::newest_of_authorization(id(), 10);
    newest_revocations_at_provider: revocations::newest_at_provider(id(), 10);
    live_authorization_of_owner: revocations::live_of_owner(id(), text(), text());
    some_authorizations_of: accounts::some_authorizations_of(id(), 10);
    flows_of_account: accounts::flows_of(id());
    device_flows_of_account: accounts::device_flows_of(id());
    logins_of_account: accounts::logins_of(id());
    login_identities_of_account: accounts::login_identities_of(id());
    api_tokens_of_account: accounts::api_tokens_of(id());
    jobs_of_organization: accounts::jobs_of(id());
    data_keys_of_organization: accounts::data_keys_of(id());
    ended_revocations: revocations::ended(time());
    newest_audit_entries: audit::newest_first(id(), 10);
}

/// A statement over many rows finds each of them by an index on PostgreSQL, which alone runs it.
macro_rules! find_each_by_an_index {
    ($($name:ident: $batch:expr, $($array:literal),+;)+) => {$(
        #[test]
        fn $name() {
            let arrays = [$($array),+];
            let plan = plan_of_arrays(&$batch.statement(), &arrays);
            assert_postgres_uses_an_index(&plan);
            // In the order of their ids, and before anything is written.
            assert!(plan.contains("LockRows"), "{plan}");
        }
    )+};
}

/// The plan for arrays of these types. What `unnest` gives is not known without them.
fn plan_of_arrays<Q: QueryFragment<Pg> + QueryId>(query: &Q, arrays: &[&str]) -> String {
    let text = diesel::debug_query::<Pg, _>(query).to_string();
    let (statement, _binds) = text.split_once(" -- binds").unwrap();
    POSTGRES.sql(&format!(
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
         PREPARE asked ({}) AS {statement};
         EXPLAIN (COSTS off) EXECUTE asked({})",
        arrays.join(", "),
        vec!["NULL"; arrays.len()].join(", ")
    ))
}

find_each_by_an_index! {
    used_tokens: uses::UsedTokens::of(&[]), "uuid[]", "timestamptz[]";
    used_authorizations: uses::UsedAuthorizations::of(&[]), "uuid[]", "timestamptz[]", "timestamptz[]";
    leases_given_back: MootEnds::of([]), "uuid[]", "bigint[]", "boolean[]", "timestamptz[]";
}

/// However many there are, and however many of them are due.
#[test]
fn a_claim_reads_its_batch_and_no_more() {
    const BATCH: i64 = 100;
    let database = migrated();
    database.sql(
        "SET session_replication_role = replica;
         INSERT INTO refreshes (authorization_id, due_at, fence, beat, asked_given_up)
             SELECT gen_random_uuid(), timestamptz '2026-01-01' + random() * interval '1 year', 0, 0, false
             FROM generate_series(1, 50000);
         VACUUM ANALYZE refreshes",
    );
    let query = Locked::skipping(due_refreshes::due(time(), BATCH));
    let text = diesel::debug_query::<Pg, _>(&query).to_string();
    let (statement, _binds) = text.split_once(" -- binds").unwrap();
    let plan = database.sql(&format!(
        "PREPARE claim AS {statement};
         EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off) EXECUTE claim('2027-01-01', {BATCH})"
    ));
    // "Buffers: shared hit=301": a row has a page to itself at worst, which is read to find it and twice to lock it.
    let buffers = plan.lines().find(|line| line.contains("Buffers:")).unwrap_or_else(|| panic!("{plan}"));
    let pages = buffers.split_whitespace().filter_map(|word| word.split_once('='));
    let read: i64 = pages
        .filter(|(what, _)| ["hit", "read"].contains(what))
        .map(|(_, count)| count.parse::<i64>().unwrap())
        .sum();
    assert!(read >= BATCH, "{plan}");
    assert!(read <= BATCH * 4, "{plan}");
}

// A handful of rows each, sorted or counted after they are found.
use_an_index! {
    accounts_with_email: accounts::by_email(text());
    authorizations_of: authorizations::of_account(id());
    claimable_jobs: jobs::claimable(time());
    claimable_revocations_of: revocations::claimable_of(id(), time(), 10);
    claimable_revocation: revocations::claimable_one(id(), time(), 10);
    unattended_device_flows: device_flows::unattended(time(), time(), time(), 10);
    authorizations_of_a_claim: due_refreshes::with_provider(vec![id(), id()]);
    authorizations_of_many: authorizations::with_provider_versions(vec![id(), id()]);
    tokens_of_many: api_tokens::by_hashes(vec![text(), text()]);
    audit_tally: audit::tally(id());
    exchanges_under_way: flows::exchanging(id(), time());
    polls_under_way: device_flows::polling(id(), time());
    exchanges_of_account: accounts::exchanging(id(), time());
    polls_of_account: accounts::polling(id(), time());
}

/// However many device flows are over.
#[test]
fn device_flows_that_are_over_are_not_looked_through() {
    let query = device_flows::unattended(time(), time(), time(), 10);
    for plan in [plan(&query), postgres_plan(&query, "")] {
        assert!(plan.contains("device_flows_under_way"), "{plan}");
    }
}

/// PostgreSQL prepares it once, and not anew for every number of keys.
fn assert_is_prepared_once<Q: QueryFragment<Pg> + QueryId>(few: &Q, many: &Q) {
    let text = |query| diesel::debug_query::<Pg, Q>(query).to_string();
    let statement = |query| text(query).split_once(" -- binds").unwrap().0.to_owned();
    assert_eq!(statement(few), statement(many));
    assert!(few.is_safe_to_cache_prepared(&Pg).unwrap());
}

#[test]
fn a_statement_for_many_is_the_same_for_any_number_of_them() {
    let authorizations = |count| authorizations::with_provider_versions(vec![id(); count]);
    assert_is_prepared_once(&authorizations(1), &authorizations(64));
    let tokens = |count| api_tokens::by_hashes(vec![text(); count]);
    assert_is_prepared_once(&tokens(1), &tokens(64));
}
