//! Rules of versions, for every noun.

use std::sync::Arc;

use grantkeeper_domain::{Change, Row, Store, Version};

use super::tenant::{Refusal, Tenant, at_version, commit, insert, refusal, stored, update};

const SECOND: Version = Version::FIRST.next();

async fn rows_in(store: &Arc<dyn Store>) -> Vec<Row> {
    let rows = Tenant::settle(store).await.row_of_every_noun();
    commit(store, rows.iter().cloned().map(Change::Insert)).await;
    rows
}

/// "Its own `version` is ignored."
pub async fn an_inserted_row_has_the_first_version(store: &Arc<dyn Store>) {
    for row in Tenant::settle(store).await.row_of_every_noun() {
        insert(store, at_version(row.clone(), Version::from_stored(7))).await;
        assert_eq!(stored(store, &row).await, Some(at_version(row, Version::FIRST)));
    }
}

/// "Stored with the next version", time after time.
pub async fn an_updated_row_has_the_next_version(store: &Arc<dyn Store>) {
    for row in rows_in(store).await {
        let mut version = Version::FIRST;
        for _ in 0..3 {
            update(store, at_version(row.clone(), version)).await;
            version = version.next();
            assert_eq!(stored(store, &row).await, Some(at_version(row.clone(), version)));
        }
    }
}

/// With the version that was read.
pub async fn a_deleted_row_is_gone(store: &Arc<dyn Store>) {
    for row in rows_in(store).await {
        update(store, row.clone()).await;
        commit(store, [Change::Delete(at_version(row.clone(), SECOND))]).await;
        assert_eq!(stored(store, &row).await, None);
        insert(store, row).await;
    }
}

/// Neither an older version than the stored one nor a newer one will do, and the row stays as it was.
pub async fn a_stale_update_is_a_conflict(store: &Arc<dyn Store>) {
    expect_conflict(store, Change::Update).await;
}

/// The same for deleting.
pub async fn a_stale_delete_is_a_conflict(store: &Arc<dyn Store>) {
    expect_conflict(store, Change::Delete).await;
}

async fn expect_conflict(store: &Arc<dyn Store>, change: impl Fn(Row) -> Change) {
    for row in rows_in(store).await {
        update(store, row.clone()).await;
        for wrong in [Version::FIRST, SECOND.next(), Version::from_stored(0)] {
            let stale = change(at_version(row.clone(), wrong));
            assert_eq!(refusal(store, stale).await, Refusal::Conflict, "{row:?}");
        }
        assert_eq!(stored(store, &row).await, Some(at_version(row, SECOND)));
    }
}

/// "When a row to update or delete is gone", or was never there.
pub async fn a_row_that_is_gone_is_a_conflict(store: &Arc<dyn Store>) {
    for row in Tenant::settle(store).await.row_of_every_noun() {
        assert_eq!(refusal(store, Change::Update(row.clone())).await, Refusal::Conflict);
        assert_eq!(refusal(store, Change::Delete(row.clone())).await, Refusal::Conflict);
        insert(store, row.clone()).await;
        commit(store, [Change::Delete(row.clone())]).await;
        assert_eq!(refusal(store, Change::Update(row.clone())).await, Refusal::Conflict);
        assert_eq!(refusal(store, Change::Delete(row)).await, Refusal::Conflict);
    }
}
