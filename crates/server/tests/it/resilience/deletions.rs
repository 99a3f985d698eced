//! Deletions of providers whose worker is killed on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, Simulator};
use reqwest::StatusCode;

use crate::callers::detail;
use crate::installation::Installation;
use crate::simulated;
use crate::stores::{Refusal, Store, StoreKind, on_either_store};
use crate::waiting::eventually;

/// Where the worker is when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// One authorization is being refreshed, which is waited for; the others are detached and revoked.
    Detaching,
    /// Some tokens are revoked; others are on their way, and the provider has not seen them.
    Asking,
    /// The provider has revoked all, and of no answer there is a receipt.
    Answered,
    /// All has been done, and has only to be told.
    Finishing,
}

on_either_store!(
    killed_while_it_detaches,
    killed_while_it_asks,
    killed_when_it_is_answered,
    killed_at_the_end
);

async fn killed_while_it_detaches(store: StoreKind) {
    a_deletion_goes_on_where_a_killed_worker_stopped(store, Point::Detaching).await;
}

async fn killed_while_it_asks(store: StoreKind) {
    a_deletion_goes_on_where_a_killed_worker_stopped(store, Point::Asking).await;
}

async fn killed_when_it_is_answered(store: StoreKind) {
    a_deletion_goes_on_where_a_killed_worker_stopped(store, Point::Answered).await;
}

async fn killed_at_the_end(store: StoreKind) {
    a_deletion_goes_on_where_a_killed_worker_stopped(store, Point::Finishing).await;
}

/// How many authorizations the provider has.
const AUTHORIZATIONS: usize = 6;
/// How many of them are left when the provider does not answer any more.
const UNANSWERED: usize = 3;

impl Point {
    /// Sees to it that the worker gets no further than here.
    fn bar_the_way(self, store: &Store) {
        match self {
            Self::Detaching => lease_elsewhere(1, store),
            Self::Asking => lease_elsewhere(UNANSWERED, store),
            Self::Answered => {
                store.refuse_updates("revocations", "NEW.status = 'revoked'", Refusal::Unnoticed);
            }
            Self::Finishing => store.refuse_updates("jobs", "NEW.status = 'COMPLETED'", Refusal::Failure),
        }
    }

    /// Waits until the worker is here. Revocations are not left to it: another loop of its process makes them, too.
    async fn is_reached(self, upstream: &Simulator, store: &Store) {
        let left = |authorizations: usize| {
            store.count("authorizations") == authorizations
                && store.count("revocations WHERE status = 'revoked'") == AUTHORIZATIONS - authorizations
        };
        match self {
            Self::Detaching => until("the others to be revoked", || left(1)).await,
            Self::Asking => {
                until("the others to be revoked", || left(UNANSWERED)).await;
                // What comes now lies there until the service is dead, and is then never handled.
                let never_handled = Fault::once(FaultPlace::Revoke, FaultEffect::Drop);
                upstream.set_faults([never_handled.delayed(Duration::from_secs(600)).until_cleared()]);
                store.sql("UPDATE refreshes SET holder = NULL");
                let asking = "revocations WHERE status = 'pending' AND lease_holder IS NOT NULL";
                until("the last to be asked for", || store.count(asking) > 0).await;
            }
            Self::Answered => {
                // A refresh token and an access token each.
                let asked = || upstream.stats().revoke_calls.len() == 2 * AUTHORIZATIONS;
                until("the provider to have revoked all", asked).await;
            }
            Self::Finishing => until("all to be revoked", || left(0)).await,
        }
    }

    /// What stood in the way of the worker that is dead by now.
    fn clear_the_way(self, upstream: &Simulator, store: &Store) {
        match self {
            Self::Detaching => {}
            Self::Asking => upstream.set_faults([]),
            Self::Answered | Self::Finishing => store.admit_updates(),
        }
    }

    /// How often the provider may have been asked to revoke a token. What it has revoked and there is no receipt of
    /// comes again, which does no harm (RFC 7009, 2.2).
    fn most_times(self) -> u32 {
        if self == Self::Answered { 2 } else { 1 }
    }
}

async fn a_deletion_goes_on_where_a_killed_worker_stopped(store: StoreKind, point: Point) {
    let upstream = simulated::provider();
    let installation = Installation::on(store);
    let store = &installation.store;
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    let provider = admin.register_simulated(&upstream).await;
    for number in 0..AUTHORIZATIONS {
        admin.authorize_as(&provider, &format!("person-{number}")).await;
    }
    point.bar_the_way(store);
    let job = admin.delete_provider(&provider).await;
    point.is_reached(&upstream, store).await;
    assert_eq!(admin.get(&job).await.1["status"], "RUNNING");
    running.kill().await;
    point.clear_the_way(&upstream, store);
    store.lapse_leases();

    let _next = installation.serve().await;
    let job = admin.finished(&job).await;
    assert_eq!(job["status"], "COMPLETED", "{job}");
    for receipt in detail(&job, "revocations").as_array().unwrap() {
        assert_eq!(receipt["status"], "revoked", "{receipt}");
    }
    assert_eq!(admin.get(&format!("/providers/{provider}/")).await.0, StatusCode::NOT_FOUND);
    let left = ["providers", "authorizations", "revocations WHERE status <> 'revoked'"];
    assert_eq!(left.map(|rows| store.count(rows)), [0, 0, 0], "{left:?}");
    assert_each_was_done_once(store);
    assert_all_is_revoked(&upstream, point);
}

/// Another process refreshes so many of the authorizations, and takes long.
fn lease_elsewhere(authorizations: usize, store: &Store) {
    store.sql(&format!(
        "UPDATE refreshes SET holder = 'a refresh elsewhere', fence = fence + 1 WHERE authorization_id IN
             (SELECT id FROM authorizations ORDER BY id LIMIT {authorizations})"
    ));
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    eventually(what, async || is_so().then_some(())).await;
}

fn assert_each_was_done_once(store: &Store) {
    assert_eq!((store.count("jobs"), store.count("revocations")), (1, AUTHORIZATIONS));
    for (action, times) in [
        ("authorization.deleted", AUTHORIZATIONS),
        ("token.revoked", AUTHORIZATIONS),
        ("job.finished", 1),
        ("provider.deleted", 1),
    ] {
        let told = format!("audit_entries WHERE action = '{action}' AND outcome = 'done'");
        assert_eq!(store.count(&told), times, "{action}");
    }
}

fn assert_all_is_revoked(upstream: &Simulator, point: Point) {
    let stats = upstream.stats();
    assert_eq!(stats.families.len(), AUTHORIZATIONS);
    assert!(stats.families.values().all(|family| !family.alive), "{:?}", stats.families);
    let mut asked = BTreeMap::<_, u32>::new();
    for call in &stats.revoke_calls {
        assert_eq!(call.outcome, "ok");
        *asked.entry((&call.family, &call.token_type_hint)).or_default() += 1;
    }
    assert_eq!(asked.len(), 2 * AUTHORIZATIONS, "a refresh token and an access token each: {asked:?}");
    assert!(asked.values().all(|times| *times <= point.most_times()), "{asked:?}");
}
