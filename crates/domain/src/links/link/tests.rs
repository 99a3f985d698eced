use chrono::TimeDelta;

use super::*;
use crate::authorizations::MockAuthorizationStore;
use crate::fixtures::{START, authorization, caller, provider, unavailable};
use crate::links::fixtures::{later, link, provider_no};
use crate::providers::ProviderStatus;

fn holding(rows: Vec<(Authorization, Provider)>) -> MockAuthorizationStore {
    let mut store = MockAuthorizationStore::new();
    store
        .expect_authorizations_of()
        .withf(|account| *account == caller().account_id)
        .returning(move |_| Ok(rows.clone()));
    store
}

async fn found(rows: Vec<(Authorization, Provider)>) -> Option<AuthorizationId> {
    let link = Link::at(provider().id, &caller(), &holding(rows)).await.unwrap();
    link.map(|link| link.authorization.id)
}

#[tokio::test]
async fn one_link_per_user_and_provider_the_newest_authorization_is_the_link() {
    let old = link(&provider(), "old");
    let new = later(&old, 1, "somebody else", "new");
    for rows in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
        let rows = rows.into_iter().map(|row| (row, provider())).collect();
        assert_eq!(found(rows).await, Some(new.id));
    }
    // Whoever authorizes the first account again means that one.
    let again = Authorization { authorized_at: new.authorized_at + TimeDelta::seconds(1), ..old };
    assert_eq!(found(vec![(again.clone(), provider()), (new.clone(), provider())]).await, Some(again.id));
    // In one microsecond: the same one each time.
    let twin = Authorization { authorized_at: again.authorized_at, ..new };
    let both = [(again, provider()), (twin.clone(), provider())];
    assert_eq!(found(both.to_vec()).await, Some(twin.id));
    assert_eq!(found(both.into_iter().rev().collect()).await, Some(twin.id));
}

#[tokio::test]
async fn links_of_removed_providers_are_gone() {
    for (status, is_there) in [
        (ProviderStatus::Active, true),
        (ProviderStatus::Inactive, true),
        (ProviderStatus::Disabled, true),
        (ProviderStatus::DeletionFailed, true),
        (ProviderStatus::Deleting, false),
    ] {
        let rows = vec![(authorization(), Provider { status, ..provider() })];
        assert_eq!(found(rows).await.is_some(), is_there, "{status:?}");
    }
}

#[tokio::test]
async fn each_provider_has_its_own_link() {
    let rows: Vec<_> = (0..3).map(provider_no).map(|at| (link(&at, "token"), at)).collect();
    let all = Link::all_of(&caller(), &holding(rows.clone())).await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|(id, link)| *id == link.provider.id && *id == link.authorization.provider_id));
    assert_eq!(found(rows).await, None);
}

#[tokio::test]
async fn a_store_that_is_away_is_not_an_empty_one() {
    let mut away = MockAuthorizationStore::new();
    away.expect_authorizations_of().returning(|_| Err(unavailable()));
    let found = Link::at(provider().id, &caller(), &away).await;
    assert!(matches!(found, Err(StoreError::Unavailable(_))));
}

#[test]
fn a_link_changes_when_it_is_authorized_or_refreshed_whichever_is_later() {
    let at = |seconds| START + TimeDelta::seconds(seconds);
    for (authorized, refreshed, updated) in [(5, None, 5), (5, Some(9), 9), (9, Some(5), 9)] {
        let row = Authorization {
            authorized_at: at(authorized),
            last_refreshed_at: refreshed.map(at),
            ..authorization()
        };
        let link = Link { authorization: Arc::new(row), provider: Arc::new(provider()) };
        assert_eq!(link.updated_at(), at(updated));
    }
}
