//! Rules of refresh leases.

use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::Store;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::RefreshLease;

use super::tenant::{Tenant, insert, minutes};
use crate::entities::{FRESH, START};

async fn take(
    store: &Arc<dyn Store>,
    authorization: AuthorizationId,
    holder: &str,
    now: i64,
    until: i64,
) -> Option<RefreshLease> {
    store.take_lease(authorization, holder, minutes(now), minutes(until)).await.expect("an answer")
}

fn fresh() -> AuthorizationId {
    AuthorizationId::generate(&FRESH, START)
}

/// "`None` while another holds one that has not lapsed."
pub async fn a_lease_keeps_others_out(store: &Arc<dyn Store>) {
    let authorization = fresh();
    let lease = take(store, authorization, "one", 0, 10).await.expect("a free lease");
    let expected = RefreshLease {
        authorization_id: authorization,
        holder: "one".to_owned(),
        until: minutes(10),
        fence: lease.fence,
    };
    assert_eq!(lease, expected);
    for now in [0, 9] {
        assert_eq!(take(store, authorization, "two", now, 20).await, None);
    }
    let just = minutes(10) - TimeDelta::microseconds(1);
    assert_eq!(store.take_lease(authorization, "two", just, minutes(20)).await.expect("an answer"), None);
}

/// Each authorization has its own.
pub async fn a_lease_of_one_authorization_is_none_of_another(store: &Arc<dyn Store>) {
    let (one, other) = (fresh(), fresh());
    assert!(take(store, one, "one", 0, 10).await.is_some());
    assert!(take(store, other, "two", 0, 10).await.is_some());
}

/// From its end on, with a greater fence: the late one can be told from the new one.
pub async fn a_lapsed_lease_is_taken_over(store: &Arc<dyn Store>) {
    let authorization = fresh();
    let first = take(store, authorization, "one", 0, 10).await.expect("a free lease");
    let second = take(store, authorization, "two", 10, 20).await.expect("a lapsed lease");
    assert_eq!((second.holder.as_str(), second.until), ("two", minutes(20)));
    assert!(second.fence > first.fence);
    assert_eq!(take(store, authorization, "one", 11, 30).await, None);
}

/// "Gives a lease back. The fence goes on growing."
pub async fn a_released_lease_is_free_and_its_fence_grows(store: &Arc<dyn Store>) {
    let authorization = fresh();
    let mut last = 0;
    for holder in ["one", "two", "one", "one"] {
        let lease = take(store, authorization, holder, 0, 10).await.expect("a free lease");
        assert!(lease.fence > last);
        last = lease.fence;
        store.release_lease(&lease).await.expect("a release");
        // Twice does no harm.
        store.release_lease(&lease).await.expect("a release");
    }
    let nothing =
        RefreshLease { authorization_id: fresh(), holder: "one".to_owned(), until: START, fence: 1 };
    store.release_lease(&nothing).await.expect("a release of nothing");
}

/// Only *another* holder keeps one out: a process whose refresh was lost without a trace need not wait for itself.
pub async fn a_holder_takes_its_own_lease_anew(store: &Arc<dyn Store>) {
    let authorization = fresh();
    let first = take(store, authorization, "one", 0, 10).await.expect("a free lease");
    let second = take(store, authorization, "one", 1, 12).await.expect("its own lease");
    assert!(second.fence > first.fence);
    assert_eq!(second.until, minutes(12));
    assert_eq!(take(store, authorization, "two", 11, 20).await, None);
}

/// "Unless somebody else has taken it since."
pub async fn an_old_holder_releases_nothing(store: &Arc<dyn Store>) {
    let authorization = fresh();
    let old = take(store, authorization, "one", 0, 10).await.expect("a free lease");
    let new = take(store, authorization, "two", 10, 20).await.expect("a lapsed lease");
    store.release_lease(&old).await.expect("a release without effect");
    assert_eq!(take(store, authorization, "three", 11, 30).await, None);
    store.release_lease(&new).await.expect("a release");
    assert!(take(store, authorization, "three", 11, 30).await.is_some());
}

/// "Leases that lapsed before that time and have no authorization any more; returns how many."
pub async fn only_lapsed_leases_without_authorization_are_purged(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    let (lapsed, released, running) = (fresh(), fresh(), fresh());
    let kept = take(store, row.id, "one", 0, 1).await.expect("a free lease");
    assert!(take(store, lapsed, "one", 0, 9).await.is_some());
    let back = take(store, released, "one", 0, 9).await.expect("a free lease");
    store.release_lease(&back).await.expect("a release");
    assert!(take(store, running, "one", 0, 10).await.is_some());
    assert_eq!(store.purge_leases(minutes(10)).await.expect("a purge"), 2);
    assert_eq!(store.purge_leases(minutes(10)).await.expect("a purge"), 0);
    // What was kept still does its work: the fence of the one, the lock of the other.
    let next = take(store, row.id, "two", 10, 20).await.expect("a lapsed lease");
    assert!(next.fence > kept.fence);
    assert_eq!(take(store, running, "two", 9, 20).await, None);
}
