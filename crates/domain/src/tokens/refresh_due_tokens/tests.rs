use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::authorizations::{Authorization, GrantState, MockAuthorizationStore};
use crate::fixtures::{
    Commits, CountingRandom, START, VirtualClock, authorization, expired, new_tokens, offering, provider,
    revoking_client, unavailable, uuid,
};
use crate::ids::ProviderId;
use crate::providers::{
    MockProviderClient, MockRefreshTokens, Provider, ProviderConnection, RefreshModel, RefreshRequest,
    RefreshTokens, TokenSet, UpstreamError,
};
use crate::tokens::refresh_fixtures::{Bench, at_a, ends, holding_leases, lease, seconds};
use crate::tokens::{MockRefreshLeases, RefreshEnd, RefreshLease};

/// The worker of one process, and what it left behind.
struct Stage {
    due: Arc<RefreshDueTokens>,
    commits: Commits,
}

/// What the store says is due, at each claim.
fn saying(claims: impl Fn(&DueClaim) -> Vec<DueRefresh> + Send + 'static) -> MockRefreshLeases {
    let mut leases = holding_leases();
    leases.expect_claim_due().returning(move |claim| Ok(claims(claim)));
    leases
}

/// That, and then nothing more.
fn saying_once(due: Vec<DueRefresh>) -> MockRefreshLeases {
    let due = Mutex::new(due);
    saying(move |_| std::mem::take(&mut *due.lock().unwrap()))
}

fn claimed(number: u128, row: Authorization, provider: Provider) -> DueRefresh {
    let authorization = Authorization { id: AuthorizationId::from_uuid(uuid(number)), ..row };
    let lease = RefreshLease { authorization_id: authorization.id, ..lease() };
    let provider = provider.into();
    DueRefresh::Claimed(Box::new(ClaimedRefresh { lease, authorization, provider, last_used_at: None }))
}

impl Stage {
    fn new(leases: MockRefreshLeases, clients: Arc<dyn ProviderClients>, at_once: usize) -> Self {
        Self::answering(leases, clients, at_once, |_| Ok(()))
    }

    /// Over a store that answers its commits, counted from 0, like this.
    fn answering(
        leases: MockRefreshLeases,
        clients: Arc<dyn ProviderClients>,
        at_once: usize,
        answer: impl Fn(usize) -> Result<(), CommitError> + Send + 'static,
    ) -> Self {
        let (commits, clock) = (Commits::default(), VirtualClock::adjustable());
        let gates = ProviderGates::new(clock.clone(), at_once, 10_000);
        let bench = Bench {
            authorizations: Arc::new(MockAuthorizationStore::new()),
            leases,
            clients: Arc::clone(&clients),
            store: commits.answering(answer),
            clock,
            gates: Some(Arc::clone(&gates)),
        };
        let refresh = bench.engine();
        let due = RefreshDueTokens {
            leases: Arc::clone(&refresh.leases),
            gates,
            clients,
            store: Arc::clone(&refresh.turn.store),
            tasks: refresh.tasks.clone(),
            clock: Arc::clone(&refresh.clock),
            random: CountingRandom::shared(),
            settings: refresh.settings,
            holder: refresh.holder.clone(),
            under_way: UnderWay::default(),
            refresh,
        };
        Self { due: Arc::new(due), commits }
    }

    async fn run(&self) -> usize {
        self.due.run().await.unwrap()
    }

    /// How the last commit put off what it put off.
    fn put_off(&self) -> Vec<RefreshEnd> {
        let ends = ends(self.commits.last());
        assert!(ends.iter().all(|end| end.request == RequestEnd::Moot), "nobody was asked");
        ends
    }
}

/// A provider that does not answer before it is told to; how many have asked it.
#[derive(Clone, Default)]
struct SlowProvider {
    asked: Arc<AtomicUsize>,
    answers: Arc<tokio::sync::Notify>,
}

#[async_trait::async_trait]
impl RefreshTokens for SlowProvider {
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        _: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers.notified().await;
        Ok(new_tokens())
    }
}

impl SlowProvider {
    fn clients(&self) -> Arc<dyn ProviderClients> {
        at_a(RefreshModel::Rotating, None, self.clone())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A row whose secrets open under that id.
fn row(number: u128) -> Authorization {
    let mut row = Authorization { id: AuthorizationId::from_uuid(uuid(number)), ..expired() };
    row.access_token = crate::fixtures::sealed(row.access_token_place(), "old access");
    row.refresh_token = Some(crate::fixtures::sealed(row.refresh_token_place(), "old refresh"));
    row
}

fn another_provider() -> Provider {
    let mut another = Provider { id: ProviderId::from_uuid(uuid(11)), ..provider() };
    another.client_secret = crate::fixtures::sealed(another.secret_place(), "client secret");
    another
}

fn by_turns(number: u128) -> Provider {
    if number.is_multiple_of(2) { another_provider() } else { provider() }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_no_larger_than_what_may_be_under_way_and_all_of_it_runs_at_once() {
    let (slow, limits, numbers) =
        (SlowProvider::default(), Arc::<Mutex<Vec<u32>>>::default(), AtomicU64::new(100));
    let leases = saying({
        let limits = Arc::clone(&limits);
        move |claim| {
            limits.lock().unwrap().push(claim.limit);
            let rows = (0..claim.limit).map(|_| u128::from(numbers.fetch_add(1, Ordering::SeqCst)));
            rows.map(|number| claimed(number, row(number), by_turns(number))).collect()
        }
    });
    let stage = Stage::new(leases, slow.clients(), 1_000);
    for _ in 0..SLOTS / 64 {
        assert_eq!(stage.run().await, 64);
    }
    stage.due.clock.sleep(seconds(1)).await;
    assert_eq!(slow.asked(), SLOTS, "nobody waits for another");
    let next = tokio::spawn({
        let due = Arc::clone(&stage.due);
        async move { due.run().await.unwrap() }
    });
    stage.due.clock.sleep(seconds(1)).await;
    assert!(!next.is_finished(), "nothing is claimed that could not begin");
    slow.answers.notify_one();
    // A claim for one would cost as much as a claim for many: those that end in the next moment are waited for.
    stage.due.clock.sleep(LINE_MOVES / 2).await;
    (0..5).for_each(|_| slow.answers.notify_one());
    slow.answers.notify_waiters();
    assert_eq!(next.await.unwrap(), 64);
    assert_eq!(*limits.lock().unwrap(), [64, 64, 64, 64, 64]);
    assert_eq!(ends(stage.commits.last())[0].request, RequestEnd::Answered);
}

#[tokio::test(start_paused = true)]
async fn a_claim_says_when_what_it_takes_comes_up_again() {
    let claims = Arc::<Mutex<Vec<DueClaim>>>::default();
    let leases = saying({
        let claims = Arc::clone(&claims);
        move |claim| {
            claims.lock().unwrap().push(claim.clone());
            Vec::new()
        }
    });
    let stage = Stage::new(leases, offering(MockProviderClient::new()), 1);
    assert_eq!(stage.run().await, 0);
    let [claim] = claims.lock().unwrap().clone().try_into().unwrap();
    assert_eq!((claim.now, claim.holder.as_str(), claim.limit), (START, "holder", 64));
    assert_eq!(claim.again_at, START + TimeDelta::minutes(1));
    let silence = time_delta(stage.due.settings.lease_silence);
    assert!(claim.watch_at < START + silence / 2, "a holder is looked at often enough to hear it");
    assert_eq!(stage.commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_refreshed_now_is_put_off_in_one_commit_and_nobody_is_asked() {
    let paused = Provider { status: ProviderStatus::Inactive, ..provider() };
    let disabled = Provider { status: ProviderStatus::Disabled, ..provider() };
    let rests = START + TimeDelta::minutes(9);
    let unused = Authorization {
        grant_since: START - TimeDelta::days(8),
        used_at: START - TimeDelta::days(8),
        ..row(5)
    };
    let dead = GrantState::Dead { reason: "invalid_grant".to_owned() };
    let leases = saying_once(vec![
        claimed(1, row(1), paused),
        claimed(2, row(2), disabled),
        claimed(3, authorization(), provider()),
        claimed(4, Authorization { next_attempt_at: Some(rests), ..row(4) }, provider()),
        claimed(5, unused, Provider { keep_alive: false, ..provider() }),
        claimed(6, Authorization { grant: dead, ..row(6) }, provider()),
    ]);
    let stage = Stage::new(leases, offering(MockProviderClient::new()), 9);
    assert_eq!(stage.run().await, 6);
    assert_eq!(stage.commits.count(), 1);
    let next: Vec<_> = stage.put_off().iter().map(|end| end.next).collect();
    let later = START + TimeDelta::minutes(5)..START + TimeDelta::minutes(10);
    assert!(next[..2].iter().all(|next| next.at().is_some_and(|at| later.contains(&at))), "{next:?}");
    let ahead = START + TimeDelta::minutes(56)..START + TimeDelta::minutes(58);
    assert!(next[2].at().is_some_and(|at| ahead.contains(&at) || at == ahead.end), "{next:?}");
    assert_eq!(next[3..], [NextRefresh::At(rests), NextRefresh::Never, NextRefresh::Never]);
}

/// Four at a provider that is paused, as they came.
fn paused_in_disorder() -> MockRefreshLeases {
    let paused = || Provider { status: ProviderStatus::Inactive, ..provider() };
    saying_once([3, 1, 4, 2].map(|number| claimed(number, row(number), paused())).into())
}

fn ids(ends: &[RefreshEnd]) -> Vec<AuthorizationId> {
    ends.iter().map(|end| end.authorization_id).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_put_off_together_is_in_the_order_of_its_ids() {
    // Two replicas that write the same rows would wait for each other else.
    let stage = Stage::new(paused_in_disorder(), offering(MockProviderClient::new()), 9);
    stage.run().await;
    assert_eq!(ids(&stage.put_off()), [1, 2, 3, 4].map(|number| AuthorizationId::from_uuid(uuid(number))));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_off_together_is_tried_once_more_and_then_given_back_one_by_one() {
    for (failures, commits) in [(0, 1), (1, 2), (2, 6), (3, 6)] {
        let answer = move |commit| if commit < failures { Err(unavailable().into()) } else { Ok(()) };
        let client = offering(MockProviderClient::new());
        let stage = Stage::answering(paused_in_disorder(), client, 9, answer);
        assert_eq!(stage.run().await, 4, "the others of the batch are not held up");
        assert_eq!(stage.commits.count(), commits, "after {failures} failures");
        assert_eq!(stage.put_off().len(), if commits == 6 { 1 } else { 4 });
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_is_put_off_until_it_has_to_be_kept_alive() {
    let mut client = MockProviderClient::new();
    client.expect_idle_limit().return_const(Some(seconds(90 * 24 * 3600)));
    let unused = Authorization {
        grant_since: START - TimeDelta::days(8),
        used_at: START - TimeDelta::days(8),
        ..row(1)
    };
    let stage = Stage::new(saying_once(vec![claimed(1, unused, provider())]), offering(client), 9);
    stage.run().await;
    let next = stage.put_off()[0].next.at().unwrap();
    assert!((START + TimeDelta::days(51)..START + TimeDelta::days(60)).contains(&next), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_away_holds_up_nobody_but_its_own() {
    let slow = SlowProvider::default();
    let due = (1..=40_u128).map(|number| {
        let provider = if number.is_multiple_of(10) { another_provider() } else { provider() };
        claimed(number, row(number), provider)
    });
    let stage = Stage::new(saying_once(due.collect()), slow.clients(), 32);
    stage.due.gates.find_away(provider().id);
    stage.run().await;
    stage.due.clock.sleep(seconds(1)).await;
    assert_eq!(slow.asked(), 4);
    let put_off = stage.put_off();
    assert_eq!(put_off.len(), 36);
    assert!(put_off.iter().all(|end| end.next.at().unwrap() >= START + TimeDelta::seconds(1)));
}

#[tokio::test(start_paused = true)]
async fn one_provider_has_no_more_under_way_than_the_settings_say() {
    let slow = SlowProvider::default();
    let due = (1..=20).map(|number| {
        let provider = if number <= 10 { another_provider() } else { provider() };
        claimed(number, row(number), provider)
    });
    let stage = Stage::new(saying_once(due.collect()), slow.clients(), 3);
    assert!(
        stage.run().await > 20,
        "those who stand in line are told of, so that somebody comes back for them"
    );
    stage.due.clock.sleep(seconds(1)).await;
    assert_eq!(slow.asked(), 6);
    let put_off: HashSet<_> = stage.put_off().into_iter().map(|end| end.authorization_id).collect();
    assert_eq!(put_off.len(), 14);
}

/// A holder that gives no sign of life, and one that gives one each second.
fn two_holders(clock: Arc<VirtualClock>, every: u64) -> impl Fn(&DueClaim) -> Vec<DueRefresh> {
    move |_| {
        let second = clock.monotonic().as_secs();
        if !second.is_multiple_of(every) {
            return Vec::new();
        }
        let sign = |beat| SignOfLife { fence: 3, beat };
        vec![
            DueRefresh::Held(AuthorizationId::from_uuid(uuid(1)), sign(0)),
            DueRefresh::Held(AuthorizationId::from_uuid(uuid(2)), sign(second.try_into().unwrap())),
        ]
    }
}

/// Whose lease was taken, and with which sign.
type Taken = Arc<Mutex<Vec<(AuthorizationId, Option<SignOfLife>)>>>;

fn taking(leases: &mut MockRefreshLeases) -> Taken {
    let taken = Arc::<Mutex<Vec<_>>>::default();
    let all = Arc::clone(&taken);
    leases.checkpoint();
    leases.expect_take_lease().returning(move |id, _, silent, _| {
        all.lock().unwrap().push((id, silent));
        Ok(TakenLease::Taken(RefreshLease { authorization_id: id, ..lease() }))
    });
    taken
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_falls_silent_loses_its_lease_and_one_that_beats_does_not() {
    // Where replicas take turns, each sees a holder only now and then, and listens all the while.
    for every in [1, 4, 12] {
        let clock = VirtualClock::adjustable();
        let mut leases = MockRefreshLeases::new();
        let taken = taking(&mut leases);
        leases.expect_claim_due().returning({
            let claims = two_holders(clock.clone(), every);
            move |claim| Ok(claims(claim))
        });
        let stage = Stage::new(leases, offering(MockProviderClient::new()), 1);
        let silence = stage.due.settings.lease_silence.as_secs();
        while clock.monotonic() < seconds(silence.next_multiple_of(every)) {
            stage.run().await;
            assert_eq!(*taken.lock().unwrap(), [], "after {:?}", clock.monotonic());
            clock.sleep(seconds(1)).await;
        }
        stage.run().await;
        let silent = Some(SignOfLife { fence: 3, beat: 0 });
        assert_eq!(*taken.lock().unwrap(), [(AuthorizationId::from_uuid(uuid(1)), silent)], "{every}");
        // Whoever claims it next gets it, with what its journal says.
        assert_eq!(stage.put_off()[0].next, NextRefresh::At(clock.now()));
    }
}

#[tokio::test(start_paused = true)]
async fn time_in_which_the_store_was_away_is_no_silence() {
    let clock = VirtualClock::adjustable();
    let mut leases = MockRefreshLeases::new();
    let taken = taking(&mut leases);
    leases.expect_claim_due().returning({
        let (claims, clock) = (two_holders(clock.clone(), 1), clock.clone());
        move |claim| {
            let is_away = (5..25).contains(&clock.monotonic().as_secs());
            if is_away { Err(unavailable()) } else { Ok(claims(claim)) }
        }
    });
    let stage = Stage::new(leases, offering(MockProviderClient::new()), 1);
    while clock.monotonic() < seconds(40) {
        assert_eq!(stage.due.run().await.is_err(), (5..25).contains(&clock.monotonic().as_secs()));
        assert_eq!(*taken.lock().unwrap(), [], "after {:?}", clock.monotonic());
        clock.sleep(seconds(1)).await;
    }
    stage.run().await;
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_a_holder_that_fails_holds_up_nothing_else() {
    let mut refresh = MockRefreshTokens::new();
    refresh.expect_refresh_token().times(1).returning(|_, _| Ok(new_tokens()));
    let refresh: Arc<dyn RefreshTokens> = Arc::new(refresh);
    let mut client = revoking_client(None);
    client.expect_refresh().returning(move || Some(Arc::clone(&refresh)));
    let held = || DueRefresh::Held(AuthorizationId::from_uuid(uuid(9)), SignOfLife { fence: 3, beat: 0 });
    let clock = VirtualClock::adjustable();
    let mut leases = MockRefreshLeases::new();
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases.expect_take_lease().returning(|_, _, _, _| Err(unavailable()));
    leases.expect_claim_due().returning({
        let clock = clock.clone();
        move |_| {
            let mut due = vec![held()];
            if clock.monotonic() == seconds(15) {
                due.push(claimed(1, row(1), provider()));
                due.push(claimed(2, authorization(), provider()));
            }
            Ok(due)
        }
    });
    let stage = Stage::new(leases, offering(client), 1);
    for _ in 0..15 {
        stage.run().await;
        clock.sleep(seconds(1)).await;
    }
    assert!(matches!(stage.due.run().await, Err(StoreError::Unavailable(_))));
    assert_eq!(stage.put_off().len(), 1);
    stage.due.tasks.drain().await;
    assert_eq!(ends(stage.commits.last())[0].request, RequestEnd::Answered);
}
