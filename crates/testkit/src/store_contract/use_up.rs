//! Rules of using up a flow's state.

use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::authorizations::{Flow, FlowOutcome, FlowStage};
use grantkeeper_domain::ids::FlowId;

use super::tenant::{Tenant, insert, minutes, update};
use crate::entities::{FRESH, START, code_in_use, hash};

/// The first call gets the flow as `Flow::exchanging` makes it, which is what is stored; every other call gets nothing.
pub async fn a_state_is_used_up_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (row, untouched, code) = (tenant.flow(), tenant.flow(), hash());
    insert(store, row.clone()).await;
    insert(store, untouched.clone()).await;
    let used = store.use_up(row.id, &code, minutes(1)).await.expect("a write");
    let expected = row.exchanging(code.clone(), minutes(1));
    assert_eq!(used.as_ref(), Some(&expected));
    assert_eq!(store.flow(expected.id).await.expect("a read").as_ref(), Some(&expected));
    for code in [code, hash()] {
        assert_eq!(store.use_up(expected.id, &code, minutes(2)).await.expect("a write"), None);
    }
    assert_eq!(store.flow(expected.id).await.expect("a read").as_ref(), Some(&expected));
    assert_eq!(store.flow(untouched.id).await.expect("a read"), Some(untouched));
    // The version that came back is the one that is stored: with it the outcome can be written.
    update(store, expected.finished(FlowOutcome::Refused("x".to_owned()), minutes(3))).await;
}

/// From its end on, a flow is no longer usable, and nothing is written.
pub async fn an_expired_flow_is_not_used_up(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = Flow { expires_at: minutes(10), ..tenant.flow() };
    insert(store, row.clone()).await;
    for late in [minutes(11), minutes(10)] {
        assert_eq!(store.use_up(row.id, &hash(), late).await.expect("a write"), None);
    }
    assert_eq!(store.flow(row.id).await.expect("a read").as_ref(), Some(&row));
    let just = minutes(10) - chrono::TimeDelta::microseconds(1);
    assert!(store.use_up(row.id, &hash(), just).await.expect("a write").is_some());
}

/// Not before the person's yes, not while a code is being redeemed, not afterwards, and not what is not there.
pub async fn only_a_pending_flow_is_used_up(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let outcome = FlowOutcome::Refused("access_denied".to_owned());
    for stage in [
        FlowStage::Unconfirmed,
        FlowStage::Exchanging(code_in_use(START)),
        FlowStage::Finished { redeemed: None, outcome, at: START },
    ] {
        let row = Flow { stage, ..tenant.flow() };
        insert(store, row.clone()).await;
        assert_eq!(store.use_up(row.id, &hash(), minutes(1)).await.expect("a write"), None);
        assert_eq!(store.flow(row.id).await.expect("a read"), Some(row));
    }
    let unknown = FlowId::generate(&FRESH, START);
    assert_eq!(store.use_up(unknown, &hash(), START).await.expect("a write"), None);
}

/// Exchanges of one provider that began then or later, and have not ended.
pub async fn exchanges_under_way_are_counted(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let provider = tenant.flow().provider_id;
    let count = async |since| store.exchanges_under_way(provider, since).await.expect("a read");
    assert_eq!(count(START).await, 0);
    let (row, other) = (tenant.flow(), tenant.flow());
    insert(store, row.clone()).await;
    insert(store, other).await;
    let used = store.use_up(row.id, &hash(), minutes(1)).await.expect("a write").expect("the flow");
    assert_eq!(count(START).await, 1);
    assert_eq!(count(minutes(1)).await, 1);
    assert_eq!(count(minutes(2)).await, 0);
    update(store, used.finished(FlowOutcome::Refused("x".to_owned()), minutes(3))).await;
    assert_eq!(count(START).await, 0);
}
