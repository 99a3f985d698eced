//! Rules of the refreshes that are due.

use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{
    ClaimedRefresh, DueClaim, DueRefresh, NextRefresh, RefreshLease, RequestEnd, UnansweredRequest,
};
use grantkeeper_domain::{Change, Store};

use super::leases::{end, follow, give_back, settled, sign, take, taken, try_take};
use super::tenant::{Refusal, Tenant, commit, insert, minutes, refusal_of_all};
use crate::entities::{FRESH, START, account, authorization, organization, provider};

/// What a claim of that minute asks for: claimed ones come up again five minutes later, held ones after one.
fn at(now: i64) -> DueClaim {
    DueClaim {
        holder: "worker".to_owned(),
        now: minutes(now),
        again_at: minutes(now + 5),
        watch_at: minutes(now + 1),
        limit: 10,
    }
}

async fn claim(store: &Arc<dyn Store>, claim: &DueClaim) -> Vec<DueRefresh> {
    store.claim_due(claim).await.expect("a claim")
}

/// The claimed ones among what is due at that minute; nothing else is.
pub(super) async fn claimed(store: &Arc<dyn Store>, now: i64) -> Vec<ClaimedRefresh> {
    let due = claim(store, &at(now)).await;
    due.into_iter().map(claimed_one).collect()
}

fn claimed_one(due: DueRefresh) -> ClaimedRefresh {
    match due {
        DueRefresh::Claimed(claimed) => *claimed,
        held @ DueRefresh::Held(..) => panic!("nobody holds it: {held:?}"),
    }
}

fn ids(claimed: &[ClaimedRefresh]) -> Vec<AuthorizationId> {
    claimed.iter().map(|claimed| claimed.authorization.id).collect()
}

pub(super) async fn schedule(store: &Arc<dyn Store>, id: AuthorizationId, due: i64) {
    commit(store, [Change::ScheduleRefresh(id, Some(minutes(due)))]).await;
}

async fn give_all_back(store: &Arc<dyn Store>, claimed: &[ClaimedRefresh], next: NextRefresh) {
    commit(store, claimed.iter().map(|claimed| end(&claimed.lease, RequestEnd::Moot, next))).await;
}

/// "Not by itself", until somebody says when, and from that very moment on.
pub async fn a_refresh_is_due_when_it_was_said(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (row, other) = (settled(store, &tenant).await, settled(store, &tenant).await);
    assert_eq!(claimed(store, 1_000_000).await, []);
    schedule(store, row.id, 10).await;
    let just = DueClaim { now: minutes(10) - TimeDelta::microseconds(1), ..at(10) };
    assert_eq!(claim(store, &just).await, []);
    assert_eq!(ids(&claimed(store, 10).await), [row.id]);

    schedule(store, other.id, 10).await;
    commit(store, [Change::ScheduleRefresh(other.id, None)]).await;
    assert_eq!(claim(store, &at(10)).await, []);
}

/// "Longest due first", at most `limit`; of those that are due together by their ids.
pub async fn due_refreshes_are_claimed_longest_due_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut rows = Vec::new();
    for due in [3, 1, 2, 2, 2] {
        let id = settled(store, &tenant).await.id;
        schedule(store, id, due).await;
        rows.push((due, id));
    }
    rows.sort_unstable();
    let in_order: Vec<_> = rows.into_iter().map(|(_, id)| id).collect();
    let some = |limit| DueClaim { limit, ..at(4) };
    assert_eq!(claim(store, &some(0)).await, []);
    for expected in [&in_order[..2], &in_order[2..4], &in_order[4..], &[]] {
        let due = claim(store, &some(2)).await;
        assert_eq!(ids(&due.into_iter().map(claimed_one).collect::<Vec<_>>()), expected);
    }
}

/// Leases "as `take_lease` gives them, and the rows read under them".
pub async fn a_claimed_refresh_comes_with_its_rows(store: &Arc<dyn Store>) {
    let (tenant, stranger) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let second = provider(&tenant.organization);
    insert(store, second.clone()).await;
    let expected = [
        (tenant.authorization(), tenant.provider.clone()),
        (authorization(&tenant.account, &second), second),
        (stranger.authorization(), stranger.provider.clone()),
    ];
    for (due, (row, _)) in expected.iter().enumerate() {
        insert(store, row.clone()).await;
        schedule(store, row.id, i64::try_from(due).expect("a small number")).await;
    }
    let found = claimed(store, 10).await;
    assert_eq!(found.len(), expected.len());
    for (claimed, (authorization, provider)) in found.into_iter().zip(expected) {
        let lease = RefreshLease {
            authorization_id: authorization.id,
            holder: "worker".to_owned(),
            fence: claimed.lease.fence,
            unanswered: None,
        };
        let provider = provider.into();
        assert_eq!(claimed, ClaimedRefresh { lease, authorization, provider, last_used_at: None });
    }
}

/// The journal has an entry of every claimed refresh, as of any other; an older one stays, and is told.
pub async fn a_claimed_refresh_knows_the_journal(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let id = settled(store, &tenant).await.id;
    let first = take(store, id, "one", 0).await;
    commit(store, [end(&first, RequestEnd::Lost, NextRefresh::At(minutes(1)))]).await;
    let lost = UnansweredRequest { fence: first.fence, asked_at: START, given_up: true };
    let second = claimed(store, 2).await.remove(0).lease;
    assert!(second.fence > first.fence);
    assert_eq!(second.unanswered, Some(lost));
    assert!(store.note_request(&second, minutes(3)).await.expect("an answer"));
    commit(store, [end(&second, RequestEnd::Answered, NextRefresh::At(minutes(4)))]).await;
    let third = claimed(store, 5).await.remove(0).lease;
    assert_eq!(third.unanswered, None);
    let asked = UnansweredRequest { fence: third.fence, asked_at: minutes(5), given_up: false };
    assert_eq!(follow(store, &third, "four", 6).await.unanswered, Some(asked));
}

/// "When a claimed one comes up again unless its refresh has said when before that": its worker may have died.
pub async fn a_claimed_refresh_is_looked_after(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let id = settled(store, &tenant).await.id;
    schedule(store, id, 0).await;
    let lease = claimed(store, 0).await.remove(0).lease;
    assert!(store.keep_lease(&lease).await.expect("an answer"));
    assert_eq!(claim(store, &at(4)).await, []);
    assert_eq!(claim(store, &at(5)).await, [DueRefresh::Held(id, sign(&lease, 1))]);
    // From now on it is watched, and can be taken from one who stays silent.
    assert_eq!(claim(store, &at(5)).await, []);
    assert_eq!(claim(store, &at(6)).await, [DueRefresh::Held(id, sign(&lease, 1))]);
    taken(try_take(store, id, "other", Some(sign(&lease, 1)), 6).await);
}

/// A held one is told beside those that are claimed, and takes its place among them.
pub async fn a_refresh_that_somebody_holds_is_watched(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut rows = Vec::new();
    for due in 0..3 {
        let id = settled(store, &tenant).await.id;
        schedule(store, id, due).await;
        rows.push(id);
    }
    let lease = take(store, rows[1], "somebody", 0).await;
    let mut due = claim(store, &at(2)).await;
    assert_eq!(due.len(), 3);
    assert_eq!(due.remove(1), DueRefresh::Held(rows[1], sign(&lease, 0)));
    assert_eq!(ids(&due.into_iter().map(claimed_one).collect::<Vec<_>>()), [rows[0], rows[2]]);
    assert!(store.keep_lease(&lease).await.expect("an answer"));
    assert_eq!(claim(store, &at(2)).await, []);
    assert_eq!(claim(store, &at(3)).await, [DueRefresh::Held(rows[1], sign(&lease, 1))]);
    give_back(store, &lease).await;
    assert_eq!(ids(&claimed(store, 4).await), [rows[1]]);
}

/// "As it was", "then", "not by itself", however the request ended.
pub async fn the_end_of_a_refresh_says_when_the_next_is_due(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for request in [RequestEnd::Moot, RequestEnd::Answered, RequestEnd::Lost] {
        let id = settled(store, &tenant).await.id;
        schedule(store, id, 0).await;
        let ended = async |next| {
            let lease = taken(try_take(store, id, "one", None, 0).await);
            if lease.unanswered.is_some() && request != RequestEnd::Moot {
                assert!(store.note_request(&lease, START).await.expect("an answer"));
            }
            commit(store, [end(&lease, request, next)]).await;
        };
        ended(NextRefresh::Unchanged).await;
        let due = claimed(store, 0).await;
        assert_eq!(ids(&due), [id]);
        give_all_back(store, &due, NextRefresh::At(minutes(3))).await;
        ended(NextRefresh::At(minutes(7))).await;
        assert_eq!(claim(store, &at(6)).await, []);
        let due = claimed(store, 7).await;
        assert_eq!(ids(&due), [id]);
        give_all_back(store, &due, NextRefresh::Unchanged).await;
        ended(NextRefresh::Never).await;
        assert_eq!(claim(store, &at(1_000_000)).await, []);
    }
}

/// Whoever was overtaken says when the next one is due where its answer still counts, and else nothing.
pub async fn an_overtaken_holder_schedules_with_its_answer_alone(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for (request, is_due) in
        [(RequestEnd::Moot, false), (RequestEnd::Answered, true), (RequestEnd::Lost, true)]
    {
        let id = settled(store, &tenant).await.id;
        let first = take(store, id, "one", 0).await;
        let second = follow(store, &first, "two", 0).await;
        commit(store, [end(&first, request, NextRefresh::At(START))]).await;
        let due = is_due.then(|| DueRefresh::Held(id, sign(&second, 0)));
        assert_eq!(claim(store, &at(0)).await, Vec::from_iter(due));
    }
}

/// What is gone is not due, and saying when it would be does no harm.
pub async fn a_deleted_authorization_is_not_due(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = settled(store, &tenant).await;
    schedule(store, row.id, 0).await;
    commit(store, [Change::delete(row.clone())]).await;
    assert_eq!(claim(store, &at(1)).await, []);
    for gone in [row.id, AuthorizationId::generate(&FRESH, START)] {
        commit(store, [Change::ScheduleRefresh(gone, Some(START)), Change::ScheduleRefresh(gone, None)])
            .await;
    }
    assert_eq!(claim(store, &at(1)).await, []);
}

/// "All changes in their order, or none": a row may be scheduled by the commit that brings it.
pub async fn a_refresh_is_scheduled_with_its_commit(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    let granted = vec![Change::insert(row.clone()), Change::ScheduleRefresh(row.id, Some(START))];
    let stray = Change::insert(account(&organization()));
    assert_eq!(
        refusal_of_all(store, [&granted[..], std::slice::from_ref(&stray)].concat()).await,
        Refusal::Unexpected
    );
    assert_eq!(claim(store, &at(0)).await, []);
    commit(store, granted).await;
    let due = claimed(store, 0).await;
    assert_eq!(ids(&due), [row.id]);
    give_all_back(store, &due, NextRefresh::At(minutes(10))).await;
    let earlier = vec![Change::ScheduleRefresh(row.id, Some(START)), Change::delete(row.clone()), stray];
    assert_eq!(refusal_of_all(store, earlier).await, Refusal::Unexpected);
    assert_eq!(claim(store, &at(9)).await, []);
    assert_eq!(ids(&claimed(store, 10).await), [row.id]);
}
