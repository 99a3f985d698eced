//! Rules of what there may be only one of.

use std::sync::Arc;

use grantkeeper_domain::accounts::{Account, ApiToken, Organization};
use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::login::{Login, LoginIdentity};
use grantkeeper_domain::providers::{Provider, Slug};
use grantkeeper_domain::{Change, Row, Store, Unique};

use super::tenant::{Refusal, Tenant, commit, insert, refusal, stored, update};
use crate::entities::{
    account, authorization, browser_login, device_login, login, login_identity, organization, provider,
};

/// A row that would be the second of its kind is refused, be it inserted or made so by an update.
async fn expect_only_one<N: Into<Row> + Clone>(store: &Arc<dyn Store>, twin: N, harmless: N, rule: Unique) {
    let (twin, harmless) = (twin.into(), harmless.into());
    assert_eq!(refusal(store, Change::Insert(twin.clone())).await, Refusal::Duplicate(rule));
    assert_eq!(stored(store, &twin).await, None);
    insert(store, harmless.clone()).await;
    assert_eq!(refusal(store, Change::Update(twin)).await, Refusal::Duplicate(rule));
    assert_eq!(stored(store, &harmless).await.as_ref(), Some(&harmless));
    // Its own value is no other's.
    update(store, harmless).await;
}

/// Of every noun, whatever else is in the row.
pub async fn an_id_is_taken_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for row in tenant.row_of_every_noun() {
        insert(store, row.clone()).await;
        assert_eq!(refusal(store, Change::Insert(row.clone())).await, Refusal::Duplicate(Unique::Id));
        assert_eq!(stored(store, &row).await, Some(row));
    }
    let same_id = Account { id: tenant.account.id, ..account(&tenant.organization) };
    assert_eq!(refusal(store, Change::insert(same_id)).await, Refusal::Duplicate(Unique::Id));
    let same_id = Provider { id: tenant.provider.id, ..provider(&tenant.organization) };
    assert_eq!(refusal(store, Change::insert(same_id)).await, Refusal::Duplicate(Unique::Id));
}

/// In the whole installation.
pub async fn an_organization_name_is_taken_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let harmless = organization();
    let twin = Organization { name: tenant.organization.name.clone(), ..harmless.clone() };
    expect_only_one(store, twin, harmless, Unique::OrganizationName).await;
}

/// In one organization; in another the same address is another person's account.
pub async fn an_email_is_taken_once_in_an_organization(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let email = tenant.account.email.clone();
    let harmless = account(&tenant.organization);
    let twin = Account { email: email.clone(), ..harmless.clone() };
    expect_only_one(store, twin, harmless, Unique::AccountEmail).await;
    insert(store, Account { email, ..account(&other.organization) }).await;
}

/// In the whole installation, whoever's token it is.
pub async fn a_token_hash_is_taken_once(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let first = tenant.api_token();
    insert(store, first.clone()).await;
    let harmless = other.api_token();
    let twin = ApiToken { hash: first.hash, ..harmless.clone() };
    expect_only_one(store, twin, harmless, Unique::TokenHash).await;
}

/// In one organization; another may have the same, and any number have none.
pub async fn a_slug_is_taken_once_in_an_organization(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let slug = tenant.provider.slug.clone();
    let harmless = provider(&tenant.organization);
    let twin = Provider { slug: slug.clone(), ..harmless.clone() };
    expect_only_one(store, twin, harmless, Unique::ProviderSlug).await;
    insert(store, Provider { slug, ..provider(&other.organization) }).await;
    for _ in 0..2 {
        insert(store, Provider { slug: None, ..provider(&tenant.organization) }).await;
    }
}

/// By a provider that gave its slug away, that took another, or that is gone.
pub async fn a_slug_is_free_again_without_its_provider(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let slug = tenant.provider.slug.clone();
    let heir = || Provider { slug: slug.clone(), ..provider(&tenant.organization) };
    update(store, Provider { slug: None, ..tenant.provider.clone() }).await;
    let first = heir();
    insert(store, first.clone()).await;
    let renamed = Slug::parse("renamed").expect("a slug");
    update(store, Provider { slug: Some(renamed), ..first }).await;
    let second = heir();
    insert(store, second.clone()).await;
    commit(store, [Change::delete(second)]).await;
    insert(store, heir()).await;
    assert_eq!(refusal(store, Change::insert(heir())).await, Refusal::Duplicate(Unique::ProviderSlug));
}

/// (account, provider, issuer, subject) as a whole: each part alone may repeat.
pub async fn an_identity_is_authorized_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (neighbour, second) = (account(&tenant.organization), provider(&tenant.organization));
    commit(store, [Change::insert(neighbour.clone()), Change::insert(second.clone())]).await;
    let first = tenant.authorization();
    insert(store, first.clone()).await;
    let same_subject =
        |row| Authorization { subject: first.subject.clone(), issuer: first.issuer.clone(), ..row };
    let harmless = tenant.authorization();
    let twin = same_subject(harmless.clone());
    expect_only_one(store, twin, harmless, Unique::Identity).await;
    insert(store, same_subject(authorization(&neighbour, &tenant.provider))).await;
    insert(store, same_subject(authorization(&tenant.account, &second))).await;
    let other_issuer = "https://other.example".to_owned();
    insert(store, Authorization { issuer: other_issuer, ..same_subject(tenant.authorization()) }).await;
}

/// In the whole installation, whichever the route and the provider; a browser of ours asks with none.
pub async fn a_login_handle_is_taken_once(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    for first in [login(&tenant.provider), device_login(&tenant.provider)] {
        insert(store, first.clone()).await;
        let harmless = other.login();
        let twin = Login { route: first.route.clone(), ..harmless.clone() };
        expect_only_one(store, twin, harmless, Unique::LoginHandle).await;
        commit(store, [Change::delete(first.clone())]).await;
        insert(store, Login { route: first.route, ..other.login() }).await;
    }
    for _ in 0..2 {
        insert(store, browser_login(&tenant.provider)).await;
    }
}

/// (issuer, subject) in one organization; in another the same person signs in as another account. Each part alone may repeat.
pub async fn an_identity_signs_in_as_one_account_of_an_organization(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let colleague = account(&tenant.organization);
    insert(store, colleague.clone()).await;
    let first = tenant.login_identity();
    insert(store, first.clone()).await;
    let same_person =
        |row| LoginIdentity { issuer: first.issuer.clone(), subject: first.subject.clone(), ..row };
    for owner in [&tenant.account, &colleague] {
        let harmless = login_identity(owner);
        expect_only_one(store, same_person(harmless.clone()), harmless, Unique::LoginIdentity).await;
    }
    insert(store, same_person(other.login_identity())).await;
    let other_issuer = "https://other.example".to_owned();
    insert(store, LoginIdentity { issuer: other_issuer, ..same_person(tenant.login_identity()) }).await;
    // Who no longer signs in as one may as the other.
    commit(store, [Change::delete(first.clone())]).await;
    insert(store, same_person(login_identity(&colleague))).await;
}
