//! Races for refreshes.

use std::collections::BTreeSet;
use std::sync::Arc;

use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{
    DueClaim, DueRefresh, NextRefresh, RefreshLease, RequestEnd, SignOfLife, TakenLease,
};
use grantkeeper_domain::{Change, Store};

use super::arena::{RIVALS, ROUNDS, expect_one_winner, race, race_commits};
use crate::entities::START;
use crate::store_contract::leases::{end, give_back, take, taken};
use crate::store_contract::tenant::{Refusal, Tenant, commit, insert, minutes};

async fn race_for(
    store: &Arc<dyn Store>,
    id: AuthorizationId,
    silent: Option<SignOfLife>,
) -> Vec<TakenLease> {
    race(store, |store, rival| async move {
        store.take_lease(id, &format!("process {rival}"), silent, START).await.expect("an answer")
    })
    .await
}

/// The one lease that was given; everybody else was told of it.
fn winner(results: Vec<TakenLease>) -> RefreshLease {
    let (won, lost): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|answer| matches!(answer, TakenLease::Taken(_)));
    assert_eq!(won.len(), 1, "{won:?}");
    let lease = taken(won.into_iter().next().expect("there is one"));
    let held = TakenLease::Held(SignOfLife { fence: lease.fence, beat: 0 });
    assert!(lost.iter().all(|answer| *answer == held), "{lost:?}");
    lease
}

/// A refresh token is redeemed once.
pub async fn one_of_many_takes_a_lease(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    let mut last = 0;
    for _ in 0..ROUNDS {
        let lease = winner(race_for(store, row.id, None).await);
        assert!(lease.fence > last);
        last = lease.fence;
        give_back(store, &lease).await;
    }
}

/// A dead holder has one successor, though all have seen the same of it.
pub async fn one_of_many_follows_a_silent_holder(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    let mut lease = take(store, row.id, "the first", 0).await;
    let first = lease.clone();
    for _ in 0..ROUNDS {
        let silent = SignOfLife { fence: lease.fence, beat: 0 };
        let next = winner(race_for(store, row.id, Some(silent)).await);
        assert!(next.fence > lease.fence);
        assert_eq!(next.unanswered.map(|asked| asked.fence), Some(first.fence), "none of them has asked");
        lease = next;
    }
}

/// A holder that shows a sign of life while it is being given up keeps its lease, or has lost it: it hears which.
pub async fn a_sign_of_life_and_a_successor_do_not_pass_each_other(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    for _ in 0..ROUNDS {
        let lease = take(store, row.id, "the first", 0).await;
        let silent = SignOfLife { fence: lease.fence, beat: 0 };
        let results = race(store, |store, rival| {
            let lease = lease.clone();
            async move {
                if rival == 0 {
                    return store.keep_lease(&lease).await.expect("an answer").then_some(lease);
                }
                match store.take_lease(lease.authorization_id, "another", Some(silent), START).await {
                    Ok(TakenLease::Taken(lease)) => Some(lease),
                    other => {
                        assert!(matches!(other, Ok(TakenLease::Held(_))), "{other:?}");
                        None
                    }
                }
            }
        })
        .await;
        let [winner] = &results.into_iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("one of them has the lease");
        };
        give_back(store, winner).await;
    }
}

/// An answer is written down once, however often its holder tries.
pub async fn one_of_many_ends_a_request(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    for _ in 0..ROUNDS {
        let lease = take(store, row.id, "the first", 0).await;
        let results =
            race_commits(store, |_| vec![end(&lease, RequestEnd::Answered, NextRefresh::Unchanged)]).await;
        expect_one_winner(&results, Refusal::Conflict);
    }
}

/// However the workers divide them: none twice, none forgotten.
pub async fn many_due_refreshes_are_claimed_once_each(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let count = RIVALS * 5;
    let rows: Vec<_> = (0..count).map(|_| tenant.authorization()).collect();
    let due = |id| Change::ScheduleRefresh(id, Some(START));
    commit(store, rows.iter().flat_map(|row| [Change::insert(row.clone()), due(row.id)])).await;
    let results = race(store, |store, rival| async move {
        let claim = DueClaim {
            holder: format!("worker {rival}"),
            now: START,
            again_at: minutes(10),
            watch_at: minutes(1),
            limit: 3,
        };
        let mut mine = Vec::new();
        for _ in 0..count {
            let more = store.claim_due(&claim).await.expect("a claim");
            assert!(more.len() <= 3);
            if more.is_empty() {
                break;
            }
            mine.extend(more.into_iter().map(|due| match due {
                DueRefresh::Claimed(claimed) => claimed.lease.authorization_id,
                held @ DueRefresh::Held(..) => panic!("nobody looks at it twice: {held:?}"),
            }));
        }
        mine
    })
    .await;
    let claimed: Vec<_> = results.into_iter().flatten().collect();
    assert_eq!(claimed.len(), count);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), rows.iter().map(|row| row.id).collect());
}

/// Callers and workers at once: a refresh has one of them.
pub async fn a_claim_and_a_lease_do_not_pass_each_other(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for round in 0..ROUNDS {
        let row = tenant.authorization();
        insert(store, row.clone()).await;
        commit(store, [Change::ScheduleRefresh(row.id, Some(START))]).await;
        let results = race(store, |store, rival| async move {
            let holder = format!("process {rival} of round {round}");
            if rival % 2 == 0 {
                let taken = store.take_lease(row.id, &holder, None, START).await.expect("an answer");
                return usize::from(matches!(taken, TakenLease::Taken(_)));
            }
            let (again_at, watch_at) = (minutes(1_000_000), minutes(1_000_000));
            let claim = DueClaim { holder, now: START, again_at, watch_at, limit: 10 };
            let due = store.claim_due(&claim).await.expect("a claim");
            due.iter().filter(|due| matches!(due, DueRefresh::Claimed(_))).count()
        })
        .await;
        assert_eq!(results.iter().sum::<usize>(), 1, "{results:?}");
    }
}
