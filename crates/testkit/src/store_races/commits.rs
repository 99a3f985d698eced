//! Races of commits for the same rows.

use std::sync::Arc;

use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::revocations::Revocation;
use grantkeeper_domain::{Change, CommitError, Store};

use super::arena::{RIVALS, ROUNDS, expect_one_winner, race, race_commits};
use crate::entities::{START, audit_entry, authorization, provider, revocation};
use crate::store_contract::tenant::{Refusal, Tenant, insert, stored};

/// Of those who read the same version one writes.
pub async fn one_of_many_updates_a_row(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut row = tenant.authorization();
    insert(store, row.clone()).await;
    for _ in 0..ROUNDS {
        let changed =
            |rival: usize| Authorization { last_failure: Some(format!("rival {rival}")), ..row.clone() };
        let results = race_commits(store, |rival| {
            vec![Change::update(changed(rival)), Change::Audit(audit_entry(&tenant.organization, START))]
        })
        .await;
        expect_one_winner(&results, Refusal::Conflict);
        let winner = results.iter().position(Result::is_ok).expect("there is a winner");
        let expected = Authorization { version: row.version.next(), ..changed(winner) };
        assert_eq!(stored(store, &row.clone().into()).await, Some(expected.clone().into()));
        row = expected;
    }
    let entries = store.newest_entries(tenant.organization.id, 1000).await.expect("a read");
    assert_eq!(entries.len(), ROUNDS, "what came with a lost write is lost too");
}

/// Of those who delete a row one does.
pub async fn one_of_many_deletes_a_row(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let row = tenant.authorization();
        insert(store, row.clone()).await;
        let results =
            race_commits(store, |_| vec![Change::delete(row.clone()), Change::insert(revocation(&row))])
                .await;
        expect_one_winner(&results, Refusal::Conflict);
    }
    let revocations = store.revocations_of(tenant.provider.id).await.expect("a read");
    assert_eq!(revocations.len(), ROUNDS, "one deletion leaves one revocation");
}

/// Who meets a conflict and tries again gets through in the end, and nothing is written over.
pub async fn no_update_is_lost(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = tenant.revocation();
    insert(store, row).await;
    let provider = tenant.provider.id;
    race(store, |store, _| async move {
        // Each conflict is somebody else's success, so there are fewer of them than rivals.
        for _ in 0..RIVALS {
            let read = store.revocations_of(provider).await.expect("a read").remove(0);
            let counted = Revocation { attempts: read.attempts + 1, ..read };
            match store.commit(vec![Change::update(counted)]).await {
                Ok(()) => return,
                Err(CommitError::Conflict) => {}
                Err(other) => panic!("{other}"),
            }
        }
        panic!("a conflict without anybody's write");
    })
    .await;
    let last = store.revocations_of(provider).await.expect("a read").remove(0);
    assert_eq!(last.attempts as usize, RIVALS);
}

/// Whoever comes first, a provider that is being deleted and its new authorizations do not pass each other.
pub async fn no_authorization_outlives_its_provider(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let provider = provider(&tenant.organization);
        insert(store, provider.clone()).await;
        let results = race_commits(store, |rival| {
            if rival % 2 == 0 {
                vec![Change::delete(provider.clone())]
            } else {
                vec![Change::insert(authorization(&tenant.account, &provider))]
            }
        })
        .await;
        let authorizations = store.authorizations_at(provider.id, None, 1000).await.expect("a read");
        let (deleting, authorizing): (Vec<_>, Vec<_>) =
            results.into_iter().enumerate().partition(|(rival, _)| rival % 2 == 0);
        let deleted = deleting.iter().filter(|(_, result)| result.is_ok()).count();
        let authorized = authorizing.iter().filter(|(_, result)| result.is_ok()).count();
        assert_eq!(authorizations.len(), authorized);
        assert!(deleted == 0 || authorized == 0, "{deleted} deleted, {authorized} authorized");
        assert!(deleted == 1 || authorized == RIVALS / 2, "{deleted} deleted, {authorized} authorized");
        let expected = (deleted == 0).then_some(provider.clone());
        assert_eq!(store.provider_anywhere(provider.id).await.expect("a read"), expected);
    }
}

/// Writers of the log do not keep each other from it.
pub async fn every_audit_entry_of_many_is_kept(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for _ in 0..ROUNDS {
        let results =
            race_commits(store, |_| vec![Change::Audit(audit_entry(&tenant.organization, START))]).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }
    let entries = store.newest_entries(tenant.organization.id, 1000).await.expect("a read");
    assert_eq!(entries.len(), RIVALS * ROUNDS);
}
