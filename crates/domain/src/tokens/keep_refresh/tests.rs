use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use super::*;
use crate::authorizations::MockAuthorizationStore;
use crate::fixtures::{
    Commits, START, expired, keeping, new_tokens, opened, provider, row, sealed, unavailable,
};
use crate::providers::RefreshModel::{Reusable, Rotating, RotatingTolerant, RotatingWithGrace};
use crate::services::Clock as _;
use crate::tokens::refresh_fixtures::{
    Bench, FENCE, Found, asked, at_a, claimed, dead, ends, failed, failing, found_in_turn, giving_tokens,
    invalid_grant, lease, lease_of_the_dead, seconds, with_tokens,
};
use crate::tokens::{ClaimedRefresh, RefreshLease, TakenLease, UnansweredRequest};
use crate::{Row, Version};

/// A store whose first commit meets a conflict.
fn conflict_at_first(commits: &Commits) -> Arc<crate::MockUnitOfWork> {
    commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) })
}

fn found(rows: impl IntoIterator<Item = Authorization>) -> Arc<MockAuthorizationStore> {
    found_in_turn(rows.into_iter().map(|row| Some((row, provider()))).collect::<Vec<Found>>())
}

/// The row as somebody else wrote it who has no tokens.
fn noted() -> Authorization {
    Authorization {
        last_failure: Some("noted meanwhile".to_owned()),
        version: Version::FIRST.next(),
        ..expired()
    }
}

/// The row after the answer to the request with that fence was given up.
fn lost(fence: i64) -> Authorization {
    Authorization {
        grant: GrantState::Dead { reason: ROTATION_LOST.to_owned() },
        refresh_token: None,
        lost_refresh: Some(fence),
        ..noted()
    }
}

#[tokio::test(start_paused = true)]
async fn new_tokens_are_saved_with_their_audit_entry_and_the_end_of_the_refresh() {
    let commits = Commits::default();
    let bench = Bench { store: commits.store(), ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    assert_eq!(commits.count(), 1);
    assert_eq!(commits.last_audited(), [(AuditAction::TokenRefreshed, AuditOutcome::Done, None)]);
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!(opened(saved.access_token_place(), &saved.access_token).as_deref(), Some("new access"));
    let refresh_token = saved.refresh_token.as_ref().unwrap();
    assert_eq!(opened(saved.refresh_token_place(), refresh_token).as_deref(), Some("new refresh"));
    assert_eq!((saved.version, saved.last_refreshed_at), (Version::FIRST, Some(START)));
    let [end] = ends(commits.last())[..] else { panic!("one end") };
    assert_eq!((end.fence, end.request), (FENCE, RequestEnd::Answered));
    let due = end.next.at().unwrap();
    assert!(
        START + TimeDelta::minutes(30) < due && due < START + TimeDelta::hours(1),
        "ahead of the expiry: {due}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_costs_no_rotated_token() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit < 100 { Err(unavailable().into()) } else { Ok(()) });
    let bench = Bench { store, ..Bench::new() };
    let clock = bench.clock.clone();
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!(opened(saved.access_token_place(), &saved.access_token).as_deref(), Some("new access"));
    assert_eq!((commits.count(), clock.monotonic()), (101, seconds(100)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_away_between_two_tries_costs_no_rotated_token_either() {
    let reads = Mutex::new(0);
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(move |_, _| {
        let mut reads = reads.lock().unwrap();
        *reads += 1;
        if *reads < 3 { Err(unavailable()) } else { Ok(Some((noted(), provider().into()))) }
    });
    let commits = Commits::default();
    let store = conflict_at_first(&commits);
    let bench = Bench { authorizations: Arc::new(authorizations), store, ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    assert_eq!(commits.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_conflict_the_answer_is_put_on_top_of_the_row_as_it_is_now() {
    let commits = Commits::default();
    let store = conflict_at_first(&commits);
    let bench = Bench { authorizations: keeping(noted(), provider()), store, ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!((saved.version, saved.last_failure.as_deref()), (Version::FIRST.next(), None));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_takes_the_place_of_the_one_that_was_redeemed_whatever_else_is_new() {
    let newer = Authorization { refresh_token: expired().refresh_token, ..with_tokens("newer", "") };
    let commits = Commits::default();
    let store = conflict_at_first(&commits);
    let bench = Bench { authorizations: keeping(newer.clone(), provider()), store, ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!(saved.access_token, newer.access_token);
    let refresh_token = saved.refresh_token.as_ref().unwrap();
    assert_eq!(opened(saved.refresh_token_place(), refresh_token).as_deref(), Some("new refresh"));
}

/// A refresh whose row has these tokens by the time that its answer is to be kept.
async fn overtaken_by(access: &str, refresh: &str, scope: Option<RevocationScope>) -> Commits {
    let commits = Commits::default();
    let bench = Bench {
        authorizations: keeping(with_tokens(access, refresh), provider()),
        clients: at_a(Rotating, scope, asked(1, || Ok(new_tokens()))),
        store: conflict_at_first(&commits),
        ..Bench::new()
    };
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    commits
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_newer_authorization_are_not_overwritten() {
    for scope in [None, Some(RevocationScope::Grant), Some(RevocationScope::Project)] {
        let commits = overtaken_by("newer", "newer refresh", scope).await;
        let end = lease().ended(RequestEnd::Moot, NextRefresh::Unchanged);
        assert_eq!(commits.last(), [Change::EndRefresh(end)], "nothing that would end the newer ones too");
        assert_eq!(commits.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_refresh_brought_too_late_is_revoked_where_nothing_else_goes_with_it() {
    for scope in [RevocationScope::Token, RevocationScope::Pair] {
        let revocations = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&revocations);
        let mut store = crate::MockUnitOfWork::new();
        store.expect_commit().returning(move |changes| {
            let is_row = |change: &Change| matches!(change, Change::Update(_));
            if changes.iter().any(is_row) {
                return Err(CommitError::Conflict);
            }
            seen.lock().unwrap().extend(changes);
            Ok(())
        });
        let bench = Bench {
            authorizations: keeping(with_tokens("newer", "newer refresh"), provider()),
            clients: at_a(Rotating, Some(scope), asked(1, || Ok(new_tokens()))),
            store: Arc::new(store),
            ..Bench::new()
        };
        assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
        let changes = revocations.lock().unwrap().clone();
        let revocation = row!(changes, Insert(Revocation));
        let token = revocation.refresh_token.as_ref().unwrap();
        assert_eq!(
            opened(revocation.refresh_token_place(), token).as_deref(),
            Some("new refresh"),
            "{scope:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_by_a_commit_that_seemed_to_fail_is_not_revoked() {
    let commits = overtaken_by("new access", "new refresh", Some(RevocationScope::Pair)).await;
    let is_insert = |change: &Change| matches!(change, Change::Insert(_));
    assert!(!commits.last().iter().any(is_insert));
}

#[tokio::test(start_paused = true)]
async fn tokens_for_an_authorization_that_is_gone_are_to_be_revoked() {
    let commits = Commits::default();
    let bench =
        Bench { authorizations: found_in_turn([None]), store: conflict_at_first(&commits), ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), failed("deleted"));
    let revocation = row!(commits.last(), Insert(Revocation));
    assert_eq!(revocation.authorization_id, expired().id);
    let token = revocation.refresh_token.as_ref().unwrap();
    assert_eq!(opened(revocation.refresh_token_place(), token).as_deref(), Some("new refresh"));
}

/// The journal has another's request, and the row is found like this by each read in turn.
fn overtaken(rows: impl IntoIterator<Item = Authorization>, commits: &Commits) -> Bench {
    let refused = commits.clone();
    let mut store = crate::MockUnitOfWork::new();
    let log = refused.store();
    store.expect_commit().returning(move |changes| {
        let is_mine = ends(changes.clone()).iter().any(|end| end.request != RequestEnd::Moot);
        if is_mine {
            return Err(CommitError::Conflict);
        }
        futures_util::FutureExt::now_or_never(crate::UnitOfWork::commit(&*log, changes)).unwrap()
    });
    Bench { authorizations: found(rows), store: Arc::new(store), ..Bench::new() }
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_waits_for_what_the_other_one_gets() {
    let commits = Commits::default();
    let theirs = with_tokens("theirs", "theirs too");
    let rows = [expired(), expired(), expired(), expired(), theirs];
    let bench = overtaken(rows, &commits);
    let clock = bench.clock.clone();
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    assert!(!commits.last().iter().any(|change| matches!(change, Change::Update(_))), "theirs stay");
    assert!(clock.monotonic() > seconds(0), "and was not the last moment");
}

/// Another process has asked since, and its lease stands like this at each try to get it. A commit under the fence that comes
/// with it is taken, and so is one that ends nothing.
fn followed(tries: Vec<TakenLease>, later: i64, commits: &Commits) -> Bench {
    let log = commits.store();
    let mut store = crate::MockUnitOfWork::new();
    store.expect_commit().returning(move |changes| {
        let is_refused =
            |end: &crate::tokens::RefreshEnd| end.request != RequestEnd::Moot && end.fence != later;
        if ends(changes.clone()).iter().any(is_refused) {
            return Err(CommitError::Conflict);
        }
        futures_util::FutureExt::now_or_never(crate::UnitOfWork::commit(&*log, changes)).unwrap()
    });
    let tries = Mutex::new(std::collections::VecDeque::from(tries));
    let mut leases = crate::tokens::MockRefreshLeases::new();
    leases.expect_keep_lease().returning(|_| Ok(false));
    leases.expect_note_request().withf(move |lease, _| lease.fence == later).returning(|_, _| Ok(true));
    leases.expect_take_lease().returning(move |_, _, silent, _| {
        let mut tries = tries.lock().unwrap();
        let next = if tries.len() > 1 { tries.pop_front() } else { tries.front().cloned() };
        Ok(match (next.unwrap(), silent) {
            (TakenLease::Held(sign), Some(silent)) if sign == silent => TakenLease::Taken(later_lease(true)),
            (next, _) => next,
        })
    });
    let clients = at_a(Rotating, Some(RevocationScope::Pair), asked(1, || Ok(new_tokens())));
    Bench { authorizations: found([noted()]), clients, leases, store: Arc::new(store), ..Bench::new() }
}

/// The lease after that of the one who has overtaken us.
const LATER: i64 = FENCE + 2;

fn later_lease(given_up: bool) -> RefreshLease {
    let unanswered = Some(UnansweredRequest { fence: FENCE + 1, asked_at: START, given_up });
    RefreshLease { fence: LATER, unanswered, ..lease() }
}

fn theirs(beat: i64) -> TakenLease {
    TakenLease::Held(crate::tokens::SignOfLife { fence: FENCE + 1, beat })
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_stores_its_answer_when_the_other_one_has_got_nothing() {
    // A live holder, who gives its request up; and one who dies over it.
    let gives_up = (0..20).map(theirs).chain([TakenLease::Taken(later_lease(true))]);
    for (tries, takes) in [(gives_up.collect(), 21), (vec![theirs(3)], 17)] {
        let commits = Commits::default();
        let bench = followed(tries, LATER, &commits);
        let clock = bench.clock.clone();
        assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
        let saved = row!(commits.last(), Update(Authorization));
        assert_eq!(opened(saved.access_token_place(), &saved.access_token).as_deref(), Some("new access"));
        let [end] = ends(commits.last())[..] else { panic!("one end") };
        assert_eq!((end.fence, end.request, commits.count()), (LATER, RequestEnd::Answered, 1));
        assert_eq!(clock.monotonic(), seconds(takes));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_never_revoked_while_the_token_that_it_replaces_is_there() {
    let wants_the_person =
        Authorization { grant: GrantState::Dead { reason: "login_required".to_owned() }, ..noted() };
    let commits = Commits::default();
    let bench = followed(vec![theirs(3)], LATER, &commits);
    let bench = Bench { authorizations: found([noted(), noted(), wants_the_person]), ..bench };
    assert_eq!(bench.run().await.unwrap(), dead("login_required"));
    assert!(!commits.last().iter().any(|change| matches!(change, Change::Insert(_))));
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_was_given_up_for_this_answer_is_brought_back_by_it() {
    // The one that gave it up may have come after others who got no answer either.
    for fence in [FENCE, FENCE + 1] {
        let commits = Commits::default();
        let bench = overtaken([expired(), expired(), lost(fence)], &commits);
        assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
        let saved = row!(commits.last(), Update(Authorization));
        assert_eq!((&saved.grant, saved.lost_refresh), (&GrantState::Live, None));
        assert_eq!(opened(saved.access_token_place(), &saved.access_token).as_deref(), Some("new access"));
        let is_scheduled =
            |change: &Change| matches!(change, Change::ScheduleRefresh(id, Some(_)) if *id == saved.id);
        assert!(commits.last().iter().any(is_scheduled), "it is not its lease that ends");
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_died_of_anything_else_stays_dead() {
    let died = Authorization { lost_refresh: None, ..lost(FENCE) };
    for row in [lost(FENCE - 1), died] {
        let commits = Commits::default();
        let bench = overtaken([row], &commits);
        assert_eq!(bench.run().await.unwrap(), dead(ROTATION_LOST));
        assert!(!commits.last().iter().any(|change| matches!(change, Change::Update(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_answers_decides_what_is_kept() {
    let code = |code: &str| code.to_owned();
    let retry_after = Some(seconds(90));
    let unavailable = |reason, retry_after| UpstreamError::Unavailable { reason, retry_after };
    let (answered, lost) = (RequestEnd::Answered, RequestEnd::Lost);
    for (error, outcome, rest, request) in [
        (invalid_grant(), dead("invalid_grant"), None, answered),
        (
            UpstreamError::ClientRefused { code: code("invalid_client") },
            RefreshOutcome::ClientRefused,
            Some(15),
            answered,
        ),
        (UpstreamError::RateLimited { retry_after }, failed("rate_limited"), Some(90), answered),
        (UpstreamError::RateLimited { retry_after: None }, failed("rate_limited"), Some(15), answered),
        (unavailable("connection_failed", None), failed("connection_failed"), Some(15), answered),
        (unavailable("status_503", retry_after), failed("status_503"), Some(90), lost),
        (UpstreamError::timeout(), failed("timeout"), Some(15), lost),
        (UpstreamError::Untrusted { reason: "forged" }, failed("forged"), Some(15), lost),
        (
            UpstreamError::Misconfigured { code: code("invalid_scope") },
            failed("invalid_scope"),
            Some(15),
            answered,
        ),
    ] {
        let commits = Commits::default();
        let bench = Bench { clients: failing(error.clone()), store: commits.store(), ..Bench::new() };
        assert_eq!(bench.run().await.unwrap(), outcome, "{error:?}");
        let is_dead = matches!(outcome, RefreshOutcome::Dead { .. });
        let saved = row!(commits.last(), Update(Authorization));
        assert_eq!(saved.grant != GrantState::Live, is_dead, "{error:?}");
        assert_eq!(saved.refresh_token.is_none(), is_dead, "{error:?}");
        assert_eq!(saved.next_attempt_at, rest.map(|rest| START + TimeDelta::seconds(rest)), "{error:?}");
        assert_eq!(saved.failing_since.is_none(), is_dead, "{error:?}");
        assert_eq!((&saved.access_token, saved.lost_refresh), (&expired().access_token, None), "{error:?}");
        assert_eq!(ends(commits.last())[0].request, request, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_wants_the_person_is_dead_and_keeps_its_refresh_token_for_its_revocation() {
    let error = UpstreamError::InteractionRequired { code: "login_required".to_owned() };
    let commits = Commits::default();
    let bench = Bench { clients: failing(error), store: commits.store(), ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), dead("login_required"));
    assert_eq!(row!(commits.last(), Update(Authorization)).refresh_token, expired().refresh_token);
}

#[tokio::test(start_paused = true)]
async fn pauses_after_failures_grow_from_the_first_of_them() {
    let long_ago = START - TimeDelta::minutes(2);
    let commits = Commits::default();
    let bench = Bench { clients: failing(UpstreamError::timeout()), store: commits.store(), ..Bench::new() };
    let turn = bench.turn();
    let authorization = Authorization { failing_since: Some(long_ago), ..expired() };
    let claimed = ClaimedRefresh { authorization, ..claimed(lease()) };
    turn.run(claimed, seconds(0), None).await.unwrap();
    let saved = row!(commits.last(), Update(Authorization));
    let rest = saved.next_attempt_at.unwrap() - turn.clock.now();
    assert_eq!(saved.failing_since, Some(long_ago));
    assert!((TimeDelta::minutes(2)..TimeDelta::minutes(3)).contains(&rest), "{rest}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_lost_answer_says_that_the_rotation_was_lost() {
    let given_up = |fence| UnansweredRequest { fence, asked_at: START, given_up: true };
    let hour = RotatingWithGrace(seconds(3600));
    for (model, lost) in [(Rotating, true), (hour, true), (Reusable, false), (RotatingTolerant, false)] {
        let commits = Commits::default();
        let clients = at_a(model, None, asked(1, || Err(invalid_grant())));
        let bench = Bench { clients, store: commits.store(), ..Bench::new() };
        let lease = RefreshLease { unanswered: Some(given_up(3)), ..lease() };
        let reason = if lost { ROTATION_LOST } else { "invalid_grant" };
        assert_eq!(bench.run_under(lease).await.unwrap(), dead(reason), "{model:?}");
        let saved = row!(commits.last(), Update(Authorization));
        assert_eq!(
            (saved.lost_refresh, saved.refresh_token.is_none()),
            (lost.then_some(3), true),
            "{model:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_moment_after_a_lost_answer_leaves_the_request_in_the_journal() {
    let commits = Commits::default();
    let limited = UpstreamError::RateLimited { retry_after: None };
    let bench = Bench { clients: failing(limited), store: commits.store(), ..Bench::new() };
    assert_eq!(bench.run_under(lease_of_the_dead()).await.unwrap(), failed("rate_limited"));
    assert_eq!(ends(commits.last())[0].request, RequestEnd::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_dead_answer_is_believed_only_after_the_row_was_read_again() {
    let commits = Commits::default();
    let bench = Bench {
        authorizations: keeping(with_tokens("newer", "newer refresh"), provider()),
        clients: failing(invalid_grant()),
        store: commits.store(),
        ..Bench::new()
    };
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    let end = lease().ended(RequestEnd::Moot, NextRefresh::Unchanged);
    assert_eq!(commits.last(), [Change::EndRefresh(end)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_stays_in_the_journal_as_long_as_its_refresh_token_is_there() {
    let other_access = sealed(expired().access_token_place(), "newer");
    let beside = Authorization { access_token: other_access, version: Version::FIRST.next(), ..expired() };
    for (row, request) in
        [(beside, RequestEnd::Lost), (with_tokens("newer", "newer refresh"), RequestEnd::Moot)]
    {
        let commits = Commits::default();
        let bench = Bench {
            authorizations: keeping(row, provider()),
            clients: failing(UpstreamError::timeout()),
            store: commits.store(),
            ..Bench::new()
        };
        bench.run().await.unwrap();
        assert_eq!(ends(commits.last())[0].request, request);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_written_down_as_soon_as_the_store_is_back() {
    for error in [invalid_grant(), UpstreamError::timeout()] {
        let commits = Commits::default();
        let store = commits.answering(|commit| if commit < 20 { Err(unavailable().into()) } else { Ok(()) });
        let bench = Bench { clients: failing(error), store, ..Bench::new() };
        bench.run().await.unwrap();
        assert_eq!((commits.count(), ends(commits.last()).len()), (21, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_written_over_a_newer_state() {
    let commits = Commits::default();
    let bench =
        Bench { clients: failing(invalid_grant()), store: conflict_at_first(&commits), ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), failed("invalid_grant"));
    assert!(!commits.last().iter().any(|change| matches!(change, Change::Update(_))));
}

#[tokio::test(start_paused = true)]
async fn wrong_client_credentials_disable_the_provider_once() {
    let refused = || UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    let commits = Commits::default();
    Bench { clients: failing(refused()), store: commits.store(), ..Bench::new() }.run().await.unwrap();
    assert_eq!(row!(commits.last(), Update(Provider)).status, ProviderStatus::Disabled);

    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    let commits = Commits::default();
    let bench = Bench {
        authorizations: keeping(expired(), disabled.clone()),
        clients: failing(refused()),
        store: commits.store(),
        ..Bench::new()
    };
    let turn = bench.turn();
    let claimed = ClaimedRefresh { provider: disabled.into(), ..claimed(lease()) };
    turn.run(claimed, seconds(0), None).await.unwrap();
    assert!(!commits.last().iter().any(|change| matches!(change, Change::Update(Row::Provider(_)))));
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_does_not_allow_disables_nothing() {
    let not_allowed = UpstreamError::Misconfigured { code: "unauthorized_client".to_owned() };
    let commits = Commits::default();
    Bench { clients: failing(not_allowed), store: commits.store(), ..Bench::new() }.run().await.unwrap();
    let is_provider = |change: &Change| matches!(change, Change::Update(Row::Provider(_)));
    assert!(!commits.last().iter().any(is_provider));
    assert_eq!(row!(commits.last(), Update(Authorization)).grant, GrantState::Live);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_the_clock_jumped_lives_from_then_on() {
    let commits = Commits::default();
    let bench = Bench { clients: giving_tokens(1), store: commits.store(), ..Bench::new() };
    bench.clock.jump(TimeDelta::hours(-1));
    assert_eq!(bench.run().await.unwrap(), RefreshOutcome::Refreshed);
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!((saved.issued_at, saved.expires_at), (START - TimeDelta::hours(1), Some(START)));
}

#[tokio::test(start_paused = true)]
async fn new_tokens_keep_the_later_of_the_uses_that_are_known() {
    let used = |hours| START + TimeDelta::hours(hours);
    for (last_used_at, expected) in [(None, used(0)), (Some(used(-1)), used(0)), (Some(used(1)), used(1))] {
        let commits = Commits::default();
        let turn = Bench { store: commits.store(), ..Bench::new() }.turn();
        let claimed = ClaimedRefresh { last_used_at, ..claimed(lease()) };
        assert_eq!(claimed.authorization.used_at, used(0));
        let begun = turn.clock.monotonic();
        assert_eq!(turn.run(claimed, begun, None).await.unwrap(), RefreshOutcome::Refreshed);
        assert_eq!(row!(commits.last(), Update(Authorization)).used_at, expected, "{last_used_at:?}");
    }
}
