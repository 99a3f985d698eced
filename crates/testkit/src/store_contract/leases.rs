//! Rules of refresh leases.

use std::sync::Arc;

use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{NextRefresh, RefreshEnd, RefreshLease, RequestEnd, SignOfLife, TakenLease};
use grantkeeper_domain::{Change, Store};

use super::tenant::{Tenant, commit, insert, minutes};
use crate::entities::{FRESH, START};

/// An authorization that is stored already.
pub(super) async fn settled(store: &Arc<dyn Store>, tenant: &Tenant) -> Authorization {
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    row
}

/// What whoever wants a lease hears.
pub(super) async fn try_take(
    store: &Arc<dyn Store>,
    id: AuthorizationId,
    holder: &str,
    silent: Option<SignOfLife>,
    now: i64,
) -> TakenLease {
    store.take_lease(id, holder, silent, minutes(now)).await.expect("an answer")
}

/// Takes a lease that is free.
pub(crate) async fn take(
    store: &Arc<dyn Store>,
    id: AuthorizationId,
    holder: &str,
    now: i64,
) -> RefreshLease {
    taken(try_take(store, id, holder, None, now).await)
}

/// Takes the lease of a holder that has not shown a sign of life since it took it.
pub(super) async fn follow(
    store: &Arc<dyn Store>,
    silent: &RefreshLease,
    holder: &str,
    now: i64,
) -> RefreshLease {
    taken(try_take(store, silent.authorization_id, holder, Some(sign(silent, 0)), now).await)
}

pub(crate) fn taken(answer: TakenLease) -> RefreshLease {
    match answer {
        TakenLease::Taken(lease) => lease,
        other => panic!("the lease can be had: {other:?}"),
    }
}

pub(super) fn sign(lease: &RefreshLease, beat: i64) -> SignOfLife {
    SignOfLife { fence: lease.fence, beat }
}

pub(crate) fn end(lease: &RefreshLease, request: RequestEnd, next: NextRefresh) -> Change {
    Change::EndRefresh(RefreshEnd {
        authorization_id: lease.authorization_id,
        fence: lease.fence,
        request,
        next,
    })
}

/// Gives a lease back without having asked anybody.
pub(crate) async fn give_back(store: &Arc<dyn Store>, lease: &RefreshLease) {
    commit(store, [end(lease, RequestEnd::Moot, NextRefresh::Unchanged)]).await;
}

async fn keep(store: &Arc<dyn Store>, lease: &RefreshLease) -> bool {
    store.keep_lease(lease).await.expect("an answer")
}

async fn note(store: &Arc<dyn Store>, lease: &RefreshLease, now: i64) -> bool {
    store.note_request(lease, minutes(now)).await.expect("an answer")
}

/// "From its insertion to its deletion", and at no other time.
pub async fn an_authorization_has_a_lease_while_it_is_there(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    for id in [row.id, AuthorizationId::generate(&FRESH, START)] {
        assert_eq!(try_take(store, id, "one", None, 0).await, TakenLease::Gone);
    }
    insert(store, row.clone()).await;
    let lease = take(store, row.id, "one", 0).await;
    let expected = RefreshLease {
        authorization_id: row.id,
        holder: "one".to_owned(),
        fence: lease.fence,
        unanswered: None,
    };
    assert_eq!(lease, expected);
    commit(store, [Change::delete(row.clone())]).await;
    assert_eq!(try_take(store, row.id, "one", Some(sign(&lease, 0)), 1).await, TakenLease::Gone);
    assert!(!keep(store, &lease).await);
    assert!(!note(store, &lease, 1).await);
}

/// However much time goes by on whatever clock: only silence tells that a holder does not live. It does not take its own
/// lease either.
pub async fn a_lease_keeps_others_out(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let id = settled(store, &tenant).await.id;
    let lease = take(store, id, "one", 0).await;
    let held = TakenLease::Held(sign(&lease, 0));
    for holder in ["two", "one"] {
        for now in [-1_000_000, 0, 1_000_000] {
            assert_eq!(try_take(store, id, holder, None, now).await, held);
        }
    }
    for silent in [sign(&lease, 1), SignOfLife { fence: lease.fence - 1, beat: 0 }] {
        assert_eq!(try_take(store, id, "two", Some(silent), 1).await, held);
    }
    assert!(keep(store, &lease).await);
}

/// Each authorization has its own.
pub async fn a_lease_of_one_authorization_is_none_of_another(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (one, other) = (settled(store, &tenant).await, settled(store, &tenant).await);
    let (first, second) = (take(store, one.id, "one", 0).await, take(store, other.id, "two", 0).await);
    assert!(keep(store, &first).await);
    give_back(store, &second).await;
    assert_eq!(try_take(store, one.id, "two", None, 0).await, TakenLease::Held(sign(&first, 1)));
}

/// "A live one changes it again and again": whoever saw the sign before is told the new one.
pub async fn a_holder_that_lives_is_not_followed(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let id = settled(store, &tenant).await.id;
    let lease = take(store, id, "one", 0).await;
    for beat in 0..3 {
        assert!(keep(store, &lease).await);
        let seen = Some(sign(&lease, beat));
        let now = TakenLease::Held(sign(&lease, beat + 1));
        assert_eq!(try_take(store, id, "two", seen, beat).await, now);
    }
}

/// "Only taken from a holder whose sign of life is still `silent`": the late one hears of it whatever it does next.
pub async fn a_silent_holder_is_followed(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let id = settled(store, &tenant).await.id;
    let first = take(store, id, "one", 0).await;
    assert!(keep(store, &first).await);
    let second = taken(try_take(store, id, "two", Some(sign(&first, 1)), 1).await);
    assert_eq!(second.holder, "two");
    assert!(second.fence > first.fence);

    assert!(!keep(store, &first).await);
    assert!(!note(store, &first, 2).await);
    give_back(store, &first).await;
    // Its successor begins with a beat of its own, and holds the lease on.
    assert_eq!(try_take(store, id, "one", None, 2).await, TakenLease::Held(sign(&second, 0)));
    assert!(keep(store, &second).await);
}

/// What was seen of a lease that was given back takes no later one.
pub async fn a_lease_given_back_is_free_and_its_fence_grows(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let id = settled(store, &tenant).await.id;
    let mut last = 0;
    for holder in ["one", "two", "two", "one"] {
        let lease = take(store, id, holder, 0).await;
        assert!(lease.fence > last);
        last = lease.fence;
        give_back(store, &lease).await;
        // Twice does no harm.
        give_back(store, &lease).await;
        assert!(!keep(store, &lease).await);
        assert!(!note(store, &lease, 0).await);
    }
    let late = taken(try_take(store, id, "two", Some(SignOfLife { fence: last, beat: 0 }), 1).await);
    assert!(late.fence > last);
    let stale = Some(SignOfLife { fence: last, beat: 0 });
    assert_eq!(try_take(store, id, "three", stale, 1).await, TakenLease::Held(sign(&late, 0)));
}
