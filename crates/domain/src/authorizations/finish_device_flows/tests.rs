use std::time::Duration;

use super::*;
use crate::accounts::{Account, MockAccountStore};
use crate::authorizations::{
    AuthorizationStore as _, BegunDeviceFlow, DeviceFlowStatus, DeviceStage, MockDeviceFlowStore,
    PollDeviceFlowError,
};
use crate::fixtures::{START, account, caller, device_flow, in_use, provider, unavailable, uuid};
use crate::ids::DeviceFlowId;
use crate::login::fixtures::{Decision, Installation, bad_moment};
use crate::providers::{Provider, ProviderStatus};
use crate::secret::SecretHash;
use crate::{Change, UnitOfWork as _};

/// An installation with one member.
async fn installation() -> Installation {
    let at = Installation::new().await;
    at.store.commit(vec![Change::insert(account())]).await.unwrap();
    at
}

/// Somebody has begun a device flow.
async fn begun(at: &Installation) -> BegunDeviceFlow {
    at.cases.begin_device_flow.run(&caller(), provider().id).await.ok().unwrap()
}

async fn poll(at: &Installation, begun: &BegunDeviceFlow) -> Result<DeviceFlowStatus, PollDeviceFlowError> {
    at.cases.poll_device_flow.run(&caller(), provider().id, &begun.handle).await
}

/// The worker looks each second, for so long.
async fn work(at: &Installation, seconds: u64) {
    for _ in 0..seconds {
        at.sleep(1).await;
        at.cases.finish_device_flows.run().await.unwrap();
        ended(at).await;
    }
}

/// Lets the polls end that were begun.
async fn ended(at: &Installation) {
    at.cases.poll_device_flow.tasks.drain().await;
}

async fn stored(at: &Installation, begun: &BegunDeviceFlow) -> DeviceFlow {
    let hash = SecretHash::of(begun.handle.expose());
    let found = at.store.device_flow_by_handle(provider().id, &hash, caller().account_id).await.unwrap();
    found.expect("a device flow")
}

/// When the provider was asked, in seconds since the beginning.
fn polled(at: &Installation) -> Vec<i64> {
    at.idp.script().polled.iter().map(|polled| (*polled - START).num_seconds()).collect()
}

async fn linked(at: &Installation) -> usize {
    at.store.authorizations_of(caller().account_id).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_closed_terminal_does_not_lose_an_approved_code() {
    let at = installation().await;
    let begun = begun(&at).await;
    at.idp.script().decisions.extend([Decision::Pending, Decision::Granted("ada")]);
    work(&at, 60).await;
    assert_eq!(polled(&at), [15, 30], "ten seconds later than its caller might have come, and again");
    assert_eq!(linked(&at).await, 1);
    let DeviceFlowStatus::Authorized(id) = poll(&at, &begun).await.unwrap() else { panic!("it is over") };
    let stored = at.store.authorizations_of(caller().account_id).await.unwrap();
    assert_eq!(stored[0].0.id, id, "whoever comes back gets it");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_polls_is_left_alone() {
    let at = installation().await;
    let begun = begun(&at).await;
    for _ in 0..12 {
        work(&at, 5).await;
        assert_eq!(poll(&at, &begun).await.unwrap(), DeviceFlowStatus::Pending);
        assert!(!stored(&at, &begun).await.unattended);
    }
    assert_eq!(polled(&at), (1..=12).map(|poll| poll * 5).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_keeps_to_the_interval_is_pending_though_the_service_has_just_polled_in_their_place() {
    let at = installation().await;
    let begun = begun(&at).await;
    work(&at, 15).await;
    assert_eq!(poll(&at, &begun).await.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!(polled(&at), [15], "and the provider is not asked again");
    at.sleep(5).await;
    assert_eq!(poll(&at, &begun).await.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!(polled(&at), [15, 20]);
    assert_eq!(poll(&at, &begun).await.unwrap(), DeviceFlowStatus::SlowDown, "now they are too fast");
}

#[tokio::test(start_paused = true)]
async fn a_caller_and_the_worker_cause_one_upstream_poll() {
    for caller_first in [true, false] {
        let at = installation().await;
        let begun = begun(&at).await;
        at.idp.script().takes = Duration::from_secs(1);
        at.sleep(15).await;
        let work = || at.cases.finish_device_flows.run();
        let status = if caller_first {
            let (status, worked) = tokio::join!(poll(&at, &begun), work());
            worked.unwrap();
            status
        } else {
            let (worked, status) = tokio::join!(work(), poll(&at, &begun));
            worked.unwrap();
            status
        };
        ended(&at).await;
        assert_eq!(status.unwrap(), DeviceFlowStatus::Pending, "{caller_first}");
        assert_eq!(polled(&at), [15], "{caller_first}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_workers_cause_one_upstream_poll() {
    let at = installation().await;
    begun(&at).await;
    at.sleep(15).await;
    let other = at.other_process(|_| {});
    let (one, two) = tokio::join!(at.cases.finish_device_flows.run(), other.cases.finish_device_flows.run());
    one.unwrap();
    two.unwrap();
    ended(&at).await;
    other.cases.poll_device_flow.tasks.drain().await;
    assert_eq!(polled(&at).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn abandoned_flows_of_suspended_accounts_are_not_asked() {
    let at = installation().await;
    begun(&at).await;
    at.idp.script().decisions.push_back(Decision::Granted("ada"));
    at.update(Account { suspended_at: Some(START), ..account() }).await;
    work(&at, 120).await;
    assert!(polled(&at).is_empty());
    let resumed = Account { version: account().version.next(), ..account() };
    at.update(resumed).await;
    work(&at, 70).await;
    assert_eq!((polled(&at).len(), linked(&at).await), (1, 1), "when they may act again, it goes on");
}

#[tokio::test(start_paused = true)]
async fn abandoned_flows_at_paused_providers_and_at_changed_endpoints_are_not_asked() {
    let with = |status| Provider { status, device_flow: true, ..provider() };
    let mut moved = with(ProviderStatus::Active);
    moved.endpoints.token = url::Url::parse("https://elsewhere.example/token").unwrap();
    for changed in [
        with(ProviderStatus::Inactive),
        with(ProviderStatus::Disabled),
        with(ProviderStatus::Deleting),
        moved,
    ] {
        let at = installation().await;
        let begun = begun(&at).await;
        at.update(changed).await;
        let before = stored(&at, &begun).await.version;
        work(&at, 120).await;
        assert!(polled(&at).is_empty());
        let flow = stored(&at, &begun).await;
        assert_eq!((flow.stage, flow.unattended), (DeviceStage::Pending, true));
        assert_eq!(flow.version, before.next().next(), "nor looked at more than once a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_whose_provider_is_back_goes_on() {
    let at = installation().await;
    begun(&at).await;
    at.idp.script().decisions.push_back(Decision::Granted("ada"));
    let paused = Provider { status: ProviderStatus::Inactive, device_flow: true, ..provider() };
    let back = Provider { status: ProviderStatus::Active, version: paused.version.next(), ..paused.clone() };
    at.update(paused).await;
    work(&at, 30).await;
    at.update(back).await;
    work(&at, 70).await;
    assert_eq!(linked(&at).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_flow_ends_with_the_persons_no_and_with_its_codes() {
    let at = installation().await;
    let denied = begun(&at).await;
    at.idp.script().decisions.push_back(Decision::Denied);
    work(&at, 60).await;
    assert_eq!(polled(&at).len(), 1);
    let status = poll(&at, &denied).await.unwrap();
    assert_eq!(status, DeviceFlowStatus::Denied { reason: "access_denied".to_owned() });

    let at = installation().await;
    begun(&at).await;
    work(&at, 1000).await;
    assert!(polled(&at).last().is_some_and(|last| *last < 900), "after that nobody asks");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_away_is_asked_less_and_less() {
    let at = installation().await;
    begun(&at).await;
    at.idp.script().decisions.extend(vec![Decision::Fails(bad_moment()); 3]);
    at.idp.script().decisions.push_back(Decision::Granted("ada"));
    work(&at, 300).await;
    assert_eq!(polled(&at), [15, 35, 65, 115]);
    assert_eq!(linked(&at).await, 1);
}

#[tokio::test(start_paused = true)]
async fn where_no_flow_is_overdue_there_is_nothing_to_do() {
    let at = installation().await;
    begun(&at).await;
    assert_eq!(at.cases.finish_device_flows.run().await.unwrap(), 0);
    at.sleep(14).await;
    assert_eq!(at.cases.finish_device_flows.run().await.unwrap(), 0);
    at.sleep(1).await;
    assert_eq!(at.cases.finish_device_flows.run().await.unwrap(), 1);
}

/// Two flows are overdue: one of an account that cannot be read, and one that was begun.
async fn beside_a_broken_one(at: &Installation, error: fn() -> StoreError) -> FinishDeviceFlows {
    let begun = begun(at).await;
    at.idp.script().decisions.push_back(Decision::Granted("ada"));
    at.sleep(15).await;
    let ours = stored(at, &begun).await;
    let broken = DeviceFlow {
        id: DeviceFlowId::from_uuid(uuid(99)),
        account_id: crate::ids::AccountId::from_uuid(uuid(99)),
        ..device_flow()
    };
    let mut flows = MockDeviceFlowStore::new();
    flows
        .expect_unattended_device_flows()
        .withf(|overdue, now, limit| (*now - *overdue, *limit) == (PATIENCE, BATCH))
        .returning(move |_, _, _| Ok(vec![broken.clone(), ours.clone()]));
    let mut accounts = MockAccountStore::new();
    accounts
        .expect_account()
        .returning(move |id| if id == caller().account_id { Ok(Some(account())) } else { Err(error()) });
    FinishDeviceFlows {
        flows: Arc::new(flows),
        accounts: Arc::new(accounts),
        poll: Arc::clone(&at.cases.poll_device_flow),
        clock: Arc::clone(&at.clock),
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_cannot_be_read_is_no_failure_of_the_others() {
    let at = installation().await;
    let finish = beside_a_broken_one(&at, || StoreError::Unexpected("a row from the future".into())).await;
    assert_eq!(finish.run().await.unwrap(), 1, "it alone makes nobody look again at once");
    ended(&at).await;
    assert_eq!(linked(&at).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_in_between_is_told_and_what_could_be_begun_is_finished() {
    let at = installation().await;
    let finish = beside_a_broken_one(&at, unavailable).await;
    assert!(matches!(finish.run().await, Err(StoreError::Unavailable(_))));
    ended(&at).await;
    assert_eq!(linked(&at).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_keeps_no_others_waiting() {
    let at = installation().await;
    begun(&at).await;
    at.idp.script().takes = Duration::from_secs(20);
    at.sleep(15).await;
    let before = at.clock.monotonic();
    assert_eq!(at.cases.finish_device_flows.run().await.unwrap(), 1);
    assert_eq!(at.clock.monotonic(), before);
    at.idp.script().decisions.push_back(Decision::Granted("ada"));
    ended(&at).await;
    assert_eq!(linked(&at).await, 1, "and its answer is kept");
}

#[tokio::test(start_paused = true)]
async fn however_often_a_caller_might_poll_the_service_does_so_every_fifteen_seconds() {
    let at = installation().await;
    let begun = begun(&at).await;
    let flow = stored(&at, &begun).await;
    at.update(DeviceFlow {
        interval: TimeDelta::seconds(1),
        next_poll_at: START + TimeDelta::seconds(1),
        ..flow
    })
    .await;
    work(&at, 60).await;
    assert_eq!(polled(&at), [11, 26, 41, 56]);
    at.sleep(2).await;
    assert_eq!(poll(&at, &begun).await.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!(polled(&at).last(), Some(&62), "a caller who is back is not held up");
}

#[tokio::test(start_paused = true)]
async fn of_many_that_one_caller_has_left_the_newest_three_are_polled() {
    let at = installation().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(begun(&at).await);
        at.clock.sleep(Duration::from_millis(1)).await;
    }
    work(&at, 60).await;
    for (number, begun) in all.iter().enumerate() {
        assert_eq!(stored(&at, begun).await.unattended, number >= 2, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_told() {
    let at = installation().await;
    let mut flows = MockDeviceFlowStore::new();
    flows.expect_unattended_device_flows().returning(|_, _, _| Err(unavailable()));
    let finish = FinishDeviceFlows {
        flows: Arc::new(flows),
        accounts: in_use(),
        poll: Arc::clone(&at.cases.poll_device_flow),
        clock: Arc::clone(&at.clock),
    };
    assert!(matches!(finish.run().await, Err(StoreError::Unavailable(_))));
}
