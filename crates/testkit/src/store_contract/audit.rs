//! Rules of the audit log.

use std::sync::Arc;

use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use grantkeeper_domain::ids::{ApiTokenId, AuditId, AuthorizationId};
use grantkeeper_domain::secret::Fingerprint;
use grantkeeper_domain::{Change, Store, Unique};

use super::tenant::{Refusal, Tenant, UNICODE, commit, minutes, refusal};
use crate::entities::{FRESH, START, audit_entry};

/// Every field of an entry is kept. What it is about need not be there (any more).
pub async fn audit_entries_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let base = |at| audit_entry(&tenant.organization, minutes(at));
    let by_account =
        Actor::Account { account_id: tenant.account.id, token_id: ApiTokenId::generate(&FRESH, START) };
    let full = AuditEntry {
        actor: by_account,
        action: AuditAction::TokenHandedOut,
        outcome: AuditOutcome::Refused,
        reason: Some("invalid_grant".to_owned()),
        provider_id: Some(tenant.provider.id),
        authorization_id: Some(AuthorizationId::generate(&FRESH, START)),
        subject: Some(UNICODE.to_owned()),
        token: Some(Fingerprint::from_stored("0123456789abcdef".to_owned())),
        request_id: Some("request 1".to_owned()),
        count: 7,
        last_at: Some(minutes(5)),
        ..base(4)
    };
    let failed = AuditEntry { actor: Actor::Operator, outcome: AuditOutcome::Failed, ..base(3) };
    let on_behalf = AuditEntry { actor: Actor::ServiceFor { account_id: tenant.account.id }, ..base(2) };
    let entries = [full, failed, on_behalf, base(1)];
    commit(store, entries.iter().rev().cloned().map(Change::Audit)).await;
    assert_eq!(store.newest_entries(tenant.organization.id, 10).await.expect("a read"), entries);
}

/// "Newest first, at most `limit`", in whatever order they were written.
pub async fn the_newest_entries_come_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let entries = [2, 4, 1, 3].map(|at| audit_entry(&tenant.organization, minutes(at)));
    for entry in &entries {
        commit(store, [Change::Audit(entry.clone())]).await;
    }
    for (limit, expected) in [(10, vec![4, 3, 2, 1]), (2, vec![4, 3]), (0, vec![])] {
        let listed = store.newest_entries(tenant.organization.id, limit).await.expect("a read");
        let times: Vec<_> = listed.into_iter().map(|entry| entry.at).collect();
        assert_eq!(times, expected.into_iter().map(minutes).collect::<Vec<_>>());
    }
}

/// Organizations do not see each other.
pub async fn the_audit_log_of_another_organization_is_not_shown(store: &Arc<dyn Store>) {
    let (tenant, stranger) = (Tenant::settle(store).await, Tenant::settle(store).await);
    commit(store, [Change::Audit(audit_entry(&tenant.organization, START))]).await;
    assert_eq!(store.newest_entries(stranger.organization.id, 10).await.expect("a read"), []);
    assert_eq!(store.tally(stranger.organization.id).await.expect("a read"), []);
}

/// "In the order of their names": of the names they are stored under.
pub async fn the_tally_counts_by_action_and_outcome(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let counts = [
        (AuditAction::AccountCreated, AuditOutcome::Done, 1),
        (AuditAction::JobFinished, AuditOutcome::Failed, 2),
        (AuditAction::OrganizationCreated, AuditOutcome::Done, 1),
        (AuditAction::TokenHandedOut, AuditOutcome::Done, 3),
        (AuditAction::TokenHandedOut, AuditOutcome::Failed, 1),
        (AuditAction::TokenHandedOut, AuditOutcome::Refused, 2),
    ];
    for (action, outcome, count) in counts.into_iter().rev() {
        let entry = || AuditEntry { action, outcome, ..audit_entry(&tenant.organization, START) };
        commit(store, (0..count).map(|_| Change::Audit(entry()))).await;
    }
    assert_eq!(store.tally(tenant.organization.id).await.expect("a read"), counts);
}

/// An entry's id is as unique as any other, so that no entry ever takes the place of another.
pub async fn an_audit_entry_is_written_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let entry = audit_entry(&tenant.organization, START);
    commit(store, [Change::Audit(entry.clone())]).await;
    let forged = AuditEntry { outcome: AuditOutcome::Refused, ..entry.clone() };
    assert_eq!(refusal(store, Change::Audit(forged.clone())).await, Refusal::Duplicate(Unique::Id));
    assert_eq!(store.newest_entries(tenant.organization.id, 10).await.expect("a read"), [entry]);
    let another = AuditEntry { id: AuditId::generate(&FRESH, START), ..forged };
    commit(store, [Change::Audit(another)]).await;
}
