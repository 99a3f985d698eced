//! One code, one token request, however often the same call is made: callers wait four seconds, get a 502, and come
//! back for the outcome within a minute.

use grantkeeper_domain::authorizations::{CompleteFlowError, CompletedFlow, StartedFlow};
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use tokio::task::JoinHandle;

use super::world::{World, callback};

const CODE: &str = "code:mo:1";

/// A flow whose code has come back.
struct Returned {
    world: World,
    provider: ProviderId,
    started: StartedFlow,
}

type Completion = Result<CompletedFlow, CompleteFlowError>;

impl Returned {
    async fn new() -> Self {
        let world = World::new().await;
        let provider = world.register("GitLab").await.id;
        let started = world.start(&world.member, provider).await;
        Self { world, provider, started }
    }

    async fn call(&self) -> Completion {
        self.call_with(CODE).await
    }

    async fn call_with(&self, code: &str) -> Completion {
        self.world.complete(&self.world.member, self.provider, &self.started.state, code).await
    }

    fn spawn(&self) -> JoinHandle<Completion> {
        let (complete, member) = (self.world.app.complete_flow.clone(), self.world.member.clone());
        let sent = callback(self.provider, &self.started.state, CODE);
        tokio::spawn(async move { complete.for_caller(&member, sent).await })
    }

    /// A call that is answered 502 because the provider takes its time; the exchange goes on, held.
    async fn outlasted(&self) {
        self.world.provider.hold(Call::Exchange);
        let calling = self.spawn();
        self.world.provider.until_called(Call::Exchange, 1).await;
        self.world.clock.until_sleeping(2).await;
        self.world.pass(4);
        assert_eq!(unavailable(calling.await.unwrap()), "slow");
    }

    /// Lets a held exchange end that many seconds later.
    async fn end_after(&self, seconds: u64) {
        self.world.pass(seconds);
        self.world.provider.release(Call::Exchange);
        self.world.tasks.drain().await;
    }

    fn token_requests(&self) -> usize {
        self.world.provider.calls(Call::Exchange)
    }
}

fn unavailable(completion: Completion) -> String {
    match completion {
        Err(CompleteFlowError::Unavailable { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

fn is_invalid(completion: &Completion) -> bool {
    matches!(completion, Err(CompleteFlowError::InvalidState))
}

#[tokio::test]
async fn a_replay_after_success_is_refused_at_once() {
    let flow = Returned::new().await;
    flow.call().await.unwrap();
    let replayed = flow.call().await;
    assert!(is_invalid(&replayed), "{replayed:?}");
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn a_replay_after_a_refusal_is_refused_as_one() {
    let flow = Returned::new().await;
    let error = UpstreamError::GrantRefused { code: "invalid_grant".to_owned() };
    flow.world.provider.fail_next(Call::Exchange, error);
    assert!(matches!(flow.call().await, Err(CompleteFlowError::Refused { .. })));
    assert!(is_invalid(&flow.call().await));
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_callbacks_at_once_make_one_token_request() {
    for _ in 0..20 {
        let flow = Returned::new().await;
        flow.world.provider.hold(Call::Exchange);
        let calls = [flow.spawn(), flow.spawn()];
        // The exchange with its limit, both callers' patience, and the second one's pause.
        flow.world.clock.until_sleeping(4).await;
        flow.world.provider.release(Call::Exchange);
        flow.world.tasks.drain().await;
        flow.world.pass(1);
        let [one, two] = calls;
        let id = |completed: CompletedFlow| completed.authorization.authorization.id;
        assert_eq!(id(one.await.unwrap().unwrap()), id(two.await.unwrap().unwrap()));
        assert_eq!(flow.token_requests(), 1);
    }
}

#[tokio::test]
async fn a_repeat_while_the_exchange_runs_gets_its_outcome_however_late_it_looks() {
    let flow = Returned::new().await;
    flow.world.provider.hold(Call::Exchange);
    let first = flow.spawn();
    flow.world.provider.until_called(Call::Exchange, 1).await;
    let second = flow.spawn();
    flow.world.clock.until_sleeping(4).await;
    flow.world.provider.release(Call::Exchange);
    first.await.unwrap().unwrap();
    // A machine under load: the next look comes a second later.
    flow.world.pass(1);
    second.await.unwrap().unwrap();
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn a_repeat_waits_four_seconds_too() {
    let flow = Returned::new().await;
    flow.outlasted().await;
    let repeat = flow.spawn();
    // The exchange, this caller's patience, and their pause.
    flow.world.clock.until_sleeping(3).await;
    flow.world.pass(4);
    assert_eq!(unavailable(repeat.await.unwrap()), "slow");
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn within_a_minute_after_a_502_the_outcome_can_be_fetched() {
    let flow = Returned::new().await;
    flow.outlasted().await;
    flow.end_after(2).await;
    for _ in 0..3 {
        flow.call().await.unwrap();
        flow.world.pass(20);
    }
    flow.call().await.unwrap();
    flow.world.pass(1);
    assert!(is_invalid(&flow.call().await));
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn a_refusal_can_be_fetched_as_well() {
    let flow = Returned::new().await;
    let error = UpstreamError::GrantRefused { code: "invalid_grant".to_owned() };
    flow.world.provider.fail_next(Call::Exchange, error);
    flow.outlasted().await;
    flow.end_after(2).await;
    assert!(matches!(flow.call().await, Err(CompleteFlowError::Refused { .. })));
}

#[tokio::test]
async fn an_exchange_that_found_the_provider_away_is_not_made_again() {
    let flow = Returned::new().await;
    let error = UpstreamError::Unavailable { reason: "connect", retry_after: None };
    flow.world.provider.fail_next(Call::Exchange, error);
    assert_eq!(unavailable(flow.call().await), "connect");
    flow.world.pass(60);
    assert_eq!(unavailable(flow.call().await), "connect");
    flow.world.pass(1);
    assert!(is_invalid(&flow.call().await));
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn another_code_for_a_used_state_is_refused() {
    let flow = Returned::new().await;
    flow.outlasted().await;
    assert!(is_invalid(&flow.call_with("code:mo:2").await), "while the exchange runs");
    flow.end_after(1).await;
    assert!(is_invalid(&flow.call_with("code:mo:2").await), "and after it");
    flow.call().await.unwrap();
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn the_repeat_of_somebody_else_is_refused() {
    let flow = Returned::new().await;
    flow.outlasted().await;
    flow.end_after(1).await;
    let other = flow.world.complete(&flow.world.admin, flow.provider, &flow.started.state, CODE).await;
    assert!(is_invalid(&other), "{other:?}");
}

#[tokio::test]
async fn a_provider_has_thirty_seconds_for_a_code() {
    let flow = Returned::new().await;
    flow.outlasted().await;
    flow.world.pass(26);
    flow.world.tasks.drain().await;
    assert_eq!(unavailable(flow.call().await), "timeout");
}

#[tokio::test]
async fn an_exchange_that_died_with_its_process_is_given_up() {
    let flow = Returned::new().await;
    flow.world.provider.panic_next(Call::Exchange);
    assert_eq!(unavailable(flow.call().await), "interrupted");
    let repeat = flow.spawn();
    flow.world.clock.until_sleeping(2).await;
    flow.world.pass(4);
    assert_eq!(unavailable(repeat.await.unwrap()), "slow");
    flow.world.pass(86);
    assert!(is_invalid(&flow.call().await));
    assert_eq!(flow.token_requests(), 1);
}

#[tokio::test]
async fn a_caller_who_leaves_leaves_an_exchange_that_goes_on() {
    let flow = Returned::new().await;
    flow.world.provider.hold(Call::Exchange);
    let calling = flow.spawn();
    flow.world.provider.until_called(Call::Exchange, 1).await;
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    let repeat = flow.spawn();
    flow.world.clock.until_sleeping(2).await;
    flow.world.provider.release(Call::Exchange);
    flow.world.tasks.drain().await;
    flow.world.pass(1);
    repeat.await.unwrap().unwrap();
    assert_eq!(flow.token_requests(), 1);
}
