//! What becomes of a database of an older version.

use chrono::TimeDelta;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::authorizations::{AuthorizationStore, FlowOutcome, FlowStage, FlowStore};
use grantkeeper_domain::ids::{AuthorizationId, FlowId, OrganizationId, ProviderId};
use grantkeeper_domain::providers::{ProviderCatalog, ProviderKind};
use grantkeeper_domain::tokens::RefreshLeases;
use grantkeeper_store_diesel::DieselStore;
use grantkeeper_testkit::entities::START;
use uuid::Uuid;

use crate::old_rows::{Old, OldPostgres, OldSqlite};

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
    a_new_type_of_provider_needs_no_migration,
}

const ORGANIZATION: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(1));
const PROVIDER: ProviderId = ProviderId::from_uuid(Uuid::from_u128(5));
const AUTHORIZATION: AuthorizationId = AuthorizationId::from_uuid(Uuid::from_u128(7));
const FLOW: FlowId = FlowId::from_uuid(Uuid::from_u128(8));

async fn every_row_is_kept_on_the_way_there_and_back<D: Old>() {
    let old = D::new();
    let (tables, pending) = (old.tables(), DieselStore::pending_migrations(&old.url()).await.unwrap());
    let before = old.rows(&tables);
    assert!(before.iter().all(|(_, rows)| !rows.is_empty()), "{before:?}");
    assert!(!pending.is_empty());

    drop(old.open().await);
    assert_eq!(DieselStore::pending_migrations(&old.url()).await.unwrap(), [""; 0]);
    assert_ne!(old.tables(), tables);
    assert_eq!(old.rows(&tables), before);

    old.run(&D::way_back());
    assert_eq!(old.tables(), tables);
    assert_eq!(old.rows(&tables), before);
}

async fn what_the_first_version_wrote_is_read<D: Old>() {
    let old = D::new();
    let store = old.open().await;
    let (row, provider) = store.authorization(ORGANIZATION, AUTHORIZATION).await.unwrap().unwrap();
    assert_eq!((row.redirect_uri, row.user.sub.as_str()), (None, "ada"));
    assert_eq!(provider.kind, ProviderKind::Oidc);
    assert_eq!(store.provider_anywhere(PROVIDER).await.unwrap(), Some(provider));
    assert_eq!(store.providers(ORGANIZATION).await.unwrap().len(), 2);
    let flow = store.flow(FLOW).await.unwrap().unwrap();
    let authorized = FlowOutcome::Authorized(AUTHORIZATION);
    assert!(matches!(flow.stage, FlowStage::Finished { outcome, .. } if outcome == authorized));
    let lease = store.take_lease(AUTHORIZATION, "somebody", START, START + TimeDelta::minutes(1)).await;
    assert_eq!(lease.unwrap().map(|lease| lease.fence), Some(42));
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
