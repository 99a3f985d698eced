use std::collections::VecDeque;

use mockall::predicate::eq;

use super::*;
use crate::authorizations::{MockAuthorizationStore, Scopes};
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, authorization, expired, keeping, new_tokens,
    offering, opened, provider, revoking_client, row, unavailable,
};
use crate::persist::STORE_PATIENCE;
use crate::providers::{MockProviderClient, MockRefreshTokens, RefreshTokens};
use crate::tokens::MockRefreshLeases;
use crate::{MockUnitOfWork, Row, Version};

type Found = Option<(Authorization, Provider)>;

/// A provider that gives new tokens for the old refresh token, `times` times.
fn giving_tokens(times: usize) -> Arc<dyn ProviderClients> {
    giving_tokens_that_revoke(times, None)
}

/// The same at a provider whose revocations take that away.
fn giving_tokens_that_revoke(times: usize, scope: Option<RevocationScope>) -> Arc<dyn ProviderClients> {
    let mut refresh = MockRefreshTokens::new();
    refresh
        .expect_refresh_token()
        .withf(|connection, request| {
            connection.client_secret.expose() == "client secret"
                && request.refresh_token.expose() == "old refresh"
        })
        .times(times)
        .returning(|_, _| Ok(new_tokens()));
    offering(refreshing_by(refresh, scope))
}

fn failing(error: UpstreamError) -> Arc<dyn ProviderClients> {
    let mut refresh = MockRefreshTokens::new();
    refresh.expect_refresh_token().times(1).returning(move |_, _| Err(error.clone()));
    answering(refresh)
}

fn answering(refresh: MockRefreshTokens) -> Arc<dyn ProviderClients> {
    offering(refreshing_by(refresh, None))
}

fn refreshing_by(refresh: MockRefreshTokens, scope: Option<RevocationScope>) -> MockProviderClient {
    let refresh: Arc<dyn RefreshTokens> = Arc::new(refresh);
    let mut client = revoking_client(scope);
    client.expect_refresh().returning(move || Some(Arc::clone(&refresh)));
    client
}

/// Leases that are to be had, and have to be given back.
fn leases() -> Arc<MockRefreshLeases> {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().times(1).returning(|id, holder, _, until| Ok(Some(lease(id, holder, until))));
    leases.expect_release_lease().times(1).returning(|_| Ok(()));
    Arc::new(leases)
}

fn lease(authorization_id: AuthorizationId, holder: &str, until: DateTime<Utc>) -> RefreshLease {
    RefreshLease { authorization_id, holder: holder.to_owned(), until, fence: 7 }
}

/// The row as it is found by each read in turn; the last one stays.
fn found_in_turn(rows: impl IntoIterator<Item = Found>) -> Arc<MockAuthorizationStore> {
    let rows = Mutex::new(rows.into_iter().collect::<VecDeque<_>>());
    let mut store = MockAuthorizationStore::new();
    store.expect_authorization().returning(move |_, _| {
        let mut rows = rows.lock().unwrap();
        Ok(if rows.len() > 1 { rows.pop_front().flatten() } else { rows[0].clone() })
    });
    Arc::new(store)
}

fn refreshing(
    authorizations: Arc<MockAuthorizationStore>,
    clients: Arc<dyn ProviderClients>,
    store: Arc<MockUnitOfWork>,
) -> RefreshTokensOnce {
    refreshing_under(leases(), authorizations, clients, store)
}

fn refreshing_under(
    leases: Arc<MockRefreshLeases>,
    authorizations: Arc<MockAuthorizationStore>,
    clients: Arc<dyn ProviderClients>,
    store: Arc<MockUnitOfWork>,
) -> RefreshTokensOnce {
    RefreshTokensOnce {
        authorizations,
        leases,
        clients,
        sealer: LabelSealer::shared(),
        store,
        tasks: BackgroundTasks::on_current_runtime(),
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        settings: TokenSettings::default(),
        holder: "holder".to_owned(),
        in_flight: InFlight::default(),
    }
}

const PATIENCE: Duration = Duration::from_secs(4);

async fn run(refreshing: RefreshTokensOnce) -> RefreshOutcome {
    let refreshing = Arc::new(refreshing);
    let outcome = refreshing.run(expired(), PATIENCE).await;
    refreshing.tasks.drain().await;
    assert!(refreshing.in_flight.0.lock().unwrap().is_empty(), "nothing is left behind");
    outcome
}

fn dead() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn new_tokens_are_saved_with_their_audit_entry() {
    let commits = Commits::default();
    let outcome = run(refreshing(keeping(expired(), provider()), giving_tokens(1), commits.store())).await;
    assert_eq!(outcome, RefreshOutcome::Refreshed);
    assert_eq!(commits.count(), 1);
    assert_eq!(commits.last_audited(), [(AuditAction::TokenRefreshed, AuditOutcome::Done, None)]);
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!(opened(saved.access_token_place(), &saved.access_token).as_deref(), Some("new access"));
    let refresh_token = saved.refresh_token.as_ref().unwrap();
    assert_eq!(opened(saved.refresh_token_place(), refresh_token).as_deref(), Some("new refresh"));
    assert_eq!((saved.version, saved.last_refreshed_at), (Version::FIRST, Some(START)));
}

#[tokio::test(start_paused = true)]
async fn the_lease_holds_longer_than_the_provider_may_take() {
    let mut leases = MockRefreshLeases::new();
    let until = START + TimeDelta::seconds(45);
    leases
        .expect_take_lease()
        .withf(move |id, holder, now, end| {
            (*id, holder, *now, *end) == (expired().id, "holder", START, until)
        })
        .times(1)
        .returning(|id, holder, _, until| Ok(Some(lease(id, holder, until))));
    leases
        .expect_release_lease()
        .with(eq(lease(expired().id, "holder", until)))
        .times(1)
        .returning(|_| Ok(()));
    let (leases, store) = (Arc::new(leases), Commits::default().store());
    run(refreshing_under(leases, keeping(expired(), provider()), failing(dead()), store)).await;
}

#[tokio::test(start_paused = true)]
async fn under_the_lease_the_row_is_read_again() {
    let renewed = authorization();
    let refreshed_elsewhere = Authorization {
        access_token: crate::fixtures::sealed(renewed.access_token_place(), "theirs"),
        ..renewed
    };
    let died_elsewhere =
        Authorization { grant: GrantState::Dead { reason: "invalid_grant".to_owned() }, ..expired() };
    let must_rest = Authorization {
        last_failure: Some("rate_limited".to_owned()),
        next_attempt_at: Some(START + TimeDelta::seconds(1)),
        ..expired()
    };
    let failed = |reason: &str| RefreshOutcome::Failed { reason: reason.to_owned() };
    for (found, expected) in [
        (Some(refreshed_elsewhere), RefreshOutcome::Refreshed),
        (Some(died_elsewhere), RefreshOutcome::Dead { reason: "invalid_grant".to_owned() }),
        (Some(must_rest), failed("rate_limited")),
        (None, failed("deleted")),
    ] {
        let found = found_in_turn([found.map(|row| (row, provider()))]);
        let commits = Commits::default();
        assert_eq!(run(refreshing(found, giving_tokens(0), commits.store())).await, expected);
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn while_another_process_has_the_lease_its_result_is_waited_for() {
    let renewed = authorization();
    let theirs = Authorization {
        access_token: crate::fixtures::sealed(renewed.access_token_place(), "theirs"),
        ..renewed
    };
    let failed = Authorization {
        last_failure: Some("connect".to_owned()),
        next_attempt_at: Some(START),
        version: Version::FIRST.next(),
        ..expired()
    };
    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    for (then, expected) in [
        (Some((theirs, provider())), RefreshOutcome::Refreshed),
        (Some((failed, provider())), RefreshOutcome::Failed { reason: "connect".to_owned() }),
        (Some((expired(), disabled)), RefreshOutcome::ClientRefused),
        (None, RefreshOutcome::Failed { reason: "deleted".to_owned() }),
    ] {
        let mut leases = MockRefreshLeases::new();
        leases.expect_take_lease().times(3).returning(|_, _, _, _| Ok(None));
        let unchanged = || Some((expired(), provider()));
        let (leases, store) = (Arc::new(leases), Commits::default().store());
        let looks = found_in_turn([unchanged(), unchanged(), then]);
        let refreshing = refreshing_under(leases, looks, giving_tokens(0), store);
        let clock = refreshing.clock.clone();
        assert_eq!(run(refreshing).await, expected);
        assert_eq!(clock.now(), START + TimeDelta::milliseconds(300), "the third look");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_process_that_died_is_taken_over_when_it_lapses() {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().returning(|authorization_id, holder, now, until| {
        let lapsed = now >= START + TimeDelta::seconds(45);
        let holder = holder.to_owned();
        Ok(lapsed.then_some(RefreshLease { authorization_id, holder, until, fence: 2 }))
    });
    leases.expect_release_lease().times(1).returning(|_| Ok(()));
    let store = Commits::default().store();
    let refreshing =
        refreshing_under(Arc::new(leases), keeping(expired(), provider()), giving_tokens(1), store);
    let clock = refreshing.clock.clone();
    let refreshing = Arc::new(refreshing);
    assert_eq!(refreshing.run(expired(), Duration::from_secs(60)).await, RefreshOutcome::Refreshed);
    assert_eq!(clock.now(), START + TimeDelta::seconds(45));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_given_back_makes_no_failure_of_a_refresh() {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().returning(|id, holder, _, until| Ok(Some(lease(id, holder, until))));
    leases.expect_release_lease().times(1).returning(|_| Err(unavailable()));
    let store = Commits::default().store();
    let refreshing =
        refreshing_under(Arc::new(leases), keeping(expired(), provider()), giving_tokens(1), store);
    assert_eq!(run(refreshing).await, RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_costs_no_rotated_token() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit < 100 { Err(unavailable().into()) } else { Ok(()) });
    let refreshing = refreshing(keeping(expired(), provider()), giving_tokens(1), store);
    let clock = refreshing.clock.clone();
    let outcome = run(refreshing).await;
    assert_eq!(
        outcome,
        RefreshOutcome::Failed { reason: "slow".to_owned() },
        "the caller does not wait for that"
    );
    assert_eq!((commits.count(), clock.now()), (101, START + TimeDelta::seconds(100)));
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!(opened(saved.access_token_place(), &saved.access_token).as_deref(), Some("new access"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_is_given_up_in_the_end() {
    let commits = Commits::default();
    let store = commits.answering(|_| Err(unavailable().into()));
    let refreshing = refreshing(keeping(expired(), provider()), giving_tokens(1), store);
    let clock = refreshing.clock.clone();
    run(refreshing).await;
    assert_eq!(clock.now(), START + STORE_PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_away_between_two_tries_costs_no_rotated_token_either() {
    let reads = Mutex::new(0);
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(move |_, _| {
        let mut reads = reads.lock().unwrap();
        *reads += 1;
        if *reads == 2 { Err(unavailable()) } else { Ok(Some((expired(), provider()))) }
    });
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    let outcome = run(refreshing(Arc::new(authorizations), giving_tokens(1), store)).await;
    assert_eq!((outcome, commits.count()), (RefreshOutcome::Refreshed, 2));
}

#[tokio::test(start_paused = true)]
async fn after_a_conflict_the_answer_is_put_on_top_of_the_row_as_it_is_now() {
    let noted = Authorization {
        last_failure: Some("noted meanwhile".to_owned()),
        version: Version::FIRST.next(),
        ..expired()
    };
    let rows = [expired(), noted].map(|row| Some((row, provider())));
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    assert_eq!(
        run(refreshing(found_in_turn(rows), giving_tokens(1), store)).await,
        RefreshOutcome::Refreshed
    );
    let saved = row!(commits.last(), Update(Authorization));
    assert_eq!((saved.version, saved.last_failure.as_deref()), (Version::FIRST.next(), None));
}

/// A refresh whose row has these tokens by the time that its answer is to be kept.
async fn overtaken_by(access: &str, refresh: &str, scope: Option<RevocationScope>) -> Commits {
    let newer = Authorization {
        access_token: crate::fixtures::sealed(expired().access_token_place(), access),
        refresh_token: Some(crate::fixtures::sealed(expired().refresh_token_place(), refresh)),
        ..authorization()
    };
    let rows = [expired(), newer].map(|row| Some((row, provider())));
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    let clients = giving_tokens_that_revoke(1, scope);
    assert_eq!(run(refreshing(found_in_turn(rows), clients, store)).await, RefreshOutcome::Refreshed);
    commits
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_newer_authorization_are_not_overwritten() {
    for scope in [None, Some(RevocationScope::Grant), Some(RevocationScope::Project)] {
        let commits = overtaken_by("newer", "newer refresh", scope).await;
        assert_eq!(commits.count(), 1, "no second try, and nothing that would end the newer ones too");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_refresh_brought_too_late_is_revoked_where_nothing_else_goes_with_it() {
    for scope in [RevocationScope::Token, RevocationScope::Pair] {
        let commits = overtaken_by("newer", "newer refresh", Some(scope)).await;
        let revocation = row!(commits.last(), Insert(Revocation));
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
    assert_eq!(commits.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_for_an_authorization_that_is_gone_are_to_be_revoked() {
    let rows = [Some((expired(), provider())), None];
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    let outcome = run(refreshing(found_in_turn(rows), giving_tokens(1), store)).await;
    assert_eq!(outcome, RefreshOutcome::Failed { reason: "deleted".to_owned() });
    let revocation = row!(commits.last(), Insert(Revocation));
    assert_eq!(revocation.authorization_id, expired().id);
    let token = revocation.refresh_token.as_ref().unwrap();
    assert_eq!(opened(revocation.refresh_token_place(), token).as_deref(), Some("new refresh"));
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_answers_decides_what_is_kept() {
    let code = |code: &str| code.to_owned();
    let retry_after = Some(Duration::from_secs(90));
    let failed = |reason: &str| RefreshOutcome::Failed { reason: reason.to_owned() };
    for (error, outcome, is_dead, rest) in [
        (dead(), RefreshOutcome::Dead { reason: code("invalid_grant") }, true, None),
        (
            UpstreamError::ClientRefused { code: code("invalid_client") },
            RefreshOutcome::ClientRefused,
            false,
            Some(15),
        ),
        (UpstreamError::RateLimited { retry_after }, failed("rate_limited"), false, Some(90)),
        (UpstreamError::RateLimited { retry_after: None }, failed("rate_limited"), false, Some(15)),
        (
            UpstreamError::Unavailable { reason: "connect", retry_after: None },
            failed("connect"),
            false,
            Some(15),
        ),
        (
            UpstreamError::Unavailable { reason: "status_503", retry_after },
            failed("status_503"),
            false,
            Some(90),
        ),
        (UpstreamError::Untrusted { reason: "forged" }, failed("forged"), false, Some(15)),
        (
            UpstreamError::Misconfigured { code: code("invalid_scope") },
            failed("invalid_scope"),
            false,
            Some(15),
        ),
    ] {
        let commits = Commits::default();
        let refreshing = refreshing(keeping(expired(), provider()), failing(error.clone()), commits.store());
        assert_eq!(run(refreshing).await, outcome, "{error:?}");
        let saved = row!(commits.last(), Update(Authorization));
        assert_eq!(saved.grant != GrantState::Live, is_dead, "{error:?}");
        assert_eq!(saved.refresh_token.is_none(), is_dead, "{error:?}");
        assert_eq!(saved.next_attempt_at, rest.map(|rest| START + TimeDelta::seconds(rest)), "{error:?}");
        assert_eq!(saved.access_token, expired().access_token, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_client_credentials_disable_the_provider_once() {
    let refused = || UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    let commits = Commits::default();
    run(refreshing(keeping(expired(), provider()), failing(refused()), commits.store())).await;
    assert_eq!(row!(commits.last(), Update(Provider)).status, ProviderStatus::Disabled);

    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    let commits = Commits::default();
    run(refreshing(keeping(expired(), disabled), failing(refused()), commits.store())).await;
    assert_eq!(commits.last_audited().len(), 1, "the refresh alone");
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_does_not_allow_disables_nothing() {
    let not_allowed = UpstreamError::Misconfigured { code: "unauthorized_client".to_owned() };
    let commits = Commits::default();
    run(refreshing(keeping(expired(), provider()), failing(not_allowed), commits.store())).await;
    let is_provider = |change: &Change| matches!(change, Change::Update(Row::Provider(_)));
    assert!(!commits.last().iter().any(is_provider));
    assert_eq!(row!(commits.last(), Update(Authorization)).grant, GrantState::Live);
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_told_what_was_asked_for_and_where_the_grant_came_from() {
    for redirect_uri in [Some("http://127.0.0.1/done".to_owned()), None] {
        let requested_scopes = Scopes::parse("openid api offline_access");
        let row = Authorization {
            requested_scopes: requested_scopes.clone(),
            granted_scopes: Scopes::parse("openid"),
            redirect_uri: redirect_uri.clone(),
            ..expired()
        };
        let mut refresh = MockRefreshTokens::new();
        refresh
            .expect_refresh_token()
            .withf(move |_, request| {
                (&request.scopes, &request.redirect_uri) == (&requested_scopes, &redirect_uri)
            })
            .times(1)
            .returning(|_, _| Ok(new_tokens()));
        let commits = Commits::default();
        let refreshing = refreshing(keeping(row, provider()), answering(refresh), commits.store());
        assert_eq!(run(refreshing).await, RefreshOutcome::Refreshed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_written_over_a_newer_state() {
    let commits = Commits::default();
    let store = commits.answering(|_| Err(CommitError::Conflict));
    let outcome = run(refreshing(keeping(expired(), provider()), failing(dead()), store)).await;
    assert_eq!(outcome, RefreshOutcome::Failed { reason: "invalid_grant".to_owned() });
    assert_eq!(commits.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_frees_the_entry() {
    let mut refresh = MockRefreshTokens::new();
    refresh.expect_refresh_token().returning(|_, _| panic!("as the test wants it"));
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().times(1).returning(|id, holder, _, until| Ok(Some(lease(id, holder, until))));
    let (leases, store) = (Arc::new(leases), Commits::default().store());
    let refreshing = refreshing_under(leases, keeping(expired(), provider()), answering(refresh), store);
    assert_eq!(run(refreshing).await, RefreshOutcome::Failed { reason: "interrupted".to_owned() });
}

#[test]
fn a_refresh_that_never_got_to_run_frees_the_entry() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let refreshing = runtime.block_on(async {
        let (nobody_asks, store) = (Arc::new(MockRefreshLeases::new()), Commits::default().store());
        Arc::new(refreshing_under(nobody_asks, keeping(expired(), provider()), giving_tokens(0), store))
    });
    let running = runtime.block_on(async { refreshing.join_or_start(expired()) });
    assert_eq!(refreshing.in_flight.0.lock().unwrap().len(), 1);
    drop(runtime);
    assert!(refreshing.in_flight.0.lock().unwrap().is_empty());
    assert!(running.has_changed().is_err(), "whoever waits hears that it is over");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_thirty_seconds() {
    struct Hanging;

    #[async_trait::async_trait]
    impl RefreshTokens for Hanging {
        async fn refresh_token(
            &self,
            _: &crate::providers::ProviderConnection,
            _: &RefreshRequest,
        ) -> Result<TokenSet, UpstreamError> {
            std::future::pending().await
        }
    }

    let mut client = MockProviderClient::new();
    client.expect_refresh().returning(|| Some(Arc::new(Hanging)));
    let commits = Commits::default();
    let refreshing = refreshing(keeping(expired(), provider()), offering(client), commits.store());
    let clock = refreshing.clock.clone();
    assert_eq!(run(refreshing).await, RefreshOutcome::Failed { reason: "slow".to_owned() });
    assert_eq!(clock.now(), START + TimeDelta::seconds(30));
    assert_eq!(row!(commits.last(), Update(Authorization)).last_failure.as_deref(), Some("timeout"));
}
