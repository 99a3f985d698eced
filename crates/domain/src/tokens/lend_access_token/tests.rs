use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;

use super::*;
use crate::BackgroundTasks;
use crate::accounts::MockApiTokenStore;
use crate::audit::{AuditAction, AuditOutcome};
use crate::authorizations::GrantState;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, UseRecord, VirtualClock, authorization, caller, expired,
    keeping, offering, provider, uuid,
};
use crate::ids::AccountId;
use crate::providers::{
    MockProviderClient, MockRefreshTokens, Provider, RefreshModel, RefreshTokens, UpstreamError,
};
use crate::tokens::{
    AwaitedAnswers, HandOutRecord, InFlight, MockRefreshLeases, ProviderGates, RefreshLease, RefreshTurn,
    TakenLease,
};

/// Where a token is lent, with what is left behind.
struct Lending {
    lend: LendAccessToken,
    record: UseRecord,
}

impl Lending {
    /// Nobody but the store can be asked anything.
    fn of(authorization: Authorization, provider: Provider) -> Self {
        let clients = offering(MockProviderClient::new());
        Self::over(authorization, provider, clients, MockRefreshLeases::new(), HandOutRecord::BeforeRelease)
    }

    fn over(
        authorization: Authorization,
        provider: Provider,
        clients: Arc<dyn ProviderClients>,
        leases: MockRefreshLeases,
        promise: HandOutRecord,
    ) -> Self {
        let (clock, random) = (VirtualClock::start(), CountingRandom::shared());
        let (authorizations, leases) = (keeping(authorization, provider), Arc::new(leases));
        let (sealer, settings) = (LabelSealer::shared(), TokenSettings::default());
        let record = UseRecord::default();
        let store = Commits::default().store();
        let tokens = Arc::new(MockApiTokenStore::new());
        let reads = RecentReads::of(authorizations.clone(), tokens, store.clone(), clock.clone());
        let turn = Arc::new(RefreshTurn {
            authorizations: authorizations.clone(),
            leases: leases.clone(),
            clients: clients.clone(),
            sealer: sealer.clone(),
            store,
            clock: clock.clone(),
            random: random.clone(),
            settings,
            gates: ProviderGates::new(clock.clone(), 1, 1),
            awaited: AwaitedAnswers::default(),
        });
        let refresh = Arc::new(RefreshTokensOnce {
            authorizations,
            leases,
            turn,
            tasks: BackgroundTasks::on_current_runtime(),
            clock: clock.clone(),
            settings,
            holder: "holder".to_owned(),
            in_flight: InFlight::default(),
        });
        let uses = record.kept_by(&clock, promise);
        Self {
            lend: LendAccessToken { reads, sealer, refresh, uses, clients, clock, random, settings },
            record,
        }
    }

    async fn lend(&self) -> Result<LentToken, LendError> {
        self.lend.run(&caller(), authorization().id, Duration::ZERO).await
    }

    /// What the audit log has, once everything is written.
    async fn audited(&self) -> Vec<(AuditAction, AuditOutcome, Option<String>)> {
        self.record.tasks().drain().await;
        let entries = self.record.hand_outs().into_iter();
        entries.map(|entry| (entry.action, entry.outcome, entry.reason)).collect()
    }
}

/// An authorization whose token for an hour lives that long from now on.
fn living(seconds: i64) -> Authorization {
    let end = START + TimeDelta::seconds(seconds);
    Authorization { issued_at: end - TimeDelta::hours(1), expires_at: Some(end), ..authorization() }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_lent_without_asking_anybody() {
    let lending = Lending::of(authorization(), provider());
    let lent = lending.lend().await.ok().unwrap();
    assert_eq!(lent.access_token.expose(), "old access");
    assert_eq!(lent.expires_at, authorization().expires_at);
    assert_eq!(*lent.authorization.authorization, authorization());
    assert_eq!(lending.audited().await, [(AuditAction::TokenHandedOut, AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn where_the_record_comes_first_no_token_is_lent_that_is_not_in_it() {
    let lending = Lending::of(authorization(), provider());
    lending.record.fail(1);
    assert!(matches!(lending.lend().await, Err(LendError::Store(StoreError::Unavailable(_)))));
    assert!(lending.lend().await.is_ok(), "when the store is back, so are the tokens");
}

#[tokio::test(start_paused = true)]
async fn else_the_token_is_lent_first_and_the_record_follows() {
    let clients = offering(MockProviderClient::new());
    let (leases, promise) = (MockRefreshLeases::new(), HandOutRecord::Within100Ms);
    let lending = Lending::over(authorization(), provider(), clients, leases, promise);
    lending.record.fail(1);
    assert!(lending.lend().await.is_ok());
    assert!(lending.record.pages().is_empty());
    assert_eq!(lending.audited().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_and_the_grant_allow_decides_before_anybody_is_asked() {
    let dead = GrantState::Dead { reason: "invalid_grant".to_owned() };
    let with_status = |status| Provider { status, ..provider() };
    let never_refreshed = Authorization { refresh_token: None, ..authorization() };
    for (row, provider, expected) in vec![
        (authorization(), with_status(ProviderStatus::Inactive), "provider_not_active"),
        (authorization(), with_status(ProviderStatus::DeletionFailed), "provider_not_active"),
        (authorization(), with_status(ProviderStatus::Deleting), "not_found"),
        (authorization(), with_status(ProviderStatus::Disabled), "lent"),
        (living(9), with_status(ProviderStatus::Disabled), "lent"),
        (expired(), with_status(ProviderStatus::Disabled), "provider_not_active"),
        (Authorization { grant: dead, ..authorization() }, provider(), "invalid_grant"),
        (never_refreshed.clone(), provider(), "lent"),
        (Authorization { refresh_token: None, ..living(9) }, provider(), "lent"),
        (Authorization { refresh_token: None, ..expired() }, provider(), "no_refresh_token"),
        (
            Authorization { account_id: AccountId::from_uuid(uuid(99)), ..never_refreshed },
            provider(),
            "not_found",
        ),
    ] {
        let case = format!("{:?}, {:?}", provider.status, row.expires_at);
        let lending = Lending::of(row, provider);
        let lent = lending.lend().await;
        let found = match &lent {
            Ok(_) => "lent",
            Err(error) => error.reason(),
        };
        assert_eq!(found, expected, "{case}");
        // What is not the caller's leaves no entry that would tell of it.
        assert_eq!(lending.audited().await.len(), usize::from(expected != "not_found"), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_an_ageing_token_is_lent_as_it_is_until_the_provider_may_be_asked_again() {
    let soon = Some(START + TimeDelta::seconds(10));
    let row = Authorization { next_attempt_at: soon, ..living(10) };
    let lent = Lending::of(row, provider()).lend().await.ok().unwrap();
    assert_eq!(lent.access_token.expose(), "old access");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_open_is_our_failure() {
    let mut row = authorization();
    row.access_token = row.refresh_token.clone().unwrap();
    let lent = Lending::of(row, provider()).lend().await;
    assert!(matches!(lent, Err(LendError::Store(StoreError::Unexpected(_)))));
}

/// A provider that answers every refresh like this, and leases as they come.
fn refusing(error: UpstreamError) -> (Arc<dyn ProviderClients>, MockRefreshLeases) {
    let mut refresh = MockRefreshTokens::new();
    refresh.expect_refresh_token().returning(move |_, _| Err(error.clone()));
    let refresh: Arc<dyn RefreshTokens> = Arc::new(refresh);
    let mut client = MockProviderClient::new();
    client.expect_refresh().returning(move || Some(Arc::clone(&refresh)));
    client.expect_refresh_model().return_const(RefreshModel::Rotating);
    (offering(client), free_leases())
}

fn free_leases() -> MockRefreshLeases {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().returning(|authorization_id, holder, _, _| {
        let holder = holder.to_owned();
        Ok(TakenLease::Taken(RefreshLease { authorization_id, holder, fence: 1, unanswered: None }))
    });
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases
}

#[tokio::test(start_paused = true)]
async fn a_valid_token_is_lent_whatever_is_wrong_with_the_provider_and_whatever_was_wished_for() {
    let retry_after = Some(Duration::from_secs(3600));
    for error in [
        UpstreamError::Unavailable { reason: "connection_failed", retry_after },
        UpstreamError::RateLimited { retry_after },
        UpstreamError::ClientRefused { code: "invalid_client".to_owned() },
        UpstreamError::Misconfigured { code: "invalid_scope".to_owned() },
        UpstreamError::Untrusted { reason: "not_json" },
        UpstreamError::NotSupported,
    ] {
        for (left, min_ttl) in [(30, 0), (1, 0), (600, 3600), (600, u64::MAX)] {
            let case = format!("{error}, {left} s left, {min_ttl} s wished for");
            let (clients, leases) = refusing(error.clone());
            let promise = HandOutRecord::BeforeRelease;
            let lending = Lending::over(living(left), provider(), clients, leases, promise);
            let min_ttl = Duration::from_secs(min_ttl);
            let lent = lending.lend.run(&caller(), authorization().id, min_ttl).await;
            let lent = lent.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(lent.access_token.expose(), "old access", "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn how_long_a_caller_waits_depends_on_what_they_have() {
    for (left, min_ttl, waited) in [(30, 0, 1), (600, 3600, 4), (-1, 0, 4), (3600, 3600, 0)] {
        let mut refresh = MockRefreshTokens::new();
        refresh.expect_refresh_token().returning(|_, _| panic!("it is not asked: the lease is another's"));
        let mut leases = MockRefreshLeases::new();
        let sign = crate::tokens::SignOfLife { fence: 1, beat: 1 };
        leases.expect_take_lease().returning(move |_, _, _, _| Ok(TakenLease::Held(sign)));
        let clients = offering(MockProviderClient::new());
        let lending = Lending::over(living(left), provider(), clients, leases, HandOutRecord::BeforeRelease);
        let lent = lending.lend.run(&caller(), authorization().id, Duration::from_secs(min_ttl)).await;
        let case = format!("{left} s left, {min_ttl} s wished for");
        assert_eq!(lending.lend.clock.monotonic(), Duration::from_secs(waited), "{case}");
        match lent {
            Ok(lent) => assert_eq!((lent.access_token.expose(), left > 0), ("old access", true), "{case}"),
            Err(error) => assert_eq!((error.reason(), left > 0), ("slow", false), "{case}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_wants_to_be_left_alone_is_only_asked_by_who_has_no_valid_token() {
    let limited = UpstreamError::RateLimited { retry_after: Some(Duration::from_secs(60)) };
    for (left, min_ttl, is_asked) in [(30, 0, false), (600, 3600, false), (-1, 0, true)] {
        let clients = offering(MockProviderClient::new());
        let (mut leases, asked) = (MockRefreshLeases::new(), Arc::new(AtomicBool::new(false)));
        leases.expect_take_lease().returning({
            let asked = Arc::clone(&asked);
            move |_, _, _, _| {
                asked.store(true, Ordering::SeqCst);
                Ok(TakenLease::Gone)
            }
        });
        let lending = Lending::over(living(left), provider(), clients, leases, HandOutRecord::BeforeRelease);
        let another = AuthorizationId::from_uuid(uuid(99));
        lending.lend.refresh.turn.gates.enter(provider().id, another).unwrap().answered(Some(&limited));
        let lent = lending.lend.run(&caller(), authorization().id, Duration::from_secs(min_ttl)).await;
        let case = format!("{left} s left, {min_ttl} s wished for");
        assert_eq!((lent.is_ok(), asked.load(Ordering::SeqCst)), (left > 0, is_asked), "{case}");
        // When its time is over it is asked again.
        lending.lend.clock.sleep(Duration::from_secs(60)).await;
        let _ = lending.lend.run(&caller(), authorization().id, Duration::from_secs(min_ttl)).await;
        assert!(asked.load(Ordering::SeqCst), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_use_within_an_eighth_of_the_time_that_it_counts_for_is_not_noted_again() {
    let week = TokenSettings::default();
    let step = TimeDelta::hours(7 * 24 / 8);
    for (used_at, is_known) in
        [(START, true), (START - step + TimeDelta::microseconds(1), true), (START - step, false)]
    {
        let lending = Lending::of(Authorization { used_at, ..authorization() }, provider());
        let obtained = lending.lend.obtain(&caller(), authorization().id, Duration::ZERO).await;
        let lendable = obtained.ok().unwrap();
        assert_eq!(lendable.handed_out(&week, START).is_known_in_use, is_known, "{used_at}");
        let day = TokenSettings { in_use_for: Duration::from_secs(24 * 3600), ..week };
        assert_eq!(lendable.handed_out(&day, START).is_known_in_use, used_at == START, "{used_at}");
    }
}
