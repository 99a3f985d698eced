use chrono::TimeDelta;

use super::*;
use crate::Change;
use crate::authorizations::{GrantState, MockAuthorizationStore};
use crate::fixtures::{Commits, START, expired, new_tokens, provider, unavailable};
use crate::providers::{MockRefreshTokens, ProviderStatus, RefreshModel};
use crate::tokens::refresh_fixtures::{
    Bench, FENCE, asked, at_a, claimed, dead, ends, failed, found_in_turn, giving_tokens, holding_leases,
    lease, seconds, unanswered, with_tokens,
};
use crate::tokens::{MockRefreshLeases, RequestEnd, SignOfLife};

const PATIENCE: Duration = Duration::from_secs(4);
/// More than a refresh takes however bad it comes.
const FOREVER: Duration = Duration::from_secs(3600);

async fn run(bench: Bench) -> RefreshOutcome {
    let engine = bench.engine();
    let outcome = engine.run(expired(), FOREVER).await;
    engine.tasks.drain().await;
    assert!(engine.in_flight.is_empty(), "nothing is left behind");
    outcome
}

/// Leases of which the one that is wanted is another's.
fn held_by_another(sign: impl Fn() -> SignOfLife + Send + 'static) -> MockRefreshLeases {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().returning(move |_, _, _, _| Ok(TakenLease::Held(sign())));
    leases
}

#[tokio::test(start_paused = true)]
async fn a_refresh_runs_under_a_lease_in_the_name_of_this_process() {
    let mut leases = MockRefreshLeases::new();
    leases
        .expect_take_lease()
        .withf(|id, holder, silent, now| {
            (*id, holder, *silent, *now) == (expired().id, "holder", None, START)
        })
        .times(1)
        .returning(|_, _, _, _| Ok(TakenLease::Taken(lease())));
    let commits = Commits::default();
    assert_eq!(
        run(Bench { leases, store: commits.store(), ..Bench::new() }).await,
        RefreshOutcome::Refreshed
    );
    let end = ends(commits.last())[0];
    assert_eq!((end.authorization_id, end.fence, end.request), (expired().id, FENCE, RequestEnd::Answered));
}

#[tokio::test(start_paused = true)]
async fn callers_who_come_while_a_refresh_is_under_way_share_it() {
    let engine = Bench { clients: giving_tokens(1), ..Bench::new() }.engine();
    let callers = (0..50).map(|_| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.run(expired(), PATIENCE).await })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), RefreshOutcome::Refreshed);
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_a_refresh_gets_another() {
    let engine = Bench { clients: giving_tokens(2), ..Bench::new() }.engine();
    assert_eq!(engine.run(expired(), PATIENCE).await, RefreshOutcome::Refreshed);
    assert_eq!(engine.run(expired(), PATIENCE).await, RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_than_they_want_and_the_refresh_goes_on() {
    let commits = Commits::default();
    let answers = commits.answering(|commit| if commit < 9 { Err(unavailable().into()) } else { Ok(()) });
    let engine = Bench { store: answers, ..Bench::new() }.engine();
    assert_eq!(engine.run(expired(), PATIENCE).await, failed("slow"));
    assert_eq!(engine.clock.now(), START + TimeDelta::seconds(4));
    engine.tasks.drain().await;
    assert_eq!((commits.count(), engine.in_flight.is_empty()), (10, true));
}

#[tokio::test(start_paused = true)]
async fn callers_join_a_refresh_that_the_background_has_claimed() {
    // The store is away for a moment, so that there is something to join.
    let store =
        Commits::default().answering(|commit| if commit == 0 { Err(unavailable().into()) } else { Ok(()) });
    let bench = Bench { leases: held_by_another(sign), store, ..Bench::new() };
    let engine = Bench { clients: giving_tokens(1), ..bench }.engine();
    let pass = engine.turn.gates.enter(provider().id, expired().id).unwrap();
    let background = engine.run_claimed(claimed(lease()), Duration::ZERO, pass);
    let caller = engine.run(expired(), PATIENCE);
    assert_eq!(tokio::join!(background, caller), (RefreshOutcome::Refreshed, RefreshOutcome::Refreshed));
    assert!(engine.in_flight.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_background_refreshes_what_it_has_claimed_though_a_caller_waits_for_the_lease() {
    let unchanged = || Some((expired(), provider()));
    let theirs = Some((with_tokens("theirs", "theirs too"), provider()));
    let engine = Bench {
        leases: held_by_another(sign),
        authorizations: found_in_turn([unchanged(), theirs]),
        ..Bench::new()
    }
    .engine();
    let waiting = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { engine.run(expired(), PATIENCE).await }
    });
    engine.clock.sleep(LOOK / 2).await;
    let pass = engine.turn.gates.enter(provider().id, expired().id).unwrap();
    let outcome = engine.run_claimed(claimed(lease()), engine.clock.monotonic(), pass).await;
    assert_eq!(outcome, RefreshOutcome::Refreshed);
    assert_eq!(waiting.await.unwrap(), RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn under_the_lease_the_row_is_read_again() {
    let died = Authorization { grant: GrantState::Dead { reason: "invalid_grant".to_owned() }, ..expired() };
    let must_rest = Authorization {
        last_failure: Some("rate_limited".to_owned()),
        next_attempt_at: Some(START + TimeDelta::seconds(1)),
        ..expired()
    };
    let has_failed = Authorization {
        last_failure: Some("timeout".to_owned()),
        next_attempt_at: Some(START + TimeDelta::seconds(15)),
        version: expired().version.next(),
        ..expired()
    };
    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    for (found, expected) in [
        ((with_tokens("theirs", "theirs too"), provider()), RefreshOutcome::Refreshed),
        ((died, provider()), dead("invalid_grant")),
        ((must_rest, provider()), failed("rate_limited")),
        ((has_failed, provider()), failed("timeout")),
        ((expired(), disabled), RefreshOutcome::ClientRefused),
    ] {
        let commits = Commits::default();
        let authorizations = found_in_turn([Some(found)]);
        let bench =
            Bench { authorizations, clients: giving_tokens(0), store: commits.store(), ..Bench::new() };
        assert_eq!(run(bench).await, expected);
        let end = lease().ended(RequestEnd::Moot, NextRefresh::Unchanged);
        assert_eq!(commits.last(), [Change::EndRefresh(end)], "{expected:?}: nothing was asked");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_is_not_refreshed() {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().returning(|_, _, _, _| Ok(TakenLease::Gone));
    let bench = Bench { leases, clients: giving_tokens(0), ..Bench::new() };
    assert_eq!(run(bench).await, failed("deleted"));
    let bench = Bench { authorizations: found_in_turn([None]), clients: giving_tokens(0), ..Bench::new() };
    assert_eq!(run(bench).await, failed("deleted"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_under_which_the_row_cannot_be_read_is_given_back() {
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(|_, _| Err(unavailable()));
    let commits = Commits::default();
    let bench = Bench {
        authorizations: Arc::new(authorizations),
        clients: giving_tokens(0),
        store: commits.store(),
        ..Bench::new()
    };
    assert_eq!(run(bench).await, failed("store_unavailable"));
    assert_eq!(ends(commits.last())[0].request, RequestEnd::Moot);
}

fn sign() -> SignOfLife {
    SignOfLife { fence: FENCE - 1, beat: 3 }
}

#[tokio::test(start_paused = true)]
async fn while_another_process_has_the_lease_its_result_is_waited_for() {
    let has_failed = Authorization {
        last_failure: Some("connect".to_owned()),
        next_attempt_at: Some(START),
        version: expired().version.next(),
        ..expired()
    };
    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    let unchanged = || Some((expired(), provider()));
    for (then, expected) in [
        (Some((with_tokens("theirs", "theirs too"), provider())), RefreshOutcome::Refreshed),
        (Some((has_failed, provider())), failed("connect")),
        (Some((expired(), disabled)), RefreshOutcome::ClientRefused),
        (None, failed("deleted")),
    ] {
        let bench = Bench {
            leases: held_by_another(sign),
            authorizations: found_in_turn([unchanged(), unchanged(), then]),
            clients: giving_tokens(0),
            ..Bench::new()
        };
        let clock = bench.clock.clone();
        assert_eq!(run(bench).await, expected);
        assert_eq!(clock.monotonic(), LOOK * 3, "the third look");
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_lives_is_waited_for_however_long_its_provider_takes() {
    let beats = Mutex::new(0);
    let leases = held_by_another(move || {
        let mut beats = beats.lock().unwrap();
        *beats += 1;
        // A beat at every fifth look, which is every five seconds.
        SignOfLife { beat: *beats / 5, ..sign() }
    });
    let bench = Bench { leases, clients: giving_tokens(0), ..Bench::new() };
    let clock = bench.clock.clone();
    assert_eq!(run(bench).await, failed("slow"));
    assert!(clock.monotonic() >= seconds(90), "patience is over, and the lease was never taken");
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_holder_that_has_fallen_silent_is_taken_over() {
    let mut leases = holding_leases();
    leases.checkpoint();
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases.expect_take_lease().returning(|_, _, silent, _| {
        Ok(match silent {
            Some(silent) if silent == sign() => TakenLease::Taken(lease()),
            _ => TakenLease::Held(sign()),
        })
    });
    let bench = Bench { leases, ..Bench::new() };
    let clock = bench.clock.clone();
    assert_eq!(run(bench).await, RefreshOutcome::Refreshed);
    assert_eq!(clock.monotonic(), TokenSettings::default().lease_silence + SLOW_LOOK);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_makes_no_holder_silent() {
    for jump in [TimeDelta::hours(-1), TimeDelta::hours(1)] {
        let mut leases = MockRefreshLeases::new();
        leases.expect_keep_lease().returning(|_| Ok(true));
        leases.expect_take_lease().returning(|_, _, silent, _| {
            Ok(silent.map_or(TakenLease::Held(sign()), |_| TakenLease::Taken(lease())))
        });
        let bench = Bench { leases, ..Bench::new() };
        let clock = bench.clock.clone();
        let jumping = async {
            clock.sleep(seconds(5)).await;
            clock.jump(jump);
        };
        let (outcome, ()) = tokio::join!(run(bench), jumping);
        assert_eq!(outcome, RefreshOutcome::Refreshed);
        assert_eq!(clock.monotonic(), TokenSettings::default().lease_silence + SLOW_LOOK);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_of_the_dead_at_a_strict_provider_is_waited_for_before_another_is_made() {
    let mut leases = holding_leases();
    leases.checkpoint();
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases.expect_note_request().times(1).returning(|_, _| Ok(true));
    let unanswered = unanswered(START);
    leases.expect_take_lease().returning(move |_, _, _, _| {
        Ok(TakenLease::Taken(RefreshLease { unanswered: Some(unanswered), ..lease() }))
    });
    let bench = Bench { leases, ..Bench::new() };
    let clock = bench.clock.clone();
    assert_eq!(run(bench).await, RefreshOutcome::Refreshed);
    assert_eq!(clock.monotonic(), TokenSettings::default().lease_silence * 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_minutes_in_the_middle_costs_no_rotated_token() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit < 240 { Err(unavailable().into()) } else { Ok(()) });
    let mut leases = holding_leases();
    leases.checkpoint();
    leases.expect_take_lease().returning(|_, _, _, _| Ok(TakenLease::Taken(lease())));
    leases.expect_keep_lease().returning(|_| Err(unavailable()));
    let bench = Bench { leases, store, ..Bench::new() };
    let clock = bench.clock.clone();
    assert_eq!(run(bench).await, RefreshOutcome::Refreshed);
    assert_eq!(clock.monotonic(), seconds(240));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_hours_costs_no_rotated_token() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit < 3_000 { Err(unavailable().into()) } else { Ok(()) });
    let bench = Bench { store, ..Bench::new() };
    let clock = bench.clock.clone();
    assert_eq!(run(bench).await, RefreshOutcome::Refreshed);
    assert_eq!(clock.monotonic(), seconds(3_000));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_another_process_reads_more_often_than_it_tries_to_get_the_lease() {
    let tries = Arc::new(Mutex::new(0));
    let counting = Arc::clone(&tries);
    let leases = held_by_another(move || {
        let mut tries = counting.lock().unwrap();
        *tries += 1;
        SignOfLife { beat: *tries, ..sign() }
    });
    let reads = Arc::new(Mutex::new(0));
    let reading = Arc::clone(&reads);
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(move |_, _| {
        *reading.lock().unwrap() += 1;
        Ok(Some((expired(), provider().into())))
    });
    let bench = Bench { leases, authorizations: Arc::new(authorizations), ..Bench::new() };
    let engine = bench.engine();
    assert_eq!(engine.run(expired(), PATIENCE + LOOK / 2).await, failed("slow"));
    // Two seconds of ten looks, then one a second; a try a second.
    assert_eq!((*reads.lock().unwrap(), *tries.lock().unwrap()), (12, 5));
}

#[tokio::test(start_paused = true)]
async fn a_panic_frees_the_entry() {
    let refresh = asked(1, || panic!("as the test wants it"));
    let bench = Bench { clients: at_a(RefreshModel::Rotating, None, refresh), ..Bench::new() };
    assert_eq!(run(bench).await, failed("interrupted"));
}

#[test]
fn a_refresh_that_never_got_to_run_frees_the_entry() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (engine, waiting) = runtime.block_on(async {
        let engine = Bench { clients: giving_tokens(0), ..Bench::new() }.engine();
        let mut caller = Box::pin({
            let engine = Arc::clone(&engine);
            async move { engine.run(expired(), PATIENCE).await }
        });
        assert!(futures_util::poll!(&mut caller).is_pending());
        (engine, caller)
    });
    assert!(!engine.in_flight.is_empty());
    drop(runtime);
    assert!(engine.in_flight.is_empty());
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_hears_that_a_refresh_was_interrupted() {
    let mut refresh = MockRefreshTokens::new();
    refresh.expect_refresh_token().times(2).returning(|_, _| Ok(new_tokens()));
    let engine = Bench { clients: at_a(RefreshModel::Rotating, None, refresh), ..Bench::new() }.engine();
    let Entrance::Entered(entry, _) = engine.in_flight.join_or_enter(expired().id) else {
        panic!("nothing is under way")
    };
    let waiting = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { engine.run(expired(), PATIENCE).await }
    });
    engine.clock.sleep(seconds(1)).await;
    drop(entry);
    assert_eq!(waiting.await.unwrap(), failed("interrupted"));
    for _ in 0..2 {
        assert_eq!(engine.run(expired(), PATIENCE).await, RefreshOutcome::Refreshed);
    }
}
