//! Rules of flows, except for using them up.

use std::sync::Arc;

use grantkeeper_domain::authorizations::{Flow, FlowOutcome, FlowRoute, FlowStage, Scopes};
use grantkeeper_domain::ids::{AuthorizationId, FlowId};
use grantkeeper_domain::{Change, Store};

use super::tenant::{
    Tenant, UNICODE, commit, expect_states, insert, long_secret, minutes, of_mixed_age, update,
};
use crate::entities::{FRESH, START, account, code_in_use, flow, hash, provider};

/// Every field of a flow is kept, in every stage, with every outcome, on both routes.
pub async fn flows_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let finished = |redeemed, outcome| FlowStage::Finished { redeemed, outcome, at: minutes(3) };
    let authorized = FlowOutcome::Authorized(AuthorizationId::generate(&FRESH, START));
    let every_stage = [
        FlowStage::Unconfirmed,
        FlowStage::Pending,
        FlowStage::Exchanging(code_in_use(minutes(2))),
        finished(Some(code_in_use(minutes(1))), authorized),
        finished(Some(code_in_use(minutes(1))), FlowOutcome::Unavailable("timeout".to_owned())),
        finished(None, FlowOutcome::Refused("access_denied".to_owned())),
    ];
    let states = |base: Flow| {
        let mut all: Vec<Flow> =
            every_stage.iter().map(|stage| Flow { stage: stage.clone(), ..base.clone() }).collect();
        let browser = |cookie_hash| Flow { route: FlowRoute::Browser { cookie_hash }, ..base.clone() };
        all.extend([browser(None), browser(Some(hash()))]);
        all.push(Flow { return_to: Some(format!("/connect?{UNICODE}")), ..browser(None) });
        all.push(Flow {
            state_hash: None,
            pkce_verifier: None,
            nonce: long_secret(),
            redirect_uri: format!("https://caller.example/{UNICODE}"),
            scopes: Scopes::default(),
            force_consent: false,
            endpoints: hash(),
            created_at: minutes(5),
            expires_at: minutes(6),
            ..base.clone()
        });
        all.push(Flow { pkce_verifier: Some(long_secret()), scopes: Scopes::parse("b a"), ..base });
        all
    };
    expect_states(store, states(tenant.flow())).await;
    expect_states(store, states(tenant.flow()).into_iter().rev()).await;
}

/// At its provider, and started by the account where one is given.
pub async fn a_flow_is_found_by_its_state(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (second, neighbour) = (provider(&tenant.organization), account(&tenant.organization));
    commit(store, [Change::insert(second.clone()), Change::insert(neighbour.clone())]).await;
    let (row, state) = (tenant.flow(), hash());
    let row = Flow { state_hash: Some(state.clone()), ..row };
    insert(store, row.clone()).await;
    insert(store, Flow { state_hash: None, created_at: minutes(9), ..tenant.flow() }).await;
    for (provider, state, account, expected) in [
        (tenant.provider.id, &state, None, Some(&row)),
        (tenant.provider.id, &state, Some(tenant.account.id), Some(&row)),
        (tenant.provider.id, &state, Some(neighbour.id), None),
        (second.id, &state, None, None),
        (tenant.provider.id, &hash(), None, None),
    ] {
        let found = store.flow_by_state(provider, state, account).await.expect("a read");
        assert_eq!(found.as_ref(), expected);
    }
    // A flow that is over can still be found: whoever asks again has to hear how it ended.
    let over = row.finished(FlowOutcome::Refused("access_denied".to_owned()), minutes(1));
    update(store, over.clone()).await;
    let found = store.flow_by_state(tenant.provider.id, &state, None).await.expect("a read");
    assert_eq!(found.map(|flow| flow.stage), Some(over.stage));
    assert_eq!(store.flow(FlowId::generate(&FRESH, START)).await.expect("a read"), None);
}

/// "The newest flow whose state has this hash": a caller's own states may repeat.
pub async fn the_newest_flow_of_a_state_is_found(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let neighbour = account(&tenant.organization);
    insert(store, neighbour.clone()).await;
    let state = hash();
    let with_state = |row: Flow| Flow { state_hash: Some(state.clone()), ..row };
    let rows = [tenant.flow(), tenant.flow(), tenant.flow(), tenant.flow()].map(with_state);
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let others = Flow { created_at: minutes(100), ..with_state(flow(&neighbour, &tenant.provider)) };
    insert(store, others.clone()).await;
    let provider = tenant.provider.id;
    let of_account = store.flow_by_state(provider, &state, Some(tenant.account.id)).await.expect("a read");
    assert_eq!(of_account.map(|flow| flow.id), oldest_first.last().copied());
    let of_anyone = store.flow_by_state(provider, &state, None).await.expect("a read");
    assert_eq!(of_anyone, Some(others));
}

/// Those that expired *before* that time, in whatever stage, and how many.
pub async fn only_expired_flows_are_purged(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let expiring = |at, stage| Flow { expires_at: minutes(at), stage, ..tenant.flow() };
    let exchanging = FlowStage::Exchanging(code_in_use(START));
    let gone = [
        expiring(1, FlowStage::Unconfirmed),
        expiring(8, exchanging.clone()),
        expiring(9, FlowStage::Pending),
    ];
    let kept = [expiring(10, FlowStage::Pending), expiring(11, exchanging)];
    for row in gone.iter().chain(&kept) {
        insert(store, row.clone()).await;
    }
    assert_eq!(store.purge_flows(minutes(10)).await.expect("a purge"), 3);
    for row in gone {
        assert_eq!(store.flow(row.id).await.expect("a read"), None);
    }
    for row in kept {
        assert_eq!(store.flow(row.id).await.expect("a read"), Some(row));
    }
    assert_eq!(store.purge_flows(minutes(10)).await.expect("a purge"), 0);
}
