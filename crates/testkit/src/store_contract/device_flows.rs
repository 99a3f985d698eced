//! Rules of device flows.

use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::authorizations::{DeviceFlow, DeviceStage, FlowOutcome, PollPace, Scopes};
use grantkeeper_domain::ids::{AuthorizationId, DeviceFlowId};
use grantkeeper_domain::{Change, Store};

use super::tenant::{
    Refusal, Tenant, UNICODE, commit, expect_states, insert, long_secret, minutes, refusal, update,
};
use crate::entities::{FRESH, START, account, device_flow, hash, provider};

fn finished(outcome: FlowOutcome) -> DeviceStage {
    DeviceStage::Finished { outcome, at: minutes(3) }
}

fn denied() -> FlowOutcome {
    FlowOutcome::Refused("access_denied".to_owned())
}

/// Every field of a device flow is kept, in every stage, with every outcome.
pub async fn device_flows_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let every_stage = [
        DeviceStage::Pending,
        DeviceStage::Polling { since: minutes(2) },
        finished(FlowOutcome::Authorized(AuthorizationId::generate(&FRESH, START))),
        finished(FlowOutcome::Unavailable(UNICODE.to_owned())),
        finished(denied()),
    ];
    let states = |base: DeviceFlow| {
        let mut all: Vec<DeviceFlow> =
            every_stage.iter().map(|stage| DeviceFlow { stage: stage.clone(), ..base.clone() }).collect();
        all.push(DeviceFlow {
            handle_hash: hash(),
            device_code: long_secret(),
            scopes: Scopes::default(),
            endpoints: hash(),
            interval: TimeDelta::zero(),
            next_poll_at: minutes(4),
            created_at: minutes(5),
            expires_at: minutes(6),
            ..base.clone()
        });
        let interval = TimeDelta::minutes(5) + TimeDelta::microseconds(1);
        all.push(DeviceFlow { interval, scopes: Scopes::parse("b a https://scope.example/c"), ..base });
        all
    };
    expect_states(store, states(tenant.device_flow())).await;
    expect_states(store, states(tenant.device_flow()).into_iter().rev()).await;
}

/// At its provider, and by the account that began it: the handle alone is good for nothing.
pub async fn a_device_flow_is_found_by_its_handle(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (second, neighbour) = (provider(&tenant.organization), account(&tenant.organization));
    commit(store, [Change::insert(second.clone()), Change::insert(neighbour.clone())]).await;
    let row = tenant.device_flow();
    let handle = row.handle_hash.clone();
    insert(store, row.clone()).await;
    for other in [
        tenant.device_flow(),
        device_flow(&neighbour, &tenant.provider),
        device_flow(&tenant.account, &second),
    ] {
        insert(store, other).await;
    }
    for (provider, handle, account, expected) in [
        (tenant.provider.id, &handle, tenant.account.id, Some(&row)),
        (tenant.provider.id, &handle, neighbour.id, None),
        (second.id, &handle, tenant.account.id, None),
        (tenant.provider.id, &hash(), tenant.account.id, None),
    ] {
        let found = store.device_flow_by_handle(provider, handle, account).await.expect("a read");
        assert_eq!(found.as_ref(), expected);
    }
    // A flow that is over can still be found: whoever asks again has to hear how it ended.
    let over = row.finished(denied(), minutes(1));
    update(store, over.clone()).await;
    let found = store.device_flow_by_handle(tenant.provider.id, &handle, tenant.account.id).await;
    assert_eq!(found.expect("a read").map(|flow| flow.stage), Some(over.stage));
    assert_eq!(store.device_flow(DeviceFlowId::generate(&FRESH, START)).await.expect("a read"), None);
}

/// Of two that have read the same flow one gets the right to ask the provider, and with it to write what comes of it.
pub async fn a_device_flow_is_claimed_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.device_flow();
    insert(store, row.clone()).await;
    let (one, other) = (row.clone().polling(minutes(1)), row.clone().polling(minutes(2)));
    update(store, one.clone()).await;
    assert_eq!(refusal(store, Change::update(other)).await, Refusal::Conflict);
    let claimed = DeviceFlow { version: row.version.next(), ..one };
    assert_eq!(store.device_flow(row.id).await.expect("a read").as_ref(), Some(&claimed));

    // Who lost does not end it either.
    let late = Change::update(row.finished(denied(), minutes(3)));
    assert_eq!(refusal(store, late).await, Refusal::Conflict);
    let pace = PollPace { interval: claimed.interval * 2, next_poll_at: minutes(4) };
    let slower = claimed.pending(pace);
    update(store, slower.clone()).await;
    let kept = store.device_flow(slower.id).await.expect("a read");
    assert_eq!(kept, Some(DeviceFlow { version: slower.version.next(), ..slower }));
}

/// Polls of one provider that began then or later, and have not ended.
pub async fn polls_under_way_are_counted(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let second = provider(&tenant.organization);
    insert(store, second.clone()).await;
    let provider = tenant.provider.id;
    let count = async |since| store.polls_under_way(provider, since).await.expect("a read");
    assert_eq!(count(START).await, 0);
    let polled = tenant.device_flow().polling(minutes(1));
    let over = tenant.device_flow().finished(denied(), minutes(1));
    let elsewhere = device_flow(&tenant.account, &second).polling(minutes(1));
    for row in [polled.clone(), tenant.device_flow(), over, elsewhere] {
        insert(store, row).await;
    }
    assert_eq!(count(START).await, 1);
    assert_eq!(count(minutes(1)).await, 1);
    assert_eq!(count(minutes(2)).await, 0);
    update(store, DeviceFlow { stage: DeviceStage::Pending, ..polled }).await;
    assert_eq!(count(START).await, 0);
}

/// Those that expired *before* that time, in whatever stage, and how many.
pub async fn only_expired_device_flows_are_purged(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let expiring = |at, stage| DeviceFlow { expires_at: minutes(at), stage, ..tenant.device_flow() };
    let polling = DeviceStage::Polling { since: START };
    let gone =
        [expiring(1, DeviceStage::Pending), expiring(8, polling.clone()), expiring(9, finished(denied()))];
    let kept = [expiring(10, DeviceStage::Pending), expiring(11, polling)];
    for row in gone.iter().chain(&kept) {
        insert(store, row.clone()).await;
    }
    assert_eq!(store.purge_device_flows(minutes(10)).await.expect("a purge"), 3);
    for row in gone {
        assert_eq!(store.device_flow(row.id).await.expect("a read"), None);
    }
    for row in kept {
        assert_eq!(store.device_flow(row.id).await.expect("a read"), Some(row));
    }
    assert_eq!(store.purge_device_flows(minutes(10)).await.expect("a purge"), 0);
}
