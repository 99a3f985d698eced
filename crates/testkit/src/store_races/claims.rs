//! Races for what one worker or one caller may have.

use std::collections::BTreeSet;
use std::sync::Arc;

use grantkeeper_domain::Lease;
use grantkeeper_domain::authorizations::{DeviceFlow, Poller};
use grantkeeper_domain::ids::RevocationId;
use grantkeeper_domain::jobs::JobStatus;
use grantkeeper_domain::login::{Login, LoginStage};
use grantkeeper_domain::revocations::ClaimedRevocations;
use grantkeeper_domain::{Change, Row, Store};

use super::arena::{RIVALS, ROUNDS, expect_one_winner, race, race_commits};
use crate::entities::{START, hash};
use crate::store_contract::tenant::{Refusal, Tenant, commit, insert, minutes};

fn job_lease(rival: usize, until: i64) -> Lease {
    Lease { holder: format!("worker {rival}"), until: minutes(until) }
}

/// A code is redeemed once.
pub async fn one_of_many_uses_up_a_flow(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let flow = tenant.flow();
        insert(store, flow.clone()).await;
        let id = flow.id;
        let results = race(store, |store, _| async move {
            let code = hash();
            store.use_up(id, &code, START).await.expect("an answer").map(|flow| (flow, code))
        })
        .await;
        let [(winner, code)] = &results.into_iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("one rival gets the flow");
        };
        assert_eq!(*winner, flow.exchanging(code.clone(), START));
        assert_eq!(store.flow(id).await.expect("a read").as_ref(), Some(winner));
    }
}

/// The provider is asked once, however many poll at the same moment; and whoever asked keeps the answer.
pub async fn one_of_many_polls_a_device_flow(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let flow = tenant.device_flow();
    insert(store, flow.clone()).await;
    let mut version = flow.version;
    for round in 0..ROUNDS {
        let now = minutes(i64::try_from(round).expect("a small number"));
        let seen = DeviceFlow { version, ..flow.clone() };
        let results =
            race_commits(store, |_| vec![Change::update(seen.clone().polling(Poller::Caller, now))]).await;
        expect_one_winner(&results, Refusal::Conflict);
        let claimed = store.device_flow(flow.id).await.expect("a read").expect("the flow");
        assert_eq!(claimed, DeviceFlow { version: version.next(), ..seen.polling(Poller::Caller, now) });
        version = version.next();
    }
}

/// A state is used up once, a token released once: each stage of a login is written by one.
pub async fn one_of_many_moves_a_login_on(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut seen = tenant.login();
    insert(store, seen.clone()).await;
    for round in 0..ROUNDS {
        let since = minutes(i64::try_from(round).expect("a small number"));
        let next = Login { stage: LoginStage::Asking { since }, ..seen };
        let results = race_commits(store, |_| vec![Change::update(next.clone())]).await;
        expect_one_winner(&results, Refusal::Conflict);
        seen = Login { version: next.version.next(), ..next };
        assert_eq!(store.login(seen.id).await.expect("a read").as_ref(), Some(&seen));
    }
}

/// A job has one worker.
pub async fn one_of_many_claims_a_job(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let job = tenant.job();
        insert(store, job.clone()).await;
        let results = race(store, |store, rival| async move {
            store.claim(job_lease(rival, 10), START).await.expect("a claim")
        })
        .await;
        let [winner] = &results.into_iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("one rival gets the job");
        };
        assert_eq!(store.job(tenant.organization.id, job.id).await.expect("a read").as_ref(), Some(winner));
    }
}

/// As many jobs as workers: nobody is left out, and nobody works twice on the same.
pub async fn many_jobs_are_claimed_once_each(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let jobs: BTreeSet<_> = commit_all(store, (0..RIVALS).map(|_| tenant.job()), |job| job.id).await;
        let results = race(store, |store, rival| async move {
            store.claim(job_lease(rival, 10), START).await.expect("a claim").map(|job| job.id)
        })
        .await;
        let claimed: Vec<_> = results.into_iter().flatten().collect();
        assert_eq!(claimed.len(), RIVALS);
        assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), jobs);
    }
}

async fn commit_all<N: Into<Row>, K: Ord>(
    store: &Arc<dyn Store>,
    rows: impl Iterator<Item = N>,
    key: impl Fn(&N) -> K,
) -> BTreeSet<K> {
    let rows: Vec<N> = rows.collect();
    let keys = rows.iter().map(key).collect();
    commit(store, rows.into_iter().map(Change::insert)).await;
    keys
}

/// A dead worker has one successor.
pub async fn one_of_many_takes_over_a_lapsed_job(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, tenant.job()).await;
    for round in 0..ROUNDS {
        let now = i64::try_from(round).expect("a small number") * 10;
        let results = race(store, |store, rival| async move {
            store.claim(job_lease(rival, now + 10), minutes(now)).await.expect("a claim")
        })
        .await;
        assert_eq!(results.into_iter().flatten().count(), 1);
    }
}

/// A worker that ends its job while others reach for it: it ends, or it was overtaken, and never both.
pub async fn a_claim_and_a_commit_do_not_pass_each_other(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        insert(store, tenant.job()).await;
        let held = store.claim(job_lease(0, 10), START).await.expect("a claim").expect("a job");
        let id = held.id;
        let done = held.finish(JobStatus::Completed, Vec::new(), minutes(11)).expect("it is running");
        let results = race(store, |store, rival| {
            let done = done.clone();
            async move {
                if rival == 0 {
                    store.commit(vec![Change::update(done)]).await.is_ok()
                } else {
                    // Far into the future, so that the next round finds nothing but its own job.
                    store.claim(job_lease(rival, 1_000_000), minutes(10)).await.expect("a claim").is_some()
                }
            }
        })
        .await;
        assert_eq!(results.iter().filter(|won| **won).count(), 1, "{results:?}");
        let job = store.job(tenant.organization.id, id).await.expect("a read").expect("the job");
        let ended = job.status == JobStatus::Completed;
        assert_eq!(ended, results[0]);
    }
}

/// However the workers divide them: none twice, none forgotten.
pub async fn many_revocations_are_claimed_once_each(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for which in [ClaimedRevocations::Due, ClaimedRevocations::Of(tenant.provider.id)] {
        let count = RIVALS * 5;
        let rows = commit_all(store, (0..count).map(|_| tenant.revocation()), |row| row.id).await;
        let results = race(store, |store, rival| async move {
            let lease = Lease { holder: format!("worker {rival}"), until: minutes(10) };
            let mut mine: Vec<RevocationId> = Vec::new();
            for _ in 0..count {
                let more = store.claim_revocations(which, lease.clone(), START, 3).await.expect("a claim");
                assert!(more.len() <= 3);
                if more.is_empty() {
                    break;
                }
                mine.extend(more.into_iter().map(|row| row.id));
            }
            mine
        })
        .await;
        let claimed: Vec<_> = results.into_iter().flatten().collect();
        assert_eq!(claimed.len(), count);
        assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), rows);
    }
}

/// A worker that goes through what is due and a caller who waits for one of these: one of them asks the provider.
pub async fn a_revocation_that_is_waited_for_is_claimed_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let row = tenant.revocation();
        insert(store, row.clone()).await;
        let id = row.id;
        let results = race(store, |store, rival| async move {
            let which = if rival % 2 == 0 { ClaimedRevocations::One(id) } else { ClaimedRevocations::Due };
            let lease = Lease { holder: format!("worker {rival}"), until: minutes(10) };
            store.claim_revocations(which, lease, START, 3).await.expect("a claim")
        })
        .await;
        assert_eq!(results.into_iter().flatten().map(|row| row.id).collect::<Vec<_>>(), [id]);
    }
}
