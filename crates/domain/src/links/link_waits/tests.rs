use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;

use super::*;
use crate::authorizations::MockAuthorizationStore;
use crate::fixtures::{
    Commits, START, VirtualClock, authorization, caller, flow, provider, unavailable, uuid,
};

fn awaited() -> Awaited {
    (caller().account_id, provider().id)
}

fn is_woken(seat: &mut Seat) -> bool {
    // A thousand in a row are no reason to let others go first.
    tokio::task::unconstrained(seat.woken()).now_or_never().is_some()
}

#[test]
fn who_sits_down_is_woken_by_what_they_wait_for_and_once() {
    let waits = LinkWaits::default();
    let mut seat = waits.sit_down(awaited());
    assert!(!is_woken(&mut seat));
    waits.wake((awaited().0, ProviderId::from_uuid(uuid(98))));
    waits.wake((AccountId::from_uuid(uuid(99)), awaited().1));
    assert!(!is_woken(&mut seat), "another link");
    waits.wake(awaited());
    waits.wake(awaited());
    assert!(is_woken(&mut seat), "though nobody was listening just then");
    assert!(!is_woken(&mut seat));
}

#[test]
fn what_was_linked_before_wakes_nobody() {
    let waits = LinkWaits::default();
    let _first = waits.sit_down(awaited());
    waits.wake(awaited());
    assert!(!is_woken(&mut waits.sit_down(awaited())));
}

#[test]
fn all_who_wait_for_a_link_are_woken() {
    let waits = LinkWaits::default();
    let mut seats: Vec<_> = (0..1000).map(|_| waits.sit_down(awaited())).collect();
    assert_eq!(waits.bells().len(), 1, "they share a bell");
    waits.wake(awaited());
    assert!(seats.iter_mut().all(is_woken));
}

#[test]
fn seats_that_are_dropped_leave_nothing_behind() {
    let waits = LinkWaits::default();
    let mut stays = waits.sit_down(awaited());
    drop(waits.sit_down(awaited()));
    drop(waits.sit_down((awaited().0, ProviderId::from_uuid(uuid(98)))));
    assert_eq!(waits.bells().len(), 1);
    waits.wake(awaited());
    assert!(is_woken(&mut stays), "who stays is woken all the same");
    drop(stays);
    assert!(waits.is_empty());
    waits.wake(awaited());
    assert!(waits.is_empty(), "nor does waking");
}

#[test]
fn one_who_leaves_while_another_sits_down_takes_no_bell_away() {
    let waits = LinkWaits::default();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let waits = waits.clone();
            std::thread::spawn(move || {
                for _ in 0..2000 {
                    let mut seat = waits.sit_down(awaited());
                    waits.wake(awaited());
                    assert!(is_woken(&mut seat));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(waits.is_empty());
}

#[tokio::test]
async fn a_stop_is_for_those_who_wait_and_for_those_who_come_later() {
    let waits = LinkWaits::default();
    let stopped = waits.stopped();
    tokio::pin!(stopped);
    assert!(stopped.as_mut().now_or_never().is_none());
    waits.clone().stop();
    stopped.await;
    waits.stopped().await;
}

#[tokio::test]
async fn an_authorization_that_is_written_wakes_those_who_wait_for_it() {
    for (change, wakes) in [
        (Change::insert(authorization()), true),
        (Change::update(authorization()), true),
        (Change::delete(authorization()), false),
        (Change::insert(flow()), false),
    ] {
        let (waits, commits) = (LinkWaits::default(), Commits::default());
        let announce = AnnounceLinks { store: commits.store(), waits: waits.clone() };
        let mut seat = waits.sit_down(awaited());
        announce.commit(vec![Change::insert(provider()), change.clone()]).await.unwrap();
        assert_eq!(is_woken(&mut seat), wakes, "{change:?}");
        assert_eq!(commits.last().len(), 2, "and all of it is written");
    }
}

#[tokio::test]
async fn nobody_is_woken_before_it_is_written() {
    let waits = LinkWaits::default();
    let seat = Mutex::new(waits.sit_down(awaited()));
    let seat = Arc::new(seat);
    let watched = Arc::clone(&seat);
    let store = Commits::default().answering(move |_| {
        assert!(!is_woken(&mut watched.lock().unwrap()));
        Ok(())
    });
    AnnounceLinks { store, waits }.commit(vec![Change::insert(authorization())]).await.unwrap();
    assert!(is_woken(&mut seat.lock().unwrap()));
}

#[tokio::test]
async fn a_commit_that_seemed_to_fail_may_have_been_made() {
    let waits = LinkWaits::default();
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let mut seat = waits.sit_down(awaited());
    let answer = AnnounceLinks { store, waits }.commit(vec![Change::insert(authorization())]).await;
    assert!(matches!(answer, Err(CommitError::Store(_))), "{answer:?}");
    assert!(is_woken(&mut seat));
}

/// What other processes have linked, as it is found by each look, and how often it was looked.
fn elsewhere(
    found: impl Fn() -> Result<Vec<(AccountId, ProviderId, DateTime<Utc>)>, StoreError> + Send + Sync + 'static,
) -> (Arc<MockAuthorizationStore>, Arc<AtomicUsize>) {
    let looks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&looks);
    let since = |since: &DateTime<Utc>, limit: &u32| (*since, *limit) == (START - WINDOW, MOST);
    let mut store = MockAuthorizationStore::new();
    store.expect_authorized_since().withf(since).returning(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        found()
    });
    (Arc::new(store), looks)
}

#[tokio::test(start_paused = true)]
async fn where_nobody_waits_nothing_is_looked_up() {
    let (authorizations, looks) = elsewhere(|| Ok(Vec::new()));
    let wake = WakeLinkWaiters {
        authorizations,
        waits: LinkWaits::default(),
        clock: VirtualClock::start(),
        rung: Rung::default(),
    };
    wake.run().await.unwrap();
    assert_eq!(looks.load(Ordering::SeqCst), 0);
    drop(wake.waits.sit_down(awaited()));
    wake.run().await.unwrap();
    assert_eq!(looks.load(Ordering::SeqCst), 0, "nor when they have left");
}

#[tokio::test(start_paused = true)]
async fn one_look_is_for_all_who_wait() {
    let (authorizations, looks) = elsewhere(|| Ok(vec![(awaited().0, awaited().1, START)]));
    let waits = LinkWaits::default();
    let wake = WakeLinkWaiters {
        authorizations,
        waits: waits.clone(),
        clock: VirtualClock::start(),
        rung: Rung::default(),
    };
    let mut seats: Vec<_> = (0..1000).map(|_| waits.sit_down(awaited())).collect();
    let mut other = waits.sit_down((AccountId::from_uuid(uuid(99)), awaited().1));
    wake.run().await.unwrap();
    assert!(seats.iter_mut().all(is_woken) && !is_woken(&mut other));
    assert_eq!(looks.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_wakes_nobody_and_is_told() {
    let (authorizations, _) = elsewhere(|| Err(unavailable()));
    let waits = LinkWaits::default();
    let mut seat = waits.sit_down(awaited());
    let woken =
        WakeLinkWaiters { authorizations, waits, clock: VirtualClock::start(), rung: Rung::default() }
            .run()
            .await;
    assert!(matches!(woken, Err(StoreError::Unavailable(_))));
    assert!(!is_woken(&mut seat));
}

#[tokio::test(start_paused = true)]
async fn each_link_of_another_process_wakes_once() {
    let news = Arc::new(Mutex::new(Vec::new()));
    let found = Arc::clone(&news);
    let (authorizations, _) = elsewhere(move || Ok(found.lock().unwrap().clone()));
    let waits = LinkWaits::default();
    let clock = VirtualClock::start();
    let wake = WakeLinkWaiters { authorizations, waits: waits.clone(), clock, rung: Rung::default() };
    let mut seat = waits.sit_down(awaited());
    let mut look = async |seconds: &[i64]| {
        let (account, provider) = awaited();
        let found = seconds.iter().map(|at| (account, provider, START + TimeDelta::seconds(*at)));
        *news.lock().unwrap() = found.collect();
        wake.run().await.unwrap();
        is_woken(&mut seat)
    };
    assert!(look(&[1]).await);
    assert!(!look(&[1]).await, "it was told already");
    assert!(look(&[3, 1]).await, "another one, or the same anew");
    assert!(!look(&[1, 3]).await);
    assert!(!look(&[3]).await);
    assert!(!look(&[]).await);
    assert_eq!(wake.rung.0.lock().unwrap().len(), 0, "what is out of the window takes no room");
}
