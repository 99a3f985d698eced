//! Rules of receipts, and of the grants that several live by.

use std::sync::Arc;

use grantkeeper_domain::authorizations::{Authorization, GrantState};
use grantkeeper_domain::ids::RevocationId;
use grantkeeper_domain::revocations::{ResourceOwner, Revocation, RevocationFilter, RevocationStatus};
use grantkeeper_domain::{Change, Store};

use super::tenant::{Tenant, UNICODE, commit, insert, minutes, of_mixed_age, update};
use crate::entities::{account, authorization, provider, revocation};

/// Whoever knows its id.
pub async fn a_receipt_of_another_organization_is_not_there(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let row = tenant.revocation();
    insert(store, row.clone()).await;
    let at = async |organization| store.revocation(organization, row.id).await.expect("a read");
    assert_eq!(at(tenant.organization.id).await, Some(row.clone()));
    assert_eq!(at(other.organization.id).await, None);
    let unknown = tenant.revocation().id;
    assert_eq!(store.revocation(tenant.organization.id, unknown).await.expect("a read"), None);
}

/// "The revocations of an organization, or of one account in it, that the filter lets through: newest first, at most
/// `limit`."
pub async fn receipts_are_filtered_and_listed_newest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    insert(store, Tenant::settle(store).await.revocation()).await;
    let (colleague, second) = (account(&tenant.organization), provider(&tenant.organization));
    let deleted = tenant.authorization();
    let failed =
        |row: Revocation| row.finished(RevocationStatus::Failed, Some("connect".to_owned()), minutes(1));
    let rows = [
        revocation(&deleted),
        failed(revocation(&deleted)),
        revocation(&authorization(&tenant.account, &second)),
        failed(revocation(&authorization(&colleague, &tenant.provider))),
    ];
    let (rows, mut newest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    newest_first.reverse();
    commit(store, rows.iter().cloned().map(Change::insert)).await;
    let accounts = [None, Some(tenant.account.id), Some(colleague.id)];
    let authorizations = [None, Some(deleted.id)];
    let providers = [None, Some(tenant.provider.id), Some(second.id)];
    let statuses = [None, Some(RevocationStatus::Failed), Some(RevocationStatus::Revoked)];
    for account in accounts {
        for authorization_id in authorizations {
            for provider_id in providers {
                for status in statuses {
                    let filter = RevocationFilter { authorization_id, provider_id, status };
                    let matches = |row: &Revocation| {
                        account.is_none_or(|id| row.account_id == id)
                            && authorization_id.is_none_or(|id| row.authorization_id == id)
                            && provider_id.is_none_or(|id| row.provider_id == id)
                            && status.is_none_or(|status| row.status == status)
                    };
                    for limit in [0, 1, 9] {
                        let is_wanted =
                            |id: &RevocationId| rows.iter().any(|row| row.id == *id && matches(row));
                        let expected: Vec<_> =
                            newest_first.iter().copied().filter(is_wanted).take(limit as usize).collect();
                        let listed =
                            store.newest_revocations(tenant.organization.id, account, &filter, limit).await;
                        let listed: Vec<_> = listed.expect("a read").into_iter().map(|row| row.id).collect();
                        assert_eq!(listed, expected, "{account:?} {filter:?} {limit}");
                    }
                }
            }
        }
    }
}

/// At this provider, of exactly this person, of whatever account; and its grant lives.
pub async fn a_live_authorization_of_a_person_is_found_whosever_it_is(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (colleague, second) = (account(&tenant.organization), provider(&tenant.organization));
    insert(store, colleague.clone()).await;
    insert(store, second.clone()).await;
    let owner =
        |row: &Authorization| ResourceOwner { issuer: row.issuer.clone(), subject: row.subject.clone() };
    let row = Authorization { subject: UNICODE.to_owned(), ..tenant.authorization() };
    let is_live = async |provider, owner: ResourceOwner| {
        store.has_live_authorization(provider, &owner).await.expect("a read")
    };
    assert!(!is_live(tenant.provider.id, owner(&row)).await);
    insert(store, row.clone()).await;
    assert!(is_live(tenant.provider.id, owner(&row)).await);
    assert!(!is_live(second.id, owner(&row)).await);
    let issuer = format!("{}/", row.issuer);
    assert!(!is_live(tenant.provider.id, ResourceOwner { issuer, ..owner(&row) }).await);
    let subject = row.subject.to_uppercase();
    assert!(!is_live(tenant.provider.id, ResourceOwner { subject, ..owner(&row) }).await);

    let dead = Authorization {
        grant: GrantState::Dead { reason: "invalid_grant".to_owned() },
        grant_since: minutes(1),
        ..row.clone()
    };
    update(store, dead.clone()).await;
    assert!(!is_live(tenant.provider.id, owner(&row)).await);
    let colleagues =
        Authorization { subject: UNICODE.to_owned(), ..authorization(&colleague, &tenant.provider) };
    insert(store, colleagues).await;
    assert!(is_live(tenant.provider.id, owner(&dead)).await);
}
