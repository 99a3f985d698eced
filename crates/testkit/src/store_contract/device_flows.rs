//! Rules of device flows.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::authorizations::{
    DeviceFlow, DeviceStage, EXCHANGE_LIMIT, FlowOutcome, MOST_UNATTENDED, PollPace, Poller, Scopes,
};
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
            unattended: true,
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
    let (one, other) =
        (row.clone().polling(Poller::Caller, minutes(1)), row.clone().polling(Poller::Caller, minutes(2)));
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
    let polled = tenant.device_flow().polling(Poller::Caller, minutes(1));
    let over = tenant.device_flow().finished(denied(), minutes(1));
    let elsewhere = device_flow(&tenant.account, &second).polling(Poller::Caller, minutes(1));
    for row in [polled.clone(), tenant.device_flow(), over, elsewhere] {
        insert(store, row).await;
    }
    assert_eq!(count(START).await, 1);
    assert_eq!(count(minutes(1)).await, 1);
    assert_eq!(count(minutes(2)).await, 0);
    update(store, DeviceFlow { stage: DeviceStage::Pending, ..polled }).await;
    assert_eq!(count(START).await, 0);
}

/// "Device flows that are `is_unattended`": nobody has asked, or whoever asked is gone without an answer; and at no time later
/// than the codes live. Each says it for itself.
pub async fn unattended_device_flows_are_those_that_nobody_polls(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (now, overdue) = (minutes(10), minutes(9));
    let moment = TimeDelta::microseconds(1);
    let base = || DeviceFlow { next_poll_at: overdue, expires_at: now + moment, ..tenant.device_flow() };
    let polling = |since| DeviceFlow { stage: DeviceStage::Polling { since }, ..base() };
    let died = now - EXCHANGE_LIMIT;
    let rows = [
        (true, base()),
        (true, DeviceFlow { unattended: true, next_poll_at: START, ..base() }),
        (false, DeviceFlow { next_poll_at: overdue + moment, ..base() }),
        (false, DeviceFlow { expires_at: now, ..base() }),
        (true, polling(died)),
        (false, polling(died + moment)),
        (false, DeviceFlow { next_poll_at: overdue + moment, ..polling(died) }),
        (false, DeviceFlow { expires_at: now, ..polling(died) }),
        (false, DeviceFlow { stage: finished(denied()), ..base() }),
        (false, DeviceFlow { stage: finished(FlowOutcome::Unavailable("timeout".to_owned())), ..base() }),
    ];
    let mut expected = BTreeSet::new();
    for (is_unattended, row) in rows {
        // Of each account the newest are taken, and one row is the newest.
        let account = account(&tenant.organization);
        let row = DeviceFlow { account_id: account.id, ..row };
        insert(store, account).await;
        assert_eq!(row.is_unattended(overdue, now), is_unattended, "{row:?}");
        expected.extend(is_unattended.then_some(row.id));
        insert(store, row).await;
    }
    let found = store.unattended_device_flows(overdue, now, 20).await.expect("a read");
    assert!(found.iter().all(|row| row.is_unattended(overdue, now)));
    assert_eq!(found.into_iter().map(|row| row.id).collect::<BTreeSet<_>>(), expected);
}

/// "Those that are overdue for longest first, at most `limit`", of whatever organization; of those that are overdue together
/// by their ids. Who is polled makes room for others.
pub async fn unattended_device_flows_come_longest_overdue_first(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let mut rows = Vec::new();
    for (of, at) in [(&tenant, 3), (&other, 1), (&tenant, 2), (&tenant, 2), (&other, 2)] {
        // Neither the age of the row nor the end of its codes says anything about its turn.
        let (created_at, expires_at) = (minutes(-at), minutes(20 - at));
        let row = DeviceFlow { next_poll_at: minutes(at), created_at, expires_at, ..of.device_flow() };
        insert(store, row.clone()).await;
        rows.push(row);
    }
    rows.sort_by_key(|row| (row.next_poll_at, row.id));
    let found =
        async |limit| store.unattended_device_flows(minutes(3), minutes(4), limit).await.expect("a read");
    assert_eq!(found(0).await, []);
    assert_eq!(found(2).await, rows[..2]);
    assert_eq!(found(10).await, rows);
    update(store, rows[0].clone().polling(Poller::Service, minutes(4))).await;
    assert_eq!(found(2).await, rows[1..3]);
}

/// "Only the `MOST_UNATTENDED` newest count": of each account at each provider, whoever polls them, and without those that are
/// over.
pub async fn of_the_device_flows_that_an_account_has_left_the_newest_come(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (second, neighbour) = (provider(&tenant.organization), account(&tenant.organization));
    commit(store, [Change::insert(second.clone()), Change::insert(neighbour.clone())]).await;
    let begun = |at, row| DeviceFlow {
        created_at: minutes(at),
        next_poll_at: minutes(9),
        expires_at: minutes(60),
        ..row
    };
    let mine = [1, 2, 3, 4].map(|at| begun(at, tenant.device_flow()));
    let attended = DeviceFlow { next_poll_at: minutes(11), ..begun(5, tenant.device_flow()) };
    let others = [
        begun(0, device_flow(&tenant.account, &second)),
        begun(0, device_flow(&neighbour, &tenant.provider)),
    ];
    for row in mine.iter().chain([&attended]).chain(&others) {
        insert(store, row.clone()).await;
    }
    let found = async || {
        let found = store.unattended_device_flows(minutes(9), minutes(10), 20).await.expect("a read");
        found.into_iter().map(|row| row.id).collect::<BTreeSet<_>>()
    };
    let with_others =
        |mine: &[DeviceFlow]| mine.iter().chain(&others).map(|row| row.id).collect::<BTreeSet<_>>();
    assert_eq!(MOST_UNATTENDED, 3);
    assert_eq!(found().await, with_others(&mine[2..]), "and the third is attended");
    update(store, attended.finished(denied(), minutes(9))).await;
    assert_eq!(found().await, with_others(&mine[1..]));
    let same_time = begun(2, tenant.device_flow());
    insert(store, same_time.clone()).await;
    let newer = if same_time.id > mine[1].id { &same_time } else { &mine[1] };
    assert_eq!(found().await, with_others(&[newer.clone(), mine[2].clone(), mine[3].clone()]));
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
