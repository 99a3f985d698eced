//! What is looked up by those who ask at the same time, and so is read for together.

use std::pin::pin;

use futures_util::future::join_all;
use futures_util::poll;
use grantkeeper_domain::accounts::{Account, ApiTokenStore as _, Organization};
use grantkeeper_domain::authorizations::{Authorization, AuthorizationStore as _};
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::providers::{Provider, ProviderStatus};
use grantkeeper_domain::{Change, StoreError, UnitOfWork as _};
use grantkeeper_store_diesel::{DieselStore, OpenOptions};
use grantkeeper_testkit::entities::{
    FRESH, START, account, api_token, authorization, hash, organization, provider,
};

use crate::database::Place;
use crate::postgres::database;

/// How many ask at once: more than are read for together.
const MANY: usize = 200;

struct Tenant {
    organization: Organization,
    account: Account,
    provider: Provider,
    authorizations: Vec<Authorization>,
}

impl Tenant {
    async fn settle(store: &DieselStore) -> Self {
        let organization = organization();
        let (account, provider) = (account(&organization), provider(&organization));
        let authorizations: Vec<_> = (0..MANY).map(|_| authorization(&account, &provider)).collect();
        let mut changes = vec![
            Change::insert(organization.clone()),
            Change::insert(account.clone()),
            Change::insert(provider.clone()),
        ];
        changes.extend(authorizations.iter().cloned().map(Change::insert));
        store.commit(changes).await.unwrap();
        Self { organization, account, provider, authorizations }
    }
}

async fn everybody_gets_their_own(store: &DieselStore) {
    let (tenant, stranger) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let asking = tenant.authorizations.iter().map(async |expected| {
        let unknown = AuthorizationId::generate(&FRESH, START);
        let (known, unknown, foreign) = tokio::join!(
            store.authorization(tenant.organization.id, expected.id),
            store.authorization(tenant.organization.id, unknown),
            store.authorization(stranger.organization.id, expected.id),
        );
        assert_eq!(known.unwrap(), Some((expected.clone(), tenant.provider.clone().into())));
        assert_eq!([unknown.unwrap(), foreign.unwrap()], [None, None]);
    });
    join_all(asking).await;
}

async fn every_token_is_its_own_accounts(store: &DieselStore) {
    let tenant = Tenant::settle(store).await;
    let tokens: Vec<_> = (0..MANY).map(|_| api_token(&tenant.account)).collect();
    store.commit(tokens.iter().cloned().map(Change::insert).collect()).await.unwrap();
    let asking = tokens.iter().map(async |expected| {
        let unknown = hash();
        let (known, unknown) =
            tokio::join!(store.token_by_hash(&expected.hash), store.token_by_hash(&unknown));
        assert_eq!(known.unwrap(), Some((expected.clone(), tenant.account.clone())));
        assert_eq!(unknown.unwrap(), None);
    });
    join_all(asking).await;
}

#[tokio::test]
async fn many_who_ask_sqlite_at_once_get_their_own() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    everybody_gets_their_own(&store).await;
    every_token_is_its_own_accounts(&store).await;
}

#[tokio::test]
async fn many_who_ask_postgresql_at_once_get_their_own() {
    let database = database();
    let store = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    everybody_gets_their_own(&store).await;
    every_token_is_its_own_accounts(&store).await;
}

#[tokio::test]
async fn a_store_closes_though_a_read_is_under_way_that_nobody_waits_for() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    let tenant = Tenant::settle(&store).await;
    let id = tenant.authorizations[0].id;
    {
        let mut asking = pin!(store.authorization(tenant.organization.id, id));
        assert!(poll!(&mut asking).is_pending());
        // The read begins.
        tokio::task::yield_now().await;
    }
    drop(store);
    let store = place.open().await.unwrap();
    assert!(store.authorization(tenant.organization.id, id).await.unwrap().is_some());
}

/// The one among many that cannot be read is named to whoever asks for it, and to nobody else.
async fn one_is_unreadable(store: &DieselStore, tenant: &Tenant) {
    let (unreadable, others) = tenant.authorizations.split_first().unwrap();
    let asking = others.iter().map(async |expected| {
        let (other, refused) = tokio::join!(
            store.authorization(tenant.organization.id, expected.id),
            store.authorization(tenant.organization.id, unreadable.id),
        );
        assert_eq!(other.unwrap().map(|(found, _)| found).as_ref(), Some(expected));
        let Err(StoreError::Unexpected(cause)) = refused else { panic!("{refused:?}") };
        assert_eq!(cause.to_string(), "cannot read what authorizations.user_info holds");
    });
    join_all(asking).await;
}

#[tokio::test]
async fn a_row_that_sqlite_keeps_and_nobody_can_read_costs_those_who_ask_for_it() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    let tenant = Tenant::settle(&store).await;
    let id = tenant.authorizations[0].id.as_uuid().simple();
    diesel::connection::SimpleConnection::batch_execute(
        &mut place.stranger(),
        &format!("UPDATE authorizations SET user_info = '[]' WHERE id = x'{id}'"),
    )
    .unwrap();
    one_is_unreadable(&store, &tenant).await;
}

#[tokio::test]
async fn a_row_that_postgresql_keeps_and_nobody_can_read_costs_those_who_ask_for_it() {
    let database = database();
    let store = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    let tenant = Tenant::settle(&store).await;
    let id = tenant.authorizations[0].id;
    database.sql(&format!("UPDATE authorizations SET user_info = '[]' WHERE id = '{id}'"));
    one_is_unreadable(&store, &tenant).await;
}

#[tokio::test]
async fn what_another_replica_made_of_a_provider_is_seen_at_once() {
    let database = database();
    let here = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    let elsewhere = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    let mut tenant = Tenant::settle(&elsewhere).await;
    for status in [ProviderStatus::Inactive, ProviderStatus::Disabled, ProviderStatus::Active] {
        let changed = Provider { status, name: status.as_str().to_owned(), ..tenant.provider };
        elsewhere.commit(vec![Change::update(changed.clone())]).await.unwrap();
        tenant.provider = Provider { version: changed.version.next(), ..changed };
        for row in &tenant.authorizations[..2] {
            let found = here.authorization(tenant.organization.id, row.id).await.unwrap();
            assert_eq!(found, Some((row.clone(), tenant.provider.clone().into())));
        }
    }
}
