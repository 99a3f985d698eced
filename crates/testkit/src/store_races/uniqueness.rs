//! Races for what there may be only one of.

use std::sync::Arc;

use grantkeeper_domain::accounts::{Account, ApiToken, Organization};
use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::login::{Login, LoginIdentity};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::{Change, Row, Store, Unique, Version};

use super::arena::{RIVALS, ROUNDS, expect_one_winner, race, race_commits};
use crate::entities::{account, data_key, organization, provider, sealed};
use crate::store_contract::tenant::{Refusal, Tenant, insert};

/// Of those who want the same name, address, token, slug, identity or handle one gets it.
pub async fn one_of_many_inserts_a_unique_value(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let (one, same_account, same_token) =
            (organization(), account(&tenant.organization), tenant.api_token());
        let (same_provider, same_identity) = (provider(&tenant.organization), tenant.authorization());
        let contest = async |rule, make: &dyn Fn() -> Row| {
            let results = race_commits(store, |_| vec![Change::Insert(make())]).await;
            expect_one_winner(&results, Refusal::Duplicate(rule));
        };
        contest(Unique::OrganizationName, &|| {
            Organization { name: one.name.clone(), ..organization() }.into()
        })
        .await;
        contest(Unique::AccountEmail, &|| {
            Account { email: same_account.email.clone(), ..account(&tenant.organization) }.into()
        })
        .await;
        contest(Unique::TokenHash, &|| {
            ApiToken { hash: same_token.hash.clone(), ..tenant.api_token() }.into()
        })
        .await;
        contest(Unique::ProviderSlug, &|| {
            Provider { slug: same_provider.slug.clone(), ..provider(&tenant.organization) }.into()
        })
        .await;
        contest(Unique::Identity, &|| {
            Authorization { subject: same_identity.subject.clone(), ..tenant.authorization() }.into()
        })
        .await;
        let (same_login, same_person) = (tenant.login(), tenant.login_identity());
        contest(Unique::LoginHandle, &|| Login { route: same_login.route.clone(), ..tenant.login() }.into())
            .await;
        contest(Unique::LoginIdentity, &|| {
            LoginIdentity { subject: same_person.subject.clone(), ..tenant.login_identity() }.into()
        })
        .await;
        let same_job = tenant.job();
        contest(Unique::Id, &|| same_job.clone().into()).await;
    }
}

/// A slug goes from one provider to one other, whoever tries.
pub async fn one_of_many_frees_and_takes_a_slug(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut owner = tenant.provider.clone();
    for _ in 0..ROUNDS {
        let heirs: Vec<_> = (0..RIVALS)
            .map(|_| Provider { slug: owner.slug.clone(), ..provider(&tenant.organization) })
            .collect();
        let results = race_commits(store, |rival| {
            vec![
                Change::update(Provider { slug: None, ..owner.clone() }),
                Change::insert(heirs[rival].clone()),
            ]
        })
        .await;
        expect_one_winner(&results, Refusal::Conflict);
        let winner = results.iter().position(Result::is_ok).expect("there is a winner");
        owner = Provider { version: Version::FIRST, ..heirs[winner].clone() };
    }
    let providers = store.providers(tenant.organization.id).await.expect("a read");
    assert_eq!(providers.len(), ROUNDS + 1);
    assert_eq!(providers.into_iter().filter(|row| row.slug.is_some()).collect::<Vec<_>>(), [owner]);
}

/// "Of two that are added at once one stays, and both calls return that one."
pub async fn many_first_data_keys_are_one(store: &Arc<dyn Store>) {
    for _ in 0..ROUNDS {
        let organization = organization();
        insert(store, organization.clone()).await;
        let results = race(store, |store, _| {
            let key = data_key(&organization);
            async move { store.add_first_data_key(key).await.expect("a write") }
        })
        .await;
        let kept = store.newest_data_key(organization.id).await.expect("a read").expect("a key");
        assert!(results.iter().all(|key| *key == kept));
    }
}

/// The same for the canary, of which there is one.
pub async fn many_canaries_are_one(store: &Arc<dyn Store>) {
    let results: Vec<SealedSecret> = race(store, |store, rival| async move {
        store.add_canary(sealed(&format!("canary {rival}"))).await.expect("a write")
    })
    .await;
    let kept = store.canary().await.expect("a read").expect("a canary");
    assert!(results.iter().all(|canary| *canary == kept));
}
