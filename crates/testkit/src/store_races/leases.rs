//! Races for refresh leases.

use std::collections::BTreeSet;
use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::ids::AuthorizationId;

use super::arena::{RIVALS, ROUNDS, race};
use crate::entities::{FRESH, START};
use crate::store_contract::tenant::minutes;

/// A refresh token is redeemed once.
pub async fn one_of_many_takes_a_lease(store: &Arc<dyn Store>) {
    let authorization = AuthorizationId::generate(&FRESH, START);
    let mut last = 0;
    for round in 0..ROUNDS {
        let results = race(store, |store, rival| async move {
            let holder = format!("process {rival}");
            store.take_lease(authorization, &holder, START, minutes(10)).await.expect("an answer")
        })
        .await;
        let [lease] = &results.into_iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("one rival gets the lease in round {round}");
        };
        assert!(lease.fence > last);
        last = lease.fence;
        store.release_lease(lease).await.expect("a release");
    }
}

/// Leases that lapse at once: everybody gets one in turn, and no two of them the same fence.
pub async fn fences_of_many_leases_only_grow(store: &Arc<dyn Store>) {
    let authorization = AuthorizationId::generate(&FRESH, START);
    let results = race(store, |store, rival| async move {
        let holder = format!("process {rival}");
        let mut fences = Vec::new();
        for _ in 0..ROUNDS {
            let lease = store.take_lease(authorization, &holder, START, START).await.expect("an answer");
            fences.push(lease.expect("every lease has lapsed").fence);
        }
        fences
    })
    .await;
    assert!(results.iter().all(|fences| fences.is_sorted_by(|one, next| one < next)));
    assert_eq!(results.into_iter().flatten().collect::<BTreeSet<_>>().len(), RIVALS * ROUNDS);
}
