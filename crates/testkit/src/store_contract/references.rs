//! Rules of rows that refer to others.

use std::sync::Arc;

use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::ids::ApiTokenId;
use grantkeeper_domain::login::{Login, LoginIdentity, LoginStage};
use grantkeeper_domain::revocations::Revocation;
use grantkeeper_domain::{Change, Row, Store};

use super::tenant::{Refusal, Tenant, commit, insert, refusal, refusal_of_all, stored};
use crate::entities::{
    FRESH, START, account, api_token, authorization, browser_login, device_flow, device_login, flow, job,
    login, login_identity, organization, provider, revocation,
};

async fn expect_strays_refused(store: &Arc<dyn Store>, strays: impl IntoIterator<Item = Row>) {
    for row in strays {
        assert_eq!(refusal(store, Change::Insert(row.clone())).await, Refusal::Unexpected, "{row:?}");
        assert_eq!(stored(store, &row).await, None);
    }
}

/// Everything belongs to an organization that is there, but for receipts, which outlive theirs.
pub async fn a_row_of_an_unknown_organization_is_refused(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let nowhere = organization();
    let nobody = account(&nowhere);
    let nothing = authorization(&nobody, &provider(&nowhere));
    let strays: [Row; 5] = [
        nobody.clone().into(),
        provider(&nowhere).into(),
        job(&nobody).into(),
        Login { organization_id: nowhere.id, ..tenant.login() }.into(),
        LoginIdentity { organization_id: nowhere.id, ..tenant.login_identity() }.into(),
    ];
    expect_strays_refused(store, strays).await;
    insert(store, revocation(&nothing)).await;
}

/// A login that was granted to an account, and one whose token was released.
fn logins_of(account: &Account, tenant: &Tenant) -> [Login; 2] {
    let (account_id, token_id) = (account.id, ApiTokenId::generate(&FRESH, START));
    let stages =
        [LoginStage::Granted { account_id }, LoginStage::Released { account_id, token_id, at: START }];
    stages.map(|stage| Login { stage, ..tenant.login() })
}

/// Tokens, authorizations, flows of either kind and whoever signs in belong to an account that is there; a login does once it
/// is settled whose it is.
pub async fn a_row_of_an_unknown_account_is_refused(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let nobody = account(&tenant.organization);
    let [granted, released] = logins_of(&nobody, &tenant);
    let strays: [Row; 7] = [
        api_token(&nobody).into(),
        authorization(&nobody, &tenant.provider).into(),
        flow(&nobody, &tenant.provider).into(),
        device_flow(&nobody, &tenant.provider).into(),
        granted.clone().into(),
        released.into(),
        login_identity(&nobody).into(),
    ];
    expect_strays_refused(store, strays).await;
    let pending = Login { stage: LoginStage::Pending, ..granted.clone() };
    insert(store, pending.clone()).await;
    assert_eq!(refusal(store, Change::update(granted)).await, Refusal::Unexpected);
    assert_eq!(stored(store, &pending.clone().into()).await, Some(pending.into()));
}

/// Authorizations, flows of either kind and logins are at a provider that is there.
pub async fn a_row_at_an_unknown_provider_is_refused(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let nowhere = provider(&tenant.organization);
    let strays: [Row; 4] = [
        authorization(&tenant.account, &nowhere).into(),
        flow(&tenant.account, &nowhere).into(),
        device_flow(&tenant.account, &nowhere).into(),
        login(&nowhere).into(),
    ];
    expect_strays_refused(store, strays).await;
}

/// No authorization loses its provider.
pub async fn a_provider_with_authorizations_stays(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (flow, device_flow, login) = (tenant.flow(), tenant.device_flow(), tenant.login());
    insert(store, tenant.authorization()).await;
    insert(store, flow.clone()).await;
    insert(store, device_flow.clone()).await;
    insert(store, login.clone()).await;
    let delete = Change::delete(tenant.provider.clone());
    assert_eq!(refusal(store, delete).await, Refusal::Unexpected);
    for row in [Row::from(tenant.provider), flow.into(), device_flow.into(), login.into()] {
        assert_eq!(stored(store, &row).await.as_ref(), Some(&row));
    }
}

/// No account loses its organization.
pub async fn an_organization_with_accounts_stays(store: &Arc<dyn Store>) {
    let organization = organization();
    commit(store, [Change::insert(organization.clone()), Change::insert(account(&organization))]).await;
    assert_eq!(refusal(store, Change::delete(organization.clone())).await, Refusal::Unexpected);
    assert_eq!(stored(store, &organization.clone().into()).await, Some(organization.into()));
}

/// No token, authorization, flow of either kind, login or identity loses its account.
pub async fn an_account_with_tokens_authorizations_flows_or_logins_stays(store: &Arc<dyn Store>) {
    for part in 0..7 {
        let tenant = Tenant::settle(store).await;
        let [granted, released] = logins_of(&tenant.account, &tenant);
        let child: Row = match part {
            0 => tenant.api_token().into(),
            1 => tenant.authorization().into(),
            2 => tenant.flow().into(),
            3 => tenant.device_flow().into(),
            4 => granted.into(),
            5 => released.into(),
            _ => tenant.login_identity().into(),
        };
        insert(store, child).await;
        assert_eq!(refusal(store, Change::delete(tenant.account.clone())).await, Refusal::Unexpected);
        assert_eq!(stored(store, &tenant.account.clone().into()).await, Some(tenant.account.into()));
    }
}

/// Its authorizations are deleted in the same commit, before it; its flows of either kind go by themselves, and only its own.
pub async fn a_provider_goes_together_with_its_authorizations_and_flows(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let second = provider(&tenant.organization);
    let (flow, other_flow) = (tenant.flow(), flow(&tenant.account, &second));
    let (device, other_device) = (tenant.device_flow(), device_flow(&tenant.account, &second));
    let (row, other) = (tenant.authorization(), authorization(&tenant.account, &second));
    let gone: [Row; 4] =
        [tenant.provider.clone().into(), row.clone().into(), flow.clone().into(), device.clone().into()];
    let kept: [Row; 4] = [second.into(), other.into(), other_flow.into(), other_device.into()];
    commit(store, kept.iter().cloned().map(Change::Insert)).await;
    commit(store, [Change::insert(row.clone()), Change::insert(flow), Change::insert(device)]).await;
    let delete = vec![Change::delete(row), Change::delete(tenant.provider)];
    let stray = Change::insert(account(&organization()));
    assert_eq!(refusal_of_all(store, [&delete[..], &[stray]].concat()).await, Refusal::Unexpected);
    for row in gone.iter().chain(&kept) {
        assert_eq!(stored(store, row).await.as_ref(), Some(row));
    }
    commit(store, delete).await;
    for row in &gone {
        assert_eq!(stored(store, row).await, None);
    }
    for row in &kept {
        assert_eq!(stored(store, row).await.as_ref(), Some(row));
    }
}

/// Those under way, in whatever way, and those that are over; and only its own. Who has signed in there stays known.
pub async fn a_provider_goes_together_with_its_logins(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let second = provider(&tenant.organization);
    insert(store, second.clone()).await;
    let [granted, released] = logins_of(&tenant.account, &tenant);
    let under_way =
        [tenant.login(), browser_login(&tenant.provider), device_login(&tenant.provider), granted, released];
    let gone = under_way.map(Row::from);
    let kept: [Row; 2] = [login(&second).into(), tenant.login_identity().into()];
    commit(store, gone.iter().chain(&kept).cloned().map(Change::Insert)).await;
    commit(store, [Change::delete(tenant.provider)]).await;
    for row in &gone {
        assert_eq!(stored(store, row).await, None);
    }
    for row in &kept {
        assert_eq!(stored(store, row).await.as_ref(), Some(row));
    }
}

/// It is the receipt: provider, authorization, account and organization may be gone.
pub async fn a_revocation_outlives_what_it_is_about(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.authorization();
    let receipt: Revocation = revocation(&row);
    insert(store, row.clone()).await;
    commit(store, [Change::delete(row), Change::insert(receipt.clone())]).await;
    let all = [
        Change::delete(tenant.provider),
        Change::delete(tenant.account),
        Change::delete(tenant.organization),
    ];
    commit(store, all).await;
    assert_eq!(store.revocations_of(receipt.provider_id).await.expect("a read"), [receipt]);
}
