//! Rules of what deleting accounts and organizations takes.

use std::sync::Arc;

use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::authorizations::{DeviceFlow, DeviceStage, Flow, FlowOutcome, FlowStage};
use grantkeeper_domain::ids::ApiTokenId;
use grantkeeper_domain::login::{Login, LoginStage};
use grantkeeper_domain::{Change, Row, Store};

use super::tenant::{Tenant, commit, insert, minutes, stored};
use crate::entities::{
    FRESH, START, account, api_token, authorization, code_in_use, data_key, device_flow, flow,
    login_identity, provider,
};

/// "At most `limit` authorizations of an account with their providers, whichever."
pub async fn some_authorizations_of_an_account_come_with_their_providers(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (second, colleague) = (provider(&tenant.organization), account(&tenant.organization));
    insert(store, second.clone()).await;
    insert(store, colleague.clone()).await;
    let rows = [
        (tenant.authorization(), tenant.provider.clone()),
        (tenant.authorization(), tenant.provider.clone()),
        (authorization(&tenant.account, &second), second),
    ];
    for (row, _) in &rows {
        insert(store, row.clone()).await;
    }
    insert(store, authorization(&colleague, &tenant.provider)).await;
    for (limit, count) in [(0, 0), (2, 2), (3, 3), (9, 3)] {
        let found = store.some_authorizations_of(tenant.account.id, limit).await.expect("a read");
        assert_eq!(found.len(), count, "{limit}");
        assert!(found.iter().all(|pair| rows.contains(pair)), "{found:?}");
    }
    let mut found = store.some_authorizations_of(tenant.account.id, 9).await.expect("a read");
    found.dedup_by_key(|(row, _)| row.id);
    assert_eq!(found.len(), 3);
}

/// Codes that are being redeemed and device flows that are being polled, together; those that began then or later.
pub async fn exchanges_of_an_account_are_counted(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let colleague = account(&tenant.organization);
    insert(store, colleague.clone()).await;
    let exchanging = |at| FlowStage::Exchanging(code_in_use(minutes(at)));
    let polling = |at| DeviceStage::Polling { since: minutes(at) };
    let outcome = FlowOutcome::Refused("x".to_owned());
    let rows: [Row; 8] = [
        Flow { stage: exchanging(1), ..tenant.flow() }.into(),
        Flow { stage: exchanging(3), ..tenant.flow() }.into(),
        Flow { stage: exchanging(3), ..tenant.flow() }.finished(outcome, minutes(4)).into(),
        Flow { stage: exchanging(3), ..flow(&colleague, &tenant.provider) }.into(),
        tenant.flow().into(),
        DeviceFlow { stage: polling(2), ..tenant.device_flow() }.into(),
        DeviceFlow { stage: polling(3), ..device_flow(&colleague, &tenant.provider) }.into(),
        tenant.device_flow().into(),
    ];
    commit(store, rows.map(Change::Insert)).await;
    for (since, count) in [(0, 3), (1, 3), (2, 2), (3, 1), (4, 0)] {
        let counted = store.exchanges_of(tenant.account.id, minutes(since)).await.expect("a read");
        assert_eq!(counted, count, "{since}");
    }
}

/// Its flows of either kind, its logins and who signs in as it, its API tokens and sessions. Its authorizations stay, and all
/// that is another's or nobody's yet.
pub async fn what_belongs_to_an_account_goes_and_nothing_else(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let colleague = account(&tenant.organization);
    insert(store, colleague.clone()).await;
    let granted =
        |account: &Account| Login { stage: LoginStage::Granted { account_id: account.id }, ..tenant.login() };
    let token_id = ApiTokenId::generate(&FRESH, START);
    let released = LoginStage::Released { account_id: tenant.account.id, token_id, at: START };
    let gone: [Row; 7] = [
        tenant.flow().into(),
        tenant.device_flow().into(),
        granted(&tenant.account).into(),
        Login { stage: released, ..tenant.login() }.into(),
        tenant.login_identity().into(),
        tenant.api_token().into(),
        tenant.api_token().into(),
    ];
    let kept: [Row; 9] = [
        tenant.authorization().into(),
        tenant.job().into(),
        tenant.revocation().into(),
        flow(&colleague, &tenant.provider).into(),
        device_flow(&colleague, &tenant.provider).into(),
        tenant.login().into(),
        granted(&colleague).into(),
        login_identity(&colleague).into(),
        api_token(&colleague).into(),
    ];
    commit(store, gone.iter().chain(&kept).cloned().map(Change::Insert)).await;
    assert_eq!(store.remove_belongings(tenant.account.id).await.expect("a removal"), 7);
    for row in &gone {
        assert_eq!(stored(store, row).await, None);
    }
    for row in &kept {
        assert_eq!(stored(store, row).await.as_ref(), Some(row));
    }
    assert_eq!(store.remove_belongings(tenant.account.id).await.expect("a removal"), 0);
}

/// Its jobs and its data keys; another organization keeps its own, and receipts stay.
pub async fn the_remains_of_an_organization_go_and_nothing_else(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let (job, others_job, receipt) = (tenant.job(), other.job(), tenant.revocation());
    commit(
        store,
        [
            Change::insert(job.clone()),
            Change::insert(tenant.job()),
            Change::insert(others_job.clone()),
            Change::insert(receipt.clone()),
        ],
    )
    .await;
    let key = store.add_first_data_key(data_key(&tenant.organization)).await.expect("a key");
    let others_key = store.add_first_data_key(data_key(&other.organization)).await.expect("a key");
    assert_eq!(store.remove_remains(tenant.organization.id).await.expect("a removal"), 3);
    assert_eq!(stored(store, &job.into()).await, None);
    assert_eq!(store.data_key(key.id).await.expect("a read"), None);
    assert_eq!(store.newest_data_key(tenant.organization.id).await.expect("a read"), None);
    assert_eq!(stored(store, &others_job.clone().into()).await, Some(others_job.into()));
    assert_eq!(store.data_key(others_key.id).await.expect("a read"), Some(others_key));
    assert_eq!(stored(store, &receipt.clone().into()).await, Some(receipt.into()));
    assert_eq!(store.remove_remains(tenant.organization.id).await.expect("a removal"), 0);
}

/// When its accounts and providers are gone too, nothing keeps it.
pub async fn an_organization_goes_after_its_remains(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let receipt =
        tenant.revocation().finished(grantkeeper_domain::revocations::RevocationStatus::Revoked, None, START);
    commit(store, [Change::insert(tenant.job()), Change::insert(receipt.clone())]).await;
    store.add_first_data_key(data_key(&tenant.organization)).await.expect("a key");
    store.remove_remains(tenant.organization.id).await.expect("a removal");
    let all = [
        Change::delete(tenant.account),
        Change::delete(tenant.provider),
        Change::delete(tenant.organization.clone()),
    ];
    commit(store, all).await;
    assert_eq!(store.organization(tenant.organization.id).await.expect("a read"), None);
    let found = store.revocation(receipt.organization_id, receipt.id).await.expect("a read");
    assert_eq!(found, Some(receipt));
}
