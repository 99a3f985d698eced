//! Rules of authorizations.

use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::authorizations::{Authorization, GrantState, Scopes, UserInfo};
use grantkeeper_domain::ids::{AuthorizationId, CredentialId};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::{Change, Store};

use super::tenant::{
    Tenant, UNICODE, commit, expect_states, insert, long_secret, minutes, of_mixed_age, update,
};
use crate::entities::{FRESH, START, account, authorization, provider};

/// Every field of an authorization is kept, tokens of 8 KiB and whatever the provider says of the user too.
pub async fn authorizations_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let states = |base: Authorization| {
        [
            base.clone(),
            Authorization { access_token: long_secret(), refresh_token: Some(long_secret()), ..base.clone() },
            Authorization { refresh_token: None, expires_at: None, ..base.clone() },
            Authorization { redirect_uri: None, ..base.clone() },
            Authorization { redirect_uri: Some(format!("https://caller.example/{UNICODE}")), ..base.clone() },
            Authorization { credential_id: CredentialId::generate(&FRESH, START), ..base.clone() },
            Authorization {
                refresh_token_expires_at: Some(minutes(1)),
                issued_at: minutes(2),
                ..base.clone()
            },
            Authorization {
                grant: GrantState::Dead { reason: "invalid_grant".to_owned() },
                grant_since: minutes(3),
                lost_refresh: Some(i64::MAX),
                last_failure: Some("server_error".to_owned()),
                failing_since: Some(minutes(7)),
                next_attempt_at: Some(minutes(4)),
                last_refreshed_at: Some(minutes(5)),
                ..base.clone()
            },
            Authorization {
                requested_scopes: Scopes::default(),
                granted_scopes: Scopes::parse("b a https://scope.example/c"),
                created_at: minutes(6),
                authorized_at: minutes(8),
                used_at: minutes(9),
                ..base.clone()
            },
            Authorization {
                issuer: format!("https://issuer.example/{UNICODE}"),
                subject: format!("{UNICODE} {}", base.id),
                user: known_user(),
                ..base
            },
        ]
    };
    expect_states(store, states(tenant.authorization())).await;
    expect_states(store, states(tenant.authorization()).into_iter().rev()).await;
}

fn known_user() -> UserInfo {
    let text = |text: &str| Some(text.to_owned());
    UserInfo {
        sub: "42".to_owned(),
        name: text(UNICODE),
        given_name: text("Zoë"),
        family_name: text("日本"),
        nick_name: text("zoë"),
        email: text("zoe@example.com"),
        email_verified: Some(false),
        picture: text("https://provider.example/picture.png"),
        locale: text("de-CH"),
        description: text("line\nline"),
        raw: serde_json::json!({ "id": 42, "nested": { "list": [1, 2.5, null, true] }, "text": UNICODE }),
    }
}

/// "With its provider, in one read", whatever the provider's status.
pub async fn an_authorization_comes_with_its_provider(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let deleting = Provider {
        status: grantkeeper_domain::providers::ProviderStatus::Deleting,
        slug: None,
        ..provider(&tenant.organization)
    };
    let row = authorization(&tenant.account, &deleting);
    commit(store, [Change::insert(deleting.clone()), Change::insert(row.clone())]).await;
    insert(store, tenant.authorization()).await;
    let found = store.authorization(tenant.organization.id, row.id).await.expect("a read");
    assert_eq!(found, Some((row, deleting.into())));
    let unknown = AuthorizationId::generate(&FRESH, START);
    assert_eq!(store.authorization(tenant.organization.id, unknown).await.expect("a read"), None);
}

/// For another organization it does not exist.
pub async fn an_authorization_of_another_organization_is_not_there(store: &Arc<dyn Store>) {
    let (tenant, stranger) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let row = tenant.authorization();
    insert(store, row.clone()).await;
    assert_eq!(store.authorization(stranger.organization.id, row.id).await.expect("a read"), None);
    assert_eq!(store.authorizations_of(stranger.account.id).await.expect("a read"), []);
}

/// By `created_at`, then `id`, each with its own provider, and nobody else's.
pub async fn authorizations_of_an_account_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let second = provider(&tenant.organization);
    let neighbour = account(&tenant.organization);
    let others = authorization(&neighbour, &second);
    commit(store, [Change::insert(second.clone()), Change::insert(neighbour), Change::insert(others)]).await;
    let rows = [
        tenant.authorization(),
        authorization(&tenant.account, &second),
        tenant.authorization(),
        authorization(&tenant.account, &second),
    ];
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let listed = store.authorizations_of(tenant.account.id).await.expect("a read");
    for (row, provider) in &listed {
        assert_eq!(row.provider_id, provider.id);
    }
    assert_eq!(listed.into_iter().map(|(row, _)| row.id).collect::<Vec<_>>(), oldest_first);
}

/// (account, provider, issuer, subject), compared exactly.
pub async fn an_authorization_is_found_by_its_exact_identity(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (neighbour, second) = (account(&tenant.organization), provider(&tenant.organization));
    commit(store, [Change::insert(neighbour.clone()), Change::insert(second.clone())]).await;
    let row = Authorization {
        issuer: "https://Issuer".to_owned(),
        subject: "Zoë".to_owned(),
        ..tenant.authorization()
    };
    insert(store, row.clone()).await;
    let (account, provider) = (tenant.account.id, tenant.provider.id);
    for (account, provider, issuer, subject, expected) in [
        (account, provider, "https://Issuer", "Zoë", Some(row)),
        (neighbour.id, provider, "https://Issuer", "Zoë", None),
        (account, second.id, "https://Issuer", "Zoë", None),
        (account, provider, "https://issuer", "Zoë", None),
        (account, provider, "https://Issuer", "zoë", None),
        (account, provider, "https://Issuer", "Zoe\u{308}", None),
        (account, provider, "https://Issuer", "Zoë ", None),
    ] {
        let found = store.authorization_for_identity(account, provider, issuer, subject).await;
        assert_eq!(found.expect("a read"), expected, "{issuer} {subject}");
    }
}

/// "In the order of their ids, after `after`, at most `limit`"; the row at which the last page ended may be gone.
pub async fn authorizations_at_a_provider_come_page_by_page(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let second = provider(&tenant.organization);
    let elsewhere = authorization(&tenant.account, &second);
    commit(store, [Change::insert(second), Change::insert(elsewhere)]).await;
    let rows: Vec<_> =
        (0..5).map(|age| Authorization { created_at: minutes(-age), ..tenant.authorization() }).collect();
    commit(store, rows.iter().cloned().map(Change::insert)).await;
    let mut by_id = rows;
    by_id.sort_by_key(|row| row.id);
    let provider = tenant.provider.id;
    let page = async |after, limit| store.authorizations_at(provider, after, limit).await.expect("a read");
    assert_eq!(page(None, 10).await, by_id);
    assert_eq!(page(None, 0).await, []);
    assert_eq!(page(None, 2).await, by_id[..2]);
    assert_eq!(page(Some(by_id[1].id), 2).await, by_id[2..4]);
    commit(store, [Change::delete(by_id[3].clone())]).await;
    assert_eq!(page(Some(by_id[3].id), 2).await, by_id[4..]);
    assert_eq!(page(Some(by_id[4].id), 2).await, []);
}

/// "Account and provider of the authorizations whose `authorized_at` is `since` or later, newest first, at most `limit`", of
/// whatever organization; who authorizes anew is among them anew.
pub async fn the_newest_authorizations_are_found(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let authorized = |tenant: &Tenant, at| Authorization {
        authorized_at: minutes(at),
        // The age of the row says nothing about it.
        created_at: minutes(-at),
        ..tenant.authorization()
    };
    let of = |tenant: &Tenant, at| (tenant.account.id, tenant.provider.id, minutes(at));
    let mut oldest = authorized(&tenant, 10);
    commit(store, [authorized(&other, 30), oldest.clone(), authorized(&other, 20)].map(Change::insert)).await;
    let since = async |at, limit| store.authorized_since(at, limit).await.expect("a read");
    assert_eq!(since(minutes(31), 10).await, []);
    assert_eq!(since(minutes(30), 10).await, [of(&other, 30)]);
    assert_eq!(since(minutes(10) + TimeDelta::microseconds(1), 10).await, [of(&other, 30), of(&other, 20)]);
    assert_eq!(since(minutes(10), 10).await, [of(&other, 30), of(&other, 20), of(&tenant, 10)]);
    assert_eq!(since(minutes(10), 1).await, [of(&other, 30)]);
    assert_eq!(since(minutes(10), 0).await, []);

    // A refresh changes nothing of it.
    oldest.last_refreshed_at = Some(minutes(39));
    update(store, oldest.clone()).await;
    assert_eq!(since(minutes(10), 10).await, [of(&other, 30), of(&other, 20), of(&tenant, 10)]);
    let anew = Authorization { authorized_at: minutes(40), version: oldest.version.next(), ..oldest };
    update(store, anew.clone()).await;
    assert_eq!(since(minutes(10), 10).await, [of(&tenant, 40), of(&other, 30), of(&other, 20)]);
    commit(store, [Change::delete(Authorization { version: anew.version.next(), ..anew })]).await;
    assert_eq!(since(minutes(10), 10).await, [of(&other, 30), of(&other, 20)]);
}

/// Of those that were authorized at one moment the one with the greater id comes first: a limit always cuts at the same place.
pub async fn authorizations_of_one_moment_come_by_their_ids(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut rows = Vec::new();
    for _ in 0..4 {
        let account = account(&tenant.organization);
        let row = authorization(&account, &tenant.provider);
        commit(store, [Change::insert(account), Change::insert(row.clone())]).await;
        rows.push((row.id, (row.account_id, row.provider_id, row.authorized_at)));
    }
    rows.sort_unstable_by(|one, other| other.cmp(one));
    let expected: Vec<_> = rows.into_iter().map(|(_, news)| news).collect();
    assert_eq!(store.authorized_since(START, 10).await.expect("a read"), expected);
    assert_eq!(store.authorized_since(START, 3).await.expect("a read"), expected[..3]);
}
