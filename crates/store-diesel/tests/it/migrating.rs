//! What becomes of a database of an older version.

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::authorizations::{
    Authorization, AuthorizationStore, FlowOutcome, FlowStage, FlowStore,
};
use grantkeeper_domain::ids::{AuthorizationId, FlowId, OrganizationId, ProviderId};
use grantkeeper_domain::providers::{ProviderCatalog, ProviderKind};
use grantkeeper_domain::tokens::{
    DueClaim, DueRefresh, NextRefresh, RefreshEnd, RefreshLease, RefreshLeases, RequestEnd, TakenLease,
};
use grantkeeper_domain::{Change, StoreError, UnitOfWork};
use grantkeeper_store_diesel::DieselStore;
use grantkeeper_testkit::entities::START;
use uuid::Uuid;

use crate::old_rows::{Old, OldPostgres, OldSqlite, Table};

macro_rules! over_both_databases {
    ($($rule:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $rule() { super::$rule::<super::OldSqlite>().await; })+
        }

        mod postgres {
            $(#[tokio::test] async fn $rule() { super::$rule::<super::OldPostgres>().await; })+
        }
    };
}

over_both_databases! {
    every_row_is_kept_on_the_way_there_and_back,
    what_the_first_version_wrote_is_read,
    what_is_alive_is_due_a_minute_before_its_token_ends,
    what_nobody_has_refreshed_for_long_is_due_some_time,
    what_another_version_adds_is_refreshed,
    what_cannot_be_read_keeps_no_other_refresh_waiting,
    a_new_type_of_provider_needs_no_migration,
    the_way_back_lets_nobody_in_who_is_suspended,
    what_the_version_before_wrote_was_authorized_when_it_was_made,
    what_nobody_wrote_a_use_of_counts_from_when_it_was_authorized,
    the_way_back_takes_the_tokens_of_agents,
}

const ORGANIZATION: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(1));
const PROVIDER: ProviderId = ProviderId::from_uuid(Uuid::from_u128(5));
const PAUSED: ProviderId = ProviderId::from_uuid(Uuid::from_u128(0x15));
const AUTHORIZATION: AuthorizationId = AuthorizationId::from_uuid(Uuid::from_u128(7));
const FLOW: FlowId = FlowId::from_uuid(Uuid::from_u128(8));

async fn every_row_is_kept_on_the_way_there_and_back<D: Old>() {
    let old = D::new();
    let (tables, pending) = (old.tables(), DieselStore::pending_migrations(&old.url()).await.unwrap());
    let kept = kept(&tables);
    let before = old.rows(&kept);
    assert!(before.iter().all(|(_, rows)| !rows.is_empty()), "{before:?}");
    assert!(!pending.is_empty());

    drop(old.open().await);
    assert_eq!(DieselStore::pending_migrations(&old.url()).await.unwrap(), [""; 0]);
    assert_ne!(old.tables(), tables);
    assert_eq!(old.rows(&kept), before);

    old.run(&D::way_back());
    assert_eq!(old.tables(), tables);
    assert_eq!(old.rows(&kept), before);
}

/// All columns but the end of a lease: none is held from one version to another.
fn kept(tables: &[Table]) -> Vec<Table> {
    let is_kept = |column: &String| column != "held_until";
    let kept =
        |(table, columns): &Table| (table.clone(), columns.iter().filter(|c| is_kept(c)).cloned().collect());
    tables.iter().map(kept).collect()
}

async fn what_the_first_version_wrote_is_read<D: Old>() {
    let old = D::new();
    let store = old.open().await;
    let (row, provider) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    assert_eq!((row.redirect_uri, row.user.sub.as_str()), (None, "ada"));
    assert_eq!(provider.kind, ProviderKind::Oidc);
    assert_eq!(store.provider_anywhere(PROVIDER).await.unwrap(), Some(provider.as_ref().clone()));
    assert_eq!(store.providers(ORGANIZATION).await.unwrap().len(), 2);
    let flow = store.flow(FLOW).await.unwrap().unwrap();
    let authorized = FlowOutcome::Authorized(AUTHORIZATION);
    assert!(matches!(flow.stage, FlowStage::Finished { outcome, .. } if outcome == authorized));
    // A dead grant is not refreshed by itself.
    assert_eq!(store.claim_due(&due_at(START)).await.unwrap(), []);
    let taken = store.take_lease(AUTHORIZATION, "somebody", None, START).await.unwrap();
    assert!(matches!(taken, TakenLease::Taken(lease) if lease.fence == 42 && lease.unanswered.is_none()));
}

fn due_at(now: DateTime<Utc>) -> DueClaim {
    DueClaim { holder: "somebody".to_owned(), now, again_at: now, watch_at: now, limit: 10 }
}

const ALIVE: &str = "UPDATE authorizations SET grant_state = 'live', dead_reason = NULL";

async fn what_is_alive_is_due_a_minute_before_its_token_ends<D: Old>() {
    let old = D::new();
    // As young as can be.
    old.run(&format!("{ALIVE}, issued_at = {}", D::NOW));
    let store = old.open().await;
    let (row, _) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    let due = row.expires_at.unwrap() - TimeDelta::minutes(1);
    assert_eq!(store.claim_due(&due_at(due - TimeDelta::microseconds(1))).await.unwrap(), []);
    let claimed = store.claim_due(&due_at(due)).await.unwrap();
    let [DueRefresh::Claimed(claimed)] = &claimed[..] else { panic!("{claimed:?}") };
    assert_eq!((claimed.lease.fence, claimed.last_used_at), (42, None));
    assert_eq!(claimed.authorization, row);
    assert!(claimed.provider.keep_alive);
}

/// In the week after the migration, and so not before the years that the database is from.
async fn what_nobody_has_refreshed_for_long_is_due_some_time<D: Old>() {
    let old = D::new();
    old.run(ALIVE);
    let store = old.open().await;
    let (row, _) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    let year = |years: i64| row.issued_at + TimeDelta::days(365 * years);
    assert_eq!(store.claim_due(&due_at(year(1))).await.unwrap(), []);
    assert_eq!(store.claim_due(&due_at(year(1000))).await.unwrap().len(), 1);
}

/// Replicas of the version before, which is still there during an update, know nothing of leases and journals like these.
async fn what_another_version_adds_is_refreshed<D: Old>() {
    let old = D::new();
    let store = old.open().await;
    let twins = [17, 18].map(|id| AuthorizationId::from_uuid(Uuid::from_u128(id)));
    let columns = old.tables().into_iter().find(|(table, _)| table == "authorizations").unwrap().1;
    let others = columns.into_iter().filter(|column| !["id", "subject"].contains(&column.as_str()));
    let columns = others.collect::<Vec<_>>().join(", ");
    let add =
        twins.map(|id| format!("SELECT {}, '{id}', {columns} FROM authorizations", D::id(id.as_uuid())));
    old.run(&format!("INSERT INTO authorizations (id, subject, {columns}) {}", add.join(" UNION ALL ")));
    for id in twins {
        let taken = store.take_lease(id, "somebody", None, START).await.unwrap();
        assert!(matches!(taken, TakenLease::Taken(lease) if lease.fence == 1 && lease.unanswered.is_none()));
    }
    // And nothing of it is left.
    old.run("DELETE FROM authorizations WHERE subject <> 'ada'");
    let taken = store.take_lease(twins[0], "somebody", None, START).await.unwrap();
    assert_eq!(taken, TakenLease::Gone);
}

/// The domain checks the name when it reads it, and nobody else does.
async fn a_new_type_of_provider_needs_no_migration<D: Old>() {
    const OF_TOMORROW: &str = "UPDATE providers SET kind = 'of_tomorrow'";
    let old = D::new();
    let expect_checked = |statements| {
        let error = old.try_run(statements).unwrap_err();
        assert!(error.to_lowercase().contains("check constraint"), "{error}");
    };
    expect_checked(OF_TOMORROW);

    let store = old.open().await;
    old.run(OF_TOMORROW);
    let error = store.provider_anywhere(PROVIDER).await.unwrap_err();
    assert!(matches!(error, StoreError::Unexpected(_)), "{error}");
    // The version before would not understand it.
    expect_checked(&D::way_back());
}

/// The version before knows nothing of it: their tokens go.
async fn the_way_back_lets_nobody_in_who_is_suspended<D: Old>() {
    const TOKENS: &str = "SELECT hash FROM api_tokens";
    let old = D::new();
    drop(old.open().await);
    assert_eq!(old.column(TOKENS), ["token hash"]);
    old.run(&format!("UPDATE accounts SET suspended_at = {}", D::NOW));
    old.run(&D::way_back());
    assert_eq!(old.column(TOKENS), [""; 0]);
}

/// Nobody wrote down when; the list of what is new goes by the same.
async fn what_the_version_before_wrote_was_authorized_when_it_was_made<D: Old>() {
    let old = D::new();
    let store = old.open().await;
    let (row, provider) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    assert_eq!(row.authorized_at, row.created_at);
    let expected = [(row.account_id, provider.id, row.created_at)];
    assert_eq!(store.authorized_since(row.created_at, 10).await.unwrap(), expected);
    let later = row.created_at + TimeDelta::microseconds(1);
    assert_eq!(store.authorized_since(later, 10).await.unwrap(), []);

    // A refresh writes it down, and makes no news of it.
    store.commit(vec![Change::update(row.clone())]).await.unwrap();
    let (kept, _) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    assert_eq!(kept.authorized_at, row.created_at);
    assert_eq!(store.authorized_since(later, 10).await.unwrap(), []);
    let written = old.column("SELECT 'yes' FROM authorizations WHERE authorized_at = created_at");
    assert_eq!(written, ["yes"]);
}

/// Being authorized is a use, and the only one that is known of it.
async fn what_nobody_wrote_a_use_of_counts_from_when_it_was_authorized<D: Old>() {
    let old = D::new();
    let (row, _) = old.open().await.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    assert_eq!(row.used_at, row.created_at);
    old.run(&format!("UPDATE authorizations SET authorized_at = {}", D::NOW));
    let (row, _) = old.open().await.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    assert!(row.authorized_at > row.created_at);
    assert_eq!(row.used_at, row.authorized_at);
}

/// A version that does not know of agents would take their tokens for broken rows.
async fn the_way_back_takes_the_tokens_of_agents<D: Old>() {
    const TOKENS: &str = "SELECT hash FROM api_tokens ORDER BY hash";
    let old = D::new();
    let columns = "account_id, organization_id, created_at, version";
    let add = |purpose| {
        let id = D::id(Uuid::from_u128(33));
        format!(
            "INSERT INTO api_tokens (id, hash, purpose, {columns})
             SELECT {id}, 'another hash', '{purpose}', {columns} FROM api_tokens"
        )
    };
    assert!(old.try_run(&add("agent")).is_err());
    drop(old.open().await);
    assert!(old.try_run(&add("stranger")).is_err());
    // Only a session is opened with a token.
    assert!(old.try_run(&add("session")).is_err());
    old.run(&add("agent"));
    assert_eq!(old.column(TOKENS), ["another hash", "token hash"]);
    old.run(&D::way_back());
    assert_eq!(old.column(TOKENS), ["token hash"]);
}

/// A version that runs beside a newer one may come upon rows that it does not understand.
async fn what_cannot_be_read_keeps_no_other_refresh_waiting<D: Old>() {
    let old = D::new();
    let store = old.open().await;
    let (row, _) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    let twin = Authorization {
        id: AuthorizationId::from_uuid(Uuid::from_u128(17)),
        provider_id: PAUSED,
        ..row.clone()
    };
    let scheduled = [row.id, twin.id].map(|id| Change::ScheduleRefresh(id, Some(START)));
    let changes = [Change::insert(twin.clone())].into_iter().chain(scheduled);
    store.commit(changes.collect()).await.unwrap();
    for spoilt in ["kind = 'of_tomorrow'", "endpoints = '{}'"] {
        old.run(&format!("UPDATE providers SET {spoilt} WHERE slug = 'idp'"));
        let claim = DueClaim { again_at: START + TimeDelta::minutes(1), ..due_at(START) };
        let claimed = store.claim_due(&claim).await.unwrap();
        let [DueRefresh::Claimed(claimed)] = &claimed[..] else { panic!("{spoilt}: {claimed:?}") };
        assert_eq!(claimed.authorization.id, twin.id);
        // It comes up again, and nobody was asked about it.
        assert_eq!(store.claim_due(&claim).await.unwrap(), []);
        let taken = store.take_lease(row.id, "somebody", None, START).await.unwrap();
        let TakenLease::Taken(lease) = taken else { panic!("{taken:?}") };
        assert_eq!(lease.unanswered, None);
        let free = |lease: &RefreshLease| RefreshEnd {
            authorization_id: lease.authorization_id,
            fence: lease.fence,
            request: RequestEnd::Moot,
            next: NextRefresh::At(START),
        };
        let ended = [&lease, &claimed.lease].map(|lease| Change::EndRefresh(free(lease)));
        store.commit(ended.into()).await.unwrap();
    }
}
