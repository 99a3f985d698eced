//! Rules of the revocation queue.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::Lease;
use grantkeeper_domain::ids::RevocationId;
use grantkeeper_domain::revocations::ClaimedRevocations::{self, Due, Of, One};
use grantkeeper_domain::revocations::{ResourceOwner, Revocation, RevocationStatus};
use grantkeeper_domain::{Change, Store};

use super::tenant::{
    Tenant, UNICODE, commit, expect_states, insert, long_secret, minutes, of_mixed_age, update,
};
use crate::entities::{FRESH, START, authorization, endpoints, provider, revocation};

fn lease(holder: &str, until: i64) -> Lease {
    Lease { holder: holder.to_owned(), until: minutes(until) }
}

async fn claim(
    store: &Arc<dyn Store>,
    which: ClaimedRevocations,
    now: DateTime<Utc>,
    limit: u32,
) -> Vec<RevocationId> {
    let claimed = store.claim_revocations(which, lease("worker", 60), now, limit).await.expect("a claim");
    claimed.into_iter().map(|row| row.id).collect()
}

/// Every field of a revocation is kept, in every status.
pub async fn revocations_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let states = |base: Revocation| {
        [
            base.clone(),
            Revocation { access_token: Some(long_secret()), refresh_token: None, ..base.clone() },
            Revocation { access_token: None, refresh_token: Some(long_secret()), ..base.clone() },
            Revocation {
                lease: Some(lease(UNICODE, 5)),
                attempts: u32::from(u16::MAX),
                last_error: Some("server_error".to_owned()),
                next_attempt_at: minutes(3),
                created_at: minutes(-3),
                ..base.clone()
            },
            Revocation { resource_owner: None, ..base.clone() },
            Revocation {
                resource_owner: Some(ResourceOwner { issuer: UNICODE.to_owned(), subject: String::new() }),
                settings_url: endpoints("provider.example").settings_url,
                ..base.clone()
            },
            base.clone().finished(RevocationStatus::Revoked, None, minutes(1)),
            base.clone().finished(RevocationStatus::NotSupported, None, minutes(2)),
            base.finished(RevocationStatus::Failed, Some("timeout".to_owned()), minutes(3)),
        ]
    };
    expect_states(store, states(tenant.revocation())).await;
    expect_states(store, states(tenant.revocation()).into_iter().rev()).await;
}

/// "All revocations of a provider, oldest first": pending and ended ones, and no other provider's.
pub async fn revocations_of_a_provider_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let elsewhere = revocation(&authorization(&tenant.account, &provider(&tenant.organization)));
    insert(store, elsewhere.clone()).await;
    let ended = |status| tenant.revocation().finished(status, None, minutes(1));
    let rows = [
        tenant.revocation(),
        ended(RevocationStatus::Revoked),
        ended(RevocationStatus::NotSupported),
        ended(RevocationStatus::Failed),
    ];
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let listed = store.revocations_of(tenant.provider.id).await.expect("a read");
    assert_eq!(listed.into_iter().map(|row| row.id).collect::<Vec<_>>(), oldest_first);
    assert_eq!(store.revocations_of(elsewhere.provider_id).await.expect("a read"), [elsewhere]);
}

/// "At most `limit`, oldest `next_attempt_at` first, those that are due", of whatever organization.
pub async fn due_revocations_are_claimed_in_their_order(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let due_at = |tenant: &Tenant, at| Revocation {
        next_attempt_at: minutes(at),
        // The age of the row says nothing about its turn.
        created_at: minutes(-at),
        ..tenant.revocation()
    };
    let [third, first, later, second, fourth] = [
        due_at(&tenant, 30),
        due_at(&other, 10),
        due_at(&tenant, 41),
        due_at(&other, 20),
        due_at(&tenant, 40),
    ];
    commit(store, [&third, &first, &later, &second, &fourth].map(|row| Change::insert(row.clone()))).await;
    assert_eq!(claim(store, Due, minutes(9), 10).await, []);
    assert_eq!(claim(store, Due, minutes(40), 0).await, []);
    assert_eq!(claim(store, Due, minutes(40), 3).await, [first.id, second.id, third.id]);
    assert_eq!(claim(store, Due, minutes(40), 3).await, [fourth.id]);
    assert_eq!(claim(store, Due, minutes(40), 3).await, []);
    assert_eq!(claim(store, Due, minutes(41), 3).await, [later.id]);
}

/// "They are stored as `Revocation::claimed` and returned."
pub async fn a_claimed_revocation_is_stored(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.revocation();
    insert(store, row.clone()).await;
    let claimed = store.claim_revocations(Due, lease("worker", 5), minutes(1), 10).await.expect("a claim");
    let expected = row.claimed(lease("worker", 5));
    let kept = store.revocations_of(tenant.provider.id).await.expect("a read");
    assert_eq!((claimed, kept), (vec![expected.clone()], vec![expected.clone()]));
    update(store, expected.put_off("timeout".to_owned(), None, minutes(2))).await;
}

/// Neither when it is due, nor in a hurry, nor by the one who has it.
pub async fn a_revocation_is_not_claimed_twice(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.revocation();
    insert(store, row.clone()).await;
    assert_eq!(claim(store, Due, minutes(1), 10).await, [row.id]);
    assert_eq!(claim(store, Due, minutes(2), 10).await, []);
    assert_eq!(claim(store, Of(tenant.provider.id), minutes(2), 10).await, []);
    assert_eq!(claim(store, One(row.id), minutes(2), 10).await, []);
}

/// From the end of the lease on.
pub async fn a_lapsed_revocation_is_claimed_again(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, tenant.revocation()).await;
    let first = store.claim_revocations(Due, lease("one", 5), minutes(1), 10).await.expect("a claim");
    assert_eq!(claim(store, Due, minutes(5) - TimeDelta::microseconds(1), 10).await, []);
    let second = store.claim_revocations(Due, lease("two", 9), minutes(5), 10).await.expect("a claim");
    let expected: Vec<_> = first.into_iter().map(|row| row.claimed(lease("two", 9))).collect();
    assert_eq!(expected.len(), 1);
    assert_eq!(second, expected);
}

/// "With a provider all of that provider's", before their time too, still in order and at most `limit`.
pub async fn in_a_hurry_a_provider_has_all_of_its_revocations_claimed(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let due_at = |tenant: &Tenant, at| Revocation { next_attempt_at: minutes(at), ..tenant.revocation() };
    let [third, first, second] = [3000, 0, 2000].map(|at| due_at(&tenant, at));
    let elsewhere = due_at(&other, 0);
    commit(store, [&third, &first, &second, &elsewhere].map(|row| Change::insert(row.clone()))).await;
    let of = Of(tenant.provider.id);
    assert_eq!(claim(store, of, minutes(1), 2).await, [first.id, second.id]);
    assert_eq!(claim(store, of, minutes(1), 2).await, [third.id]);
    assert_eq!(claim(store, of, minutes(1), 2).await, []);
    assert_eq!(claim(store, Due, minutes(1), 10).await, [elsewhere.id]);
}

/// "This one, before its time too": that one alone, however long others have been due.
pub async fn in_a_hurry_a_single_revocation_is_claimed(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let due_at = |at| Revocation { next_attempt_at: minutes(at), ..tenant.revocation() };
    let (wanted, other) = (due_at(3000), due_at(0));
    commit(store, [&wanted, &other].map(|row| Change::insert(row.clone()))).await;
    assert_eq!(claim(store, One(RevocationId::generate(&FRESH, START)), minutes(1), 10).await, []);
    assert_eq!(claim(store, One(wanted.id), minutes(1), 0).await, []);
    let claimed = store.claim_revocations(One(wanted.id), lease("caller", 5), minutes(1), 1).await;
    let expected = wanted.claimed(lease("caller", 5));
    let kept = store.revocation(tenant.organization.id, expected.id).await.expect("a read");
    assert_eq!((claimed.expect("a claim"), kept), (vec![expected.clone()], Some(expected.clone())));
    assert_eq!(claim(store, Due, minutes(1), 10).await, [other.id]);

    // Whoever has it keeps it as long as was said, and no longer.
    assert_eq!(claim(store, One(expected.id), minutes(5) - TimeDelta::microseconds(1), 10).await, []);
    assert_eq!(claim(store, One(expected.id), minutes(5), 10).await, [expected.id]);
}

/// Whatever way it ended, and however great the hurry.
pub async fn an_ended_revocation_is_not_claimed(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for status in [RevocationStatus::Revoked, RevocationStatus::NotSupported, RevocationStatus::Failed] {
        let ended = tenant.revocation().finished(status, None, minutes(1));
        insert(store, ended.clone()).await;
        assert_eq!(claim(store, One(ended.id), minutes(30), 10).await, []);
    }
    assert_eq!(claim(store, Due, minutes(30), 10).await, []);
    assert_eq!(claim(store, Of(tenant.provider.id), minutes(30), 10).await, []);
}

/// Those that ended *before* that time, and how many. What is pending stays, however old.
pub async fn only_old_receipts_are_purged(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let ended = |status, at| tenant.revocation().finished(status, None, minutes(at));
    let pending = Revocation { created_at: minutes(-9999), ..tenant.revocation() };
    let gone = [
        ended(RevocationStatus::Revoked, 1),
        ended(RevocationStatus::NotSupported, 8),
        ended(RevocationStatus::Failed, 9),
    ];
    let kept = [pending, ended(RevocationStatus::Revoked, 10), ended(RevocationStatus::Failed, 11)];
    commit(store, gone.into_iter().chain(kept.clone()).map(Change::insert)).await;
    assert_eq!(store.purge_revocations(minutes(10)).await.expect("a purge"), 3);
    let mut left: Vec<_> = store
        .revocations_of(tenant.provider.id)
        .await
        .expect("a read")
        .into_iter()
        .map(|row| row.id)
        .collect();
    let mut expected = kept.map(|row| row.id);
    left.sort_unstable();
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert_eq!(store.purge_revocations(minutes(10)).await.expect("a purge"), 0);
}
