use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::authorizations::{GrantState, MockAuthorizationStore, Scopes};
use crate::fixtures::{Commits, START, expired, keeping, new_tokens, provider, unavailable};
use crate::providers::MockRefreshTokens;
use crate::tokens::MockRefreshLeases;
use crate::tokens::refresh_fixtures::{
    Bench, FENCE, Found, asked, at_a, claimed, dead, ends, failed, failing, found_in_turn, giving_tokens,
    holding_leases, invalid_grant, lease, lease_of_the_dead, seconds, unanswered, with_tokens,
};

const STRICT: RefreshModel = RefreshModel::Rotating;

fn after(time: u64) -> DateTime<Utc> {
    START + time_delta(seconds(time))
}

/// A provider that takes its time, and then gives tokens.
struct Slow(Duration, Arc<dyn Clock>);

#[async_trait::async_trait]
impl RefreshTokens for Slow {
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        _: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        self.1.sleep(self.0).await;
        Ok(new_tokens())
    }
}

fn slow(time: Duration, clock: &Arc<crate::fixtures::VirtualClock>) -> Arc<dyn ProviderClients> {
    let clock: Arc<dyn Clock> = Arc::<crate::fixtures::VirtualClock>::clone(clock);
    at_a(STRICT, None, Slow(time, clock))
}

#[tokio::test(start_paused = true)]
async fn a_holder_gives_three_signs_of_life_in_the_time_in_which_it_may_be_silent() {
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().withf(|kept| *kept == lease()).times(5).returning(|_| Ok(true));
    let bench = Bench::new();
    let clients = slow(seconds(29), &bench.clock);
    assert_eq!(Bench { leases, clients, ..bench }.run().await.unwrap(), RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_go_on_after_the_store_was_away() {
    let beats = Mutex::new(0);
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().times(5).returning(move |_| {
        let mut beats = beats.lock().unwrap();
        *beats += 1;
        if *beats < 4 { Err(unavailable()) } else { Ok(true) }
    });
    let bench = Bench::new();
    let clients = slow(seconds(29), &bench.clock);
    assert_eq!(Bench { leases, clients, ..bench }.run().await.unwrap(), RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_the_lease_gives_no_more_signs_of_life_and_keeps_the_answer_all_the_same() {
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().times(1).returning(|_| Ok(false));
    let bench = Bench::new();
    let clients = slow(seconds(29), &bench.clock);
    assert_eq!(Bench { leases, clients, ..bench }.run().await.unwrap(), RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_told_what_was_asked_for_and_where_the_grant_came_from() {
    for redirect_uri in [Some("http://127.0.0.1/done".to_owned()), None] {
        let requested_scopes = Scopes::parse("openid api offline_access");
        let authorization = Authorization {
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
        let turn = Bench { clients: at_a(STRICT, None, refresh), ..Bench::new() }.turn();
        let claimed = ClaimedRefresh { authorization, ..claimed(lease()) };
        assert_eq!(turn.run(claimed, Duration::ZERO, None).await.unwrap(), RefreshOutcome::Refreshed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_thirty_seconds_and_its_request_up() {
    let bench = Bench::new();
    let (clock, commits) = (bench.clock.clone(), Commits::default());
    let clients = slow(seconds(3600), &clock);
    let outcome = Bench { clients, store: commits.store(), ..bench }.run().await.unwrap();
    assert_eq!(outcome, failed("timeout"));
    assert_eq!(clock.monotonic(), TokenSettings::default().upstream_limit + LAST_MOMENT);
    assert_eq!(ends(commits.last())[0].request, RequestEnd::Lost);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_with_the_end_of_its_time_counts() {
    let bench = Bench::new();
    let clients = slow(TokenSettings::default().upstream_limit + LAST_MOMENT / 2, &bench.clock);
    assert_eq!(Bench { clients, ..bench }.run().await.unwrap(), RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_away_is_not_asked() {
    let bench = Bench::new();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let gates = ProviderGates::new(clock, 1, 1);
    gates.find_away(provider().id);
    // Not even the journal is touched: an older request stays in it.
    let mut leases = MockRefreshLeases::new();
    leases.expect_note_request().never();
    for lease in [lease(), RefreshLease { unanswered: Some(given_up()), ..lease() }] {
        let commits = Commits::default();
        let bench = Bench {
            clients: giving_tokens(0),
            store: commits.store(),
            gates: Some(Arc::clone(&gates)),
            leases: MockRefreshLeases::new(),
            ..Bench::new()
        };
        assert_eq!(bench.run_under(lease).await.unwrap(), failed("provider_away"));
        assert_eq!(ends(commits.last())[0].request, RequestEnd::Moot);
    }
}

fn given_up() -> UnansweredRequest {
    UnansweredRequest { given_up: true, ..unanswered(START) }
}

#[tokio::test(start_paused = true)]
async fn where_the_old_token_is_still_good_the_provider_is_asked_again_at_once() {
    let grace = RefreshModel::RotatingWithGrace(seconds(300));
    for (model, unanswered) in [
        (RefreshModel::Reusable, unanswered(START)),
        (RefreshModel::RotatingTolerant, unanswered(START)),
        (grace, unanswered(START)),
        // The clocks of two machines differ a little.
        (grace, unanswered(START + TimeDelta::seconds(20))),
        (grace, unanswered(START - TimeDelta::seconds(209))),
        // Its holder has said that it has no answer.
        (STRICT, given_up()),
    ] {
        let clients = at_a(model, None, asked(1, || Ok(new_tokens())));
        let bench = Bench { clients, ..Bench::new() };
        let clock = bench.clock.clone();
        let lease = RefreshLease { unanswered: Some(unanswered), ..lease() };
        assert_eq!(bench.run_under(lease).await.unwrap(), RefreshOutcome::Refreshed, "{model:?}");
        assert_eq!(clock.monotonic(), Duration::ZERO, "{model:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_it_is_not_the_holder_of_the_answer_gets_time_to_store_it() {
    let grace = RefreshModel::RotatingWithGrace(seconds(300));
    let hour = TimeDelta::hours(1);
    for (model, asked_at, token_lives, waits) in [
        (STRICT, START, -1, 30),
        (STRICT, START, 60, 60),
        (STRICT, START, 3600, 300),
        // The clock that wrote it down may be a minute ahead, and the request takes its time.
        (grace, START - TimeDelta::seconds(210), -1, 30),
        // A clock that was turned back knows nothing about the age of a request.
        (grace, START + hour, -1, 30),
        (grace, START - hour, -1, 30),
    ] {
        let clients = at_a(model, None, asked(1, || Ok(new_tokens())));
        let row = Authorization { expires_at: Some(START + TimeDelta::seconds(token_lives)), ..expired() };
        let bench = Bench { clients, authorizations: keeping(row.clone(), provider()), ..Bench::new() };
        let (clock, turn) = (bench.clock.clone(), bench.turn());
        let lease = RefreshLease { unanswered: Some(unanswered(asked_at)), ..lease() };
        let claimed = ClaimedRefresh { authorization: row, ..claimed(lease) };
        let outcome = turn.run(claimed, Duration::ZERO, None).await.unwrap();
        assert_eq!(outcome, RefreshOutcome::Refreshed, "{model:?} {token_lives}");
        assert_eq!(clock.monotonic(), seconds(waits), "{model:?} {token_lives}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_may_still_answer_is_not_asked_again_however_short_a_lease() {
    let bench = Bench::new();
    let clock = bench.clock.clone();
    let turn = Arc::into_inner(bench.turn()).unwrap();
    let settings = TokenSettings { lease_silence: seconds(1), ..turn.settings };
    let turn = RefreshTurn { settings, ..turn };
    let outcome = turn.run(claimed(lease_of_the_dead()), Duration::ZERO, None).await.unwrap();
    assert_eq!((outcome, clock.monotonic()), (RefreshOutcome::Refreshed, settings.upstream_limit));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_store_has_interrupted_does_not_begin_from_zero() {
    let reads = Mutex::new(0);
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(move |_, _| {
        let mut reads = reads.lock().unwrap();
        *reads += 1;
        if *reads == 20 { Err(unavailable()) } else { Ok(Some((expired(), provider().into()))) }
    });
    let bench = Bench { authorizations: Arc::new(authorizations), ..Bench::new() };
    let (clock, turn) = (bench.clock.clone(), bench.turn());
    let run = || turn.run(claimed(lease_of_the_dead()), clock.monotonic(), None);
    assert!(run().await.is_err());
    assert_eq!(run().await.unwrap(), RefreshOutcome::Refreshed);
    assert_eq!(clock.monotonic(), seconds(30));
}

#[tokio::test(start_paused = true)]
async fn after_a_store_that_was_away_its_holder_gets_a_moment_to_come_back_to_it() {
    let bench = Bench::new();
    let (clock, turn) = (bench.clock.clone(), bench.turn());
    let lease = lease_of_the_dead();
    turn.awaited.until(&lease, seconds(30), clock.monotonic());
    clock.sleep(seconds(600)).await;
    let outcome = turn.run(claimed(lease), clock.monotonic(), None).await.unwrap();
    assert_eq!((outcome, clock.monotonic()), (RefreshOutcome::Refreshed, seconds(608)));
}

#[tokio::test(start_paused = true)]
async fn the_background_comes_back_when_the_wait_is_nearly_over() {
    let commits = Commits::default();
    let bench = Bench { store: commits.store(), clients: giving_tokens(1), ..Bench::new() };
    let (clock, turn) = (bench.clock.clone(), bench.turn());
    let run = || {
        let pass = turn.gates.enter(provider().id, expired().id);
        turn.run(claimed(lease_of_the_dead()), clock.monotonic(), pass)
    };
    assert_eq!(run().await.unwrap(), failed("answer_awaited"));
    assert_eq!(clock.monotonic(), Duration::ZERO, "nothing is held up");
    let last_moments = TokenSettings::default().lease_silence / 2;
    let later = START + TimeDelta::seconds(30) - time_delta(last_moments);
    let end = lease().ended(RequestEnd::Moot, NextRefresh::At(later));
    assert_eq!(commits.last(), [Change::EndRefresh(end)]);
    clock.sleep(seconds(30).saturating_sub(last_moments)).await;
    assert_eq!(run().await.unwrap(), RefreshOutcome::Refreshed);
    assert!(clock.monotonic() < seconds(31), "{:?}", clock.monotonic());
}

#[tokio::test(start_paused = true)]
async fn what_its_holder_stores_meanwhile_is_the_outcome() {
    let died = Authorization { grant: GrantState::Dead { reason: "invalid_grant".to_owned() }, ..expired() };
    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    let unchanged = || Some((expired(), provider()));
    for (then, expected) in [
        (Some((with_tokens("theirs", "theirs too"), provider())), RefreshOutcome::Refreshed),
        (Some((died, provider())), dead("invalid_grant")),
        (Some((expired(), disabled)), RefreshOutcome::ClientRefused),
        (None, failed("deleted")),
    ] {
        let commits = Commits::default();
        let bench = Bench {
            authorizations: found_in_turn([unchanged(), unchanged(), then]),
            clients: giving_tokens(0),
            store: commits.store(),
            ..Bench::new()
        };
        let clock = bench.clock.clone();
        assert_eq!(bench.run_under(lease_of_the_dead()).await.unwrap(), expected);
        assert_eq!(clock.monotonic(), LOOK * 3);
        let end = lease().ended(RequestEnd::Moot, NextRefresh::Unchanged);
        assert_eq!(commits.last(), [Change::EndRefresh(end)], "the lease is given back");
    }
}

#[tokio::test(start_paused = true)]
async fn what_its_holder_stores_in_the_last_moment_is_not_asked_for_again() {
    let is_noted = Arc::new(Mutex::new(false));
    let mut leases = MockRefreshLeases::new();
    let noting = Arc::clone(&is_noted);
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases.expect_note_request().times(1).returning(move |_, _| {
        *noting.lock().unwrap() = true;
        Ok(true)
    });
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(move |_, _| {
        let is_stored = *is_noted.lock().unwrap();
        let row = if is_stored { with_tokens("theirs", "theirs too") } else { expired() };
        Ok(Some((row, provider().into())))
    });
    let bench =
        Bench { authorizations: Arc::new(authorizations), leases, clients: giving_tokens(0), ..Bench::new() };
    assert_eq!(bench.run_under(lease_of_the_dead()).await.unwrap(), RefreshOutcome::Refreshed);
}

#[tokio::test(start_paused = true)]
async fn time_in_which_the_store_does_not_answer_is_not_waiting() {
    // One look takes two minutes; its holder could store nothing in that time either.
    struct Hanging(Mutex<u32>, Arc<dyn Clock>);

    #[async_trait::async_trait]
    impl AuthorizationStore for Hanging {
        async fn authorization(
            &self,
            _: crate::ids::OrganizationId,
            _: crate::ids::AuthorizationId,
        ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
            let look = {
                let mut looks = self.0.lock().unwrap();
                *looks += 1;
                *looks
            };
            if look == 5 {
                self.1.sleep(seconds(120)).await;
            }
            Ok(Some((expired(), provider().into())))
        }

        async fn authorizations_of(
            &self,
            _: crate::ids::AccountId,
        ) -> Result<Vec<(Authorization, Provider)>, StoreError> {
            Err(unavailable())
        }

        async fn authorized_since(
            &self,
            _: DateTime<Utc>,
            _: u32,
        ) -> Result<Vec<(crate::ids::AccountId, crate::ids::ProviderId, DateTime<Utc>)>, StoreError> {
            Err(unavailable())
        }

        async fn authorization_for_identity<'a>(
            &self,
            _: crate::ids::AccountId,
            _: crate::ids::ProviderId,
            _: &'a str,
            _: &'a str,
        ) -> Result<Option<Authorization>, StoreError> {
            Err(unavailable())
        }

        async fn authorizations_at(
            &self,
            _: crate::ids::ProviderId,
            _: Option<crate::ids::AuthorizationId>,
            _: u32,
        ) -> Result<Vec<Authorization>, StoreError> {
            Err(unavailable())
        }
    }

    let bench = Bench::new();
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let turn = Arc::into_inner(bench.turn()).unwrap();
    let hanging = Hanging(Mutex::default(), Arc::clone(&clock));
    let turn = RefreshTurn { authorizations: Arc::new(hanging), ..turn };
    let outcome = turn.run(claimed(lease_of_the_dead()), Duration::ZERO, None).await.unwrap();
    assert_eq!(outcome, RefreshOutcome::Refreshed);
    assert_eq!(clock.monotonic(), seconds(30 + 120));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_changes_nothing_about_waiting() {
    for jump in [TimeDelta::hours(-1), TimeDelta::hours(1)] {
        let bench = Bench::new();
        let clock = bench.clock.clone();
        let jumping = async {
            clock.sleep(seconds(10)).await;
            clock.jump(jump);
        };
        let (outcome, ()) = tokio::join!(bench.run_under(lease_of_the_dead()), jumping);
        assert_eq!(outcome.unwrap(), RefreshOutcome::Refreshed);
        assert_eq!(clock.monotonic(), seconds(30));
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_away_while_it_is_waited_gives_the_lease_back_and_asks_nothing() {
    let mut authorizations = MockAuthorizationStore::new();
    authorizations.expect_authorization().returning(|_, _| Err(unavailable()));
    let mut leases = MockRefreshLeases::new();
    leases.expect_note_request().never();
    let commits = Commits::default();
    let bench = Bench {
        authorizations: Arc::new(authorizations),
        leases,
        clients: giving_tokens(0),
        store: commits.store(),
        ..Bench::new()
    };
    assert!(bench.run_under(lease_of_the_dead()).await.is_err());
    assert_eq!(ends(commits.last())[0].request, RequestEnd::Moot, "the older request stays in the journal");
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_while_it_waits_asks_nothing() {
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().returning(|_| Ok(false));
    leases.expect_note_request().times(1).returning(|_, _| Ok(false));
    let bench = Bench { leases, clients: giving_tokens(0), ..Bench::new() };
    assert_eq!(bench.run_under(lease_of_the_dead()).await.unwrap(), failed("overtaken"));
}

/// How a turn ends that was about to ask after an older request, while its row is found like this.
async fn end_of_a_request_that_was_not_made(leases: MockRefreshLeases, found: Found) -> RequestEnd {
    let commits = Commits::default();
    let shared = |(row, provider)| (row, Arc::new(provider));
    let mut authorizations = MockAuthorizationStore::new();
    authorizations
        .expect_authorization()
        .returning(move |_, _| found.clone().map(shared).ok_or_else(unavailable).map(Some));
    let bench = Bench {
        authorizations: Arc::new(authorizations),
        leases,
        clients: giving_tokens(0),
        store: commits.store(),
        ..Bench::new()
    };
    let lease = RefreshLease { unanswered: Some(given_up()), ..lease() };
    // It is how it ends that counts.
    let _ = bench.run_under(lease).await;
    ends(commits.last())[0].request
}

#[tokio::test(start_paused = true)]
async fn a_request_that_took_the_place_of_an_older_one_stays_in_the_journal() {
    let died = Authorization { grant: GrantState::Dead { reason: "invalid_grant".to_owned() }, ..expired() };
    let newer = Some((with_tokens("theirs", "theirs too"), provider()));
    for (found, expected) in
        [(None, RequestEnd::Lost), (Some((died, provider())), RequestEnd::Lost), (newer, RequestEnd::Moot)]
    {
        assert_eq!(end_of_a_request_that_was_not_made(holding_leases(), found).await, expected);
    }
    for answer in [|| Ok(false), || Err(unavailable())] {
        let mut leases = MockRefreshLeases::new();
        leases.expect_keep_lease().returning(|_| Ok(true));
        leases.expect_note_request().returning(move |_, _| answer());
        let found = Some((expired(), provider()));
        assert_eq!(end_of_a_request_that_was_not_made(leases, found).await, RequestEnd::Lost);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_written_down_before_it_is_made() {
    let journal = Arc::new(Mutex::new(Vec::new()));
    let (noting, asking) = (Arc::clone(&journal), Arc::clone(&journal));
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases.expect_note_request().withf(|noted, at| (noted.fence, *at) == (FENCE, after(30))).returning(
        move |_, _| {
            noting.lock().unwrap().push("written down");
            Ok(true)
        },
    );
    let refresh = asked(1, move || {
        asking.lock().unwrap().push("made");
        Err(invalid_grant())
    });
    let bench = Bench { leases, clients: at_a(STRICT, None, refresh), ..Bench::new() };
    assert_eq!(bench.run_under(lease_of_the_dead()).await.unwrap(), dead("rotation_lost"));
    assert_eq!(*journal.lock().unwrap(), ["written down", "made"]);
}

/// A sealer that takes its time, as a process does that stands still.
struct SlowSealer(Duration, Arc<dyn TokenSealer>, Arc<dyn Clock>);

#[async_trait::async_trait]
impl TokenSealer for SlowSealer {
    async fn seal(
        &self,
        place: crate::sealing::SecretPlace,
        secret: &crate::Secret,
    ) -> Result<SealedSecret, SealError> {
        self.1.seal(place, secret).await
    }

    async fn open(
        &self,
        place: crate::sealing::SecretPlace,
        sealed: &SealedSecret,
    ) -> Result<crate::Secret, SealError> {
        self.2.sleep(self.0).await;
        self.1.open(place, sealed).await
    }
}

/// What a process makes of its turn that stood still in front of its request, while the lease was kept or not.
async fn after_standing_still(is_kept: Option<bool>) -> Result<RefreshOutcome, StoreError> {
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().returning(move |_| is_kept.ok_or_else(unavailable));
    let times = usize::from(is_kept == Some(true));
    let bench = Bench { leases, clients: giving_tokens(times), ..Bench::new() };
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let turn = Arc::into_inner(bench.turn()).unwrap();
    let sealer = Arc::new(SlowSealer(seconds(1800), turn.sealer, clock));
    RefreshTurn { sealer, ..turn }.run(claimed(lease()), Duration::ZERO, None).await
}

#[tokio::test(start_paused = true)]
async fn who_stood_still_asks_only_if_the_lease_is_still_theirs() {
    assert_eq!(after_standing_still(Some(true)).await.unwrap(), RefreshOutcome::Refreshed);
    assert_eq!(after_standing_still(Some(false)).await.unwrap(), failed("overtaken"));
    assert!(after_standing_still(None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_is_always_too_slow_to_ask_lets_others_try() {
    struct SlowLeases(Arc<dyn Clock>);

    #[async_trait::async_trait]
    impl RefreshLeases for SlowLeases {
        async fn take_lease<'a>(
            &self,
            _: crate::ids::AuthorizationId,
            _: &'a str,
            _: Option<crate::tokens::SignOfLife>,
            _: DateTime<Utc>,
        ) -> Result<crate::tokens::TakenLease, StoreError> {
            Err(unavailable())
        }

        async fn keep_lease(&self, _: &RefreshLease) -> Result<bool, StoreError> {
            self.0.sleep(TokenSettings::default().lease_silence).await;
            Ok(true)
        }

        async fn note_request(&self, _: &RefreshLease, _: DateTime<Utc>) -> Result<bool, StoreError> {
            Err(unavailable())
        }

        async fn claim_due(
            &self,
            _: &crate::tokens::DueClaim,
        ) -> Result<Vec<crate::tokens::DueRefresh>, StoreError> {
            Err(unavailable())
        }
    }

    let commits = Commits::default();
    let bench = Bench { clients: giving_tokens(0), store: commits.store(), ..Bench::new() };
    let clock: Arc<dyn Clock> = bench.clock.clone();
    let turn = Arc::into_inner(bench.turn()).unwrap();
    let sealer = Arc::new(SlowSealer(seconds(60), turn.sealer, Arc::clone(&clock)));
    let turn = RefreshTurn { sealer, leases: Arc::new(SlowLeases(clock)), ..turn };
    assert_eq!(turn.run(claimed(lease()), Duration::ZERO, None).await.unwrap(), failed("slow"));
    assert_eq!(ends(commits.last())[0].request, RequestEnd::Moot);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_given_back_makes_no_failure() {
    let commits = Commits::default();
    for answer in [|| Err(unavailable().into()), || Err(CommitError::Conflict)] {
        let store = commits.answering(move |_| answer());
        let mut leases = holding_leases();
        leases.checkpoint();
        leases.expect_keep_lease().returning(|_| Ok(true));
        leases.expect_note_request().returning(|_, _| Ok(false));
        let bench = Bench {
            leases,
            store,
            authorizations: keeping(with_tokens("theirs", "theirs too"), provider()),
            clients: giving_tokens(0),
            ..Bench::new()
        };
        assert_eq!(bench.run_under(lease_of_the_dead()).await.unwrap(), RefreshOutcome::Refreshed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_no_longer_refreshes_is_not_asked() {
    let mut client = crate::fixtures::revoking_client(None);
    client.expect_refresh_model().return_const(STRICT);
    client.expect_refresh().returning(|| None);
    let bench = Bench { clients: crate::fixtures::offering(client), ..Bench::new() };
    assert_eq!(bench.run().await.unwrap(), failed("not_supported"));
    let no_token = Authorization { refresh_token: None, ..expired() };
    let turn = Bench { clients: giving_tokens(0), ..Bench::new() }.turn();
    let claimed = ClaimedRefresh { authorization: no_token, ..claimed(lease()) };
    assert_eq!(turn.run(claimed, Duration::ZERO, None).await.unwrap(), dead("no_refresh_token"));
    assert_eq!(
        Bench { clients: failing(invalid_grant()), ..Bench::new() }.run().await.unwrap(),
        dead("invalid_grant")
    );
}
