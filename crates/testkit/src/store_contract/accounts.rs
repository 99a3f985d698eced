//! Rules of organizations and accounts.

use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::{Account, Email, Organization, OrganizationName, Role, Standing};
use grantkeeper_domain::authorizations::{RedirectAllowList, RedirectUri};

use super::tenant::{Tenant, UNICODE, expect_states, insert, minutes, of_mixed_age};
use crate::entities::{account, organization};

/// A store that was just made is reachable and has its schema.
pub async fn a_store_is_ready(store: &Arc<dyn Store>) {
    store.check().await.expect("the store is ready");
}

/// Every field of an organization is kept, the order of its redirect URIs too.
pub async fn organizations_come_back_whole(store: &Arc<dyn Store>) {
    let uris = ["https://b.example/cb", "http://127.0.0.1:8099/x", "https://a.example/"];
    let uris = uris.map(|uri| RedirectUri::parse(uri).expect("a redirect URI"));
    let states = |base: Organization| {
        [
            base.clone(),
            Organization { redirect_uris: RedirectAllowList::new(uris.to_vec()), ..base.clone() },
            Organization { name: name(&format!("{UNICODE} {}", base.id)), ..base.clone() },
            Organization { standing: Standing::Deleting, ..base.clone() },
            Organization { created_at: minutes(-1_000_000), ..base },
        ]
    };
    expect_states(store, states(organization())).await;
    expect_states(store, states(organization()).into_iter().rev()).await;
}

/// "Compared exactly": no folding of case, no normalization.
pub async fn an_organization_is_found_by_its_exact_name(store: &Arc<dyn Store>) {
    let plain = organization();
    let text = format!("Zoë {}", plain.id);
    let composed = Organization { name: name(&text), ..plain.clone() };
    let decomposed = Organization { name: name(&text.replace('ë', "e\u{308}")), ..organization() };
    let folded = Organization { name: name(&text.to_uppercase()), ..organization() };
    for row in [&composed, &decomposed] {
        insert(store, row.clone()).await;
    }
    for (name, expected) in
        [(&composed, Some(composed.clone())), (&decomposed, Some(decomposed.clone())), (&folded, None)]
    {
        assert_eq!(store.organization_named(name.name.as_str()).await.expect("a read"), expected);
    }
    insert(store, folded.clone()).await;
    assert_eq!(store.organization_named(folded.name.as_str()).await.expect("a read"), Some(folded));
}

/// By `created_at`, then `id`.
pub async fn organizations_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let rows = [organization(), organization(), organization(), organization()];
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let listed = store.organizations().await.expect("a read");
    let ours: Vec<_> = listed.into_iter().map(|row| row.id).filter(|id| oldest_first.contains(id)).collect();
    assert_eq!(ours, oldest_first);
}

/// Every field of an account is kept.
pub async fn accounts_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let states = |base: Account| {
        let odd = format!("O'Zoë+{}@EXAMPLE.com", base.id);
        [
            base.clone(),
            Account { role: Role::Admin, ..base.clone() },
            Account { email: Email::parse(&odd).expect("an address"), ..base.clone() },
            Account { standing: Standing::Deleting, ..base.clone() },
            Account { suspended_at: Some(minutes(3)), ..base.clone() },
            Account { created_at: minutes(7), ..base },
        ]
    };
    expect_states(store, states(account(&tenant.organization))).await;
    expect_states(store, states(account(&tenant.organization)).into_iter().rev()).await;
}

/// In whatever organization, by the address as it was stored.
pub async fn accounts_are_found_by_their_exact_email_oldest_first(store: &Arc<dyn Store>) {
    let tenants = [
        Tenant::settle(store).await,
        Tenant::settle(store).await,
        Tenant::settle(store).await,
        Tenant::settle(store).await,
    ];
    let email = Email::parse(&format!("Ada.{}@example.com", tenants[0].organization.id)).expect("an address");
    let rows =
        tenants.each_ref().map(|tenant| Account { email: email.clone(), ..account(&tenant.organization) });
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let found = store.accounts_with_email(email.as_str()).await.expect("a read");
    assert_eq!(found.into_iter().map(|row| row.id).collect::<Vec<_>>(), oldest_first);
    let folded = store.accounts_with_email(&email.as_str().to_lowercase()).await.expect("a read");
    assert_eq!(folded, []);
}

/// By `created_at`, then `id`; another organization's are not among them.
pub async fn accounts_of_an_organization_are_listed_oldest_first(store: &Arc<dyn Store>) {
    Tenant::settle(store).await;
    let organization = organization();
    insert(store, organization.clone()).await;
    assert_eq!(store.accounts_in(organization.id).await.expect("a read"), []);
    let rows = [(); 4].map(|()| account(&organization));
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let listed = store.accounts_in(organization.id).await.expect("a read");
    assert_eq!(listed.into_iter().map(|row| row.id).collect::<Vec<_>>(), oldest_first);
}

fn name(text: &str) -> OrganizationName {
    OrganizationName::parse(text).expect("a name")
}
