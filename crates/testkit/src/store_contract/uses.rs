//! Rules of what reads leave behind.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use grantkeeper_domain::accounts::ApiToken;
use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::ids::{ApiTokenId, AuthorizationId};
use grantkeeper_domain::secret::Fingerprint;
use grantkeeper_domain::tokens::{NextRefresh, RequestEnd, UsedAuthorization, Uses};
use grantkeeper_domain::{Change, Store};

use super::due_refreshes::{claimed, schedule};
use super::leases::{end, settled};
use super::tenant::{Tenant, UNICODE, commit, insert, minutes, stored, update};
use crate::entities::{FRESH, START};

async fn note(store: &Arc<dyn Store>, uses: Uses) {
    store.note_uses(&uses).await.expect("a note");
}

async fn note_hand_outs(store: &Arc<dyn Store>, hand_outs: impl IntoIterator<Item = AuditEntry>) {
    note(store, Uses { hand_outs: hand_outs.into_iter().collect(), ..Uses::default() }).await;
}

fn hand_out(tenant: &Tenant, at: i64) -> AuditEntry {
    let token_id = ApiTokenId::generate(&FRESH, START);
    let actor = Actor::Account { account_id: tenant.account.id, token_id };
    AuditEntry::new(tenant.organization.id, actor, AuditAction::TokenHandedOut, &FRESH, minutes(at))
}

async fn log(store: &Arc<dyn Store>, tenant: &Tenant) -> Vec<AuditEntry> {
    store.newest_entries(tenant.organization.id, 1000).await.expect("a read")
}

/// Nothing to write down is written down.
pub async fn noting_no_use_is_fine(store: &Arc<dyn Store>) {
    note(store, Uses::default()).await;
}

/// Every field of an entry is kept, as by a commit.
pub async fn hand_outs_are_appended_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let full = AuditEntry {
        outcome: AuditOutcome::Refused,
        reason: Some(UNICODE.to_owned()),
        provider_id: Some(tenant.provider.id),
        authorization_id: Some(AuthorizationId::generate(&FRESH, START)),
        subject: Some(UNICODE.to_owned()),
        token: Some(Fingerprint::from_stored("0123456789abcdef".to_owned())),
        request_id: Some("request 1".to_owned()),
        count: u32::MAX,
        last_at: Some(minutes(5)),
        ..hand_out(&tenant, 3)
    };
    let plain = hand_out(&tenant, 2);
    let operator = AuditEntry { actor: Actor::Operator, ..hand_out(&tenant, 1) };
    let service = AuditEntry { actor: Actor::Service, ..hand_out(&tenant, 0) };
    let entries = [full, plain, operator, service];
    note_hand_outs(store, entries.iter().rev().cloned()).await;
    assert_eq!(log(store, &tenant).await, entries);
}

/// "Its count and its last time are raised to these", so that the same may be written twice, and late.
pub async fn a_hand_out_that_is_there_is_raised(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (first, other) = (hand_out(&tenant, 1), hand_out(&tenant, 0));
    let counted = |count, last| AuditEntry { count, last_at: Some(minutes(last)), ..first.clone() };
    note_hand_outs(store, [first.clone(), other.clone()]).await;
    for (written, expected) in [
        (first.clone(), first.clone()),
        (counted(3, 4), counted(3, 4)),
        (counted(3, 4), counted(3, 4)),
        (counted(2, 3), counted(3, 4)),
        (first.clone(), counted(3, 4)),
        (counted(9, 5), counted(9, 5)),
    ] {
        note_hand_outs(store, [written, other.clone()]).await;
        assert_eq!(log(store, &tenant).await, [expected, other.clone()]);
    }
    // Nothing else of it ever changes.
    let forged =
        AuditEntry { outcome: AuditOutcome::Failed, reason: Some("forged".to_owned()), ..counted(10, 6) };
    note_hand_outs(store, [forged]).await;
    assert_eq!(log(store, &tenant).await, [counted(10, 6), other]);
}

/// Whoever counts has read the clock a moment before, and clocks are set: it happened as often as was said all the same.
pub async fn no_time_of_a_hand_out_goes_back(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = hand_out(&tenant, 4);
    let counted = |count, last: Option<_>| AuditEntry { count, last_at: last.map(minutes), ..first.clone() };
    note_hand_outs(store, [first.clone()]).await;
    for (written, expected) in [
        (counted(2, Some(3)), counted(2, Some(4))),
        (counted(3, None), counted(3, Some(4))),
        (counted(4, Some(9)), counted(4, Some(9))),
        (counted(5, Some(8)), counted(5, Some(9))),
        (counted(6, None), counted(6, Some(9))),
    ] {
        note_hand_outs(store, [written]).await;
        assert_eq!(log(store, &tenant).await, [expected]);
    }
    let early = AuditEntry { count: 2, last_at: Some(minutes(3)), ..hand_out(&tenant, 5) };
    note_hand_outs(store, [early.clone()]).await;
    let more = AuditEntry { count: 3, ..early };
    note_hand_outs(store, [more.clone()]).await;
    assert_eq!(log(store, &tenant).await[0], AuditEntry { last_at: Some(minutes(5)), ..more });
}

/// Of two in one call that are one entry the greater counts.
pub async fn a_hand_out_that_is_named_twice_is_one(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = hand_out(&tenant, 0);
    let counted = |count, last| AuditEntry { count, last_at: Some(minutes(last)), ..first.clone() };
    note_hand_outs(store, [counted(2, 1), counted(5, 4), counted(3, 2)]).await;
    assert_eq!(log(store, &tenant).await, [counted(5, 4)]);
}

/// The tally counts what happened, not how it is written down.
pub async fn the_tally_counts_every_hand_out(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let many = |count| AuditEntry { count, last_at: Some(minutes(1)), ..hand_out(&tenant, 0) };
    let refused = AuditEntry { outcome: AuditOutcome::Refused, ..hand_out(&tenant, 0) };
    note_hand_outs(store, [many(u32::MAX), many(u32::MAX), hand_out(&tenant, 0), refused]).await;
    let expected = [
        (AuditAction::TokenHandedOut, AuditOutcome::Done, 2 * u64::from(u32::MAX) + 1),
        (AuditAction::TokenHandedOut, AuditOutcome::Refused, 1),
    ];
    assert_eq!(store.tally(tenant.organization.id).await.expect("a read"), expected);
}

/// As many as a busy moment brings.
pub async fn many_uses_are_written_together(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let tokens: Vec<_> = (0..300).map(|_| tenant.api_token()).collect();
    commit(store, tokens.iter().cloned().map(Change::insert)).await;
    let hand_outs: Vec<_> = (0..900).map(|at| hand_out(&tenant, -at)).collect();
    let api_tokens = tokens.iter().map(|token| (token.id, minutes(1))).collect();
    note(store, Uses { hand_outs: hand_outs.clone(), api_tokens, ..Uses::default() }).await;
    assert_eq!(log(store, &tenant).await, hand_outs);
    let used = store.tokens_of(tenant.account.id).await.expect("a read");
    assert_eq!(used.len(), 300);
    assert!(used.iter().all(|token| token.last_used_at == Some(minutes(1))));
}

/// "No version changes", so whoever read the token before can still write it; and no time goes back.
pub async fn the_last_use_of_a_token_is_kept(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (token, untouched) = (tenant.api_token(), tenant.api_token());
    insert(store, token.clone()).await;
    insert(store, untouched.clone()).await;
    let row = |last: i64| ApiToken { last_used_at: Some(minutes(last)), ..token.clone() };
    let gone = ApiTokenId::generate(&FRESH, START);
    for (uses, expected) in [(vec![1], 1), (vec![3], 3), (vec![2], 3), (vec![5, 7, 6], 7)] {
        let mut api_tokens: Vec<_> = uses.into_iter().map(|at| (token.id, minutes(at))).collect();
        // It may have been purged meanwhile.
        api_tokens.push((gone, minutes(9)));
        note(store, Uses { api_tokens, ..Uses::default() }).await;
        assert_eq!(store.token(token.id).await.expect("a read"), Some(row(expected)));
    }
    assert_eq!(store.token(untouched.id).await.expect("a read"), Some(untouched));
    assert_eq!(store.token(gone).await.expect("a read"), None);
    update(store, ApiToken { revoked_at: Some(minutes(8)), ..row(7) }).await;
}

fn used(id: AuthorizationId, at: i64, due_at: Option<DateTime<Utc>>) -> Uses {
    let authorizations = vec![UsedAuthorization { id, at: minutes(at), due_at }];
    Uses { authorizations, ..Uses::default() }
}

/// Whoever refreshes it is told when it was last used.
pub async fn the_last_use_of_an_authorization_is_kept(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (row, untouched) = (settled(store, &tenant).await, settled(store, &tenant).await);
    for (now, (at, expected)) in (0..).zip([(2, 2), (5, 5), (4, 5)]) {
        note(store, used(row.id, at, None)).await;
        schedule(store, row.id, now).await;
        let found = claimed(store, now).await.remove(0);
        assert_eq!(found.last_used_at, Some(minutes(expected)));
        assert_eq!(found.authorization, row, "no version changes");
        commit(store, [end(&found.lease, RequestEnd::Moot, NextRefresh::Never)]).await;
    }
    let now = |at| UsedAuthorization { id: row.id, at: minutes(at), due_at: None };
    note(store, Uses { authorizations: vec![now(6), now(9), now(8)], ..Uses::default() }).await;
    schedule(store, row.id, 10).await;
    schedule(store, untouched.id, 11).await;
    let last: Vec<_> = claimed(store, 11).await.into_iter().map(|found| found.last_used_at).collect();
    assert_eq!(last, [Some(minutes(9)), None]);
}

/// "When its refresh is due, now that it is in use; an earlier time in the store stays."
pub async fn an_authorization_in_use_is_due_earlier(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for (before, given, expected) in [
        (None, None, None),
        (None, Some(7), Some(7)),
        (Some(7), None, Some(7)),
        (Some(7), Some(9), Some(7)),
        (Some(7), Some(5), Some(5)),
    ] {
        let id = settled(store, &tenant).await.id;
        commit(store, [Change::ScheduleRefresh(id, before.map(minutes))]).await;
        note(store, used(id, 1, given.map(minutes))).await;
        let Some(due) = expected else {
            assert_eq!(claimed(store, 1_000_000).await, []);
            continue;
        };
        assert_eq!(claimed(store, due - 1).await, []);
        let found = claimed(store, due).await.remove(0);
        assert_eq!(found.authorization.id, id);
        commit(store, [end(&found.lease, RequestEnd::Moot, NextRefresh::Never)]).await;
    }
}

/// "Authorizations that are gone are left out"; the rest of the call is written all the same.
pub async fn uses_of_what_is_gone_are_left_out(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row: Authorization = settled(store, &tenant).await;
    commit(store, [Change::delete(row.clone())]).await;
    let entry = hand_out(&tenant, 0);
    let unknown = AuthorizationId::generate(&FRESH, START);
    let gone = |id| UsedAuthorization { id, at: START, due_at: Some(START) };
    note(
        store,
        Uses {
            hand_outs: vec![entry.clone()],
            authorizations: vec![gone(row.id), gone(unknown)],
            ..Uses::default()
        },
    )
    .await;
    assert_eq!(log(store, &tenant).await, [entry]);
    assert_eq!(stored(store, &row.into()).await, None);
    assert_eq!(claimed(store, 1).await, []);
}
