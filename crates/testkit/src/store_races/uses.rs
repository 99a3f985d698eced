//! Races of what reads leave behind.

use std::sync::Arc;

use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry};
use grantkeeper_domain::tokens::{DueClaim, DueRefresh, NextRefresh, RequestEnd, UsedAuthorization, Uses};
use grantkeeper_domain::{Change, Store};

use super::arena::{RIVALS, ROUNDS, race};
use crate::entities::{FRESH, START};
use crate::store_contract::leases::{end, take};
use crate::store_contract::tenant::{Tenant, commit, minutes};

/// The same entries, tokens and authorizations, in whatever order and however late: the last and the most of all stays,
/// and nobody keeps anybody else from it.
pub async fn many_write_down_the_same_uses(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let tokens: Vec<_> = (0..8).map(|_| tenant.api_token()).collect();
    let rows: Vec<_> = (0..8).map(|_| tenant.authorization()).collect();
    commit(store, tokens.iter().cloned().map(Change::insert)).await;
    commit(store, rows.iter().cloned().map(Change::insert)).await;
    for round in 0..ROUNDS {
        let at = |rival: usize| minutes(i64::try_from(round * RIVALS + rival).expect("a small number"));
        let entry = || {
            let action = AuditAction::TokenHandedOut;
            AuditEntry::new(tenant.organization.id, Actor::Service, action, &FRESH, at(0))
        };
        let entries: Vec<_> = (0..8).map(|_| entry()).collect();
        race(store, |store, rival| {
            let count = u32::try_from(rival + 1).expect("a small number");
            let counted =
                |entry: &AuditEntry| AuditEntry { count, last_at: Some(at(rival)), ..entry.clone() };
            let used = |id| UsedAuthorization { id, at: at(rival), due_at: Some(START) };
            let mut uses = Uses {
                hand_outs: entries.iter().map(counted).collect(),
                api_tokens: tokens.iter().map(|token| (token.id, at(rival))).collect(),
                authorizations: rows.iter().map(|row| used(row.id)).collect(),
            };
            if rival % 2 == 0 {
                uses.hand_outs.reverse();
                uses.api_tokens.reverse();
                uses.authorizations.reverse();
            }
            async move { store.note_uses(&uses).await.expect("a note") }
        })
        .await;
        let written = store.newest_entries(tenant.organization.id, 8).await.expect("a read");
        let most = (u32::try_from(RIVALS).expect("a small number"), Some(at(RIVALS - 1)));
        assert!(written.iter().all(|entry| (entry.count, entry.last_at) == most), "{written:?}");
        let used = store.tokens_of(tenant.account.id).await.expect("a read");
        assert!(used.iter().all(|token| token.last_used_at == Some(at(RIVALS - 1))), "{used:?}");
    }
    let all = store.newest_entries(tenant.organization.id, 1000).await.expect("a read");
    assert_eq!(all.len(), 8 * ROUNDS);
}

/// Workers that give back what they claimed, longest due first, whoever schedules, and whoever notes uses: all over the
/// same authorizations, each in an order of its own, and none keeps another waiting for itself.
pub async fn uses_and_schedules_do_not_wait_for_each_other(store: &Arc<dyn Store>) {
    const AUTHORIZATIONS: i64 = 24;
    let tenant = Tenant::settle(store).await;
    let rows: Vec<_> = (0..AUTHORIZATIONS).map(|_| tenant.authorization()).collect();
    commit(store, rows.iter().cloned().map(Change::insert)).await;
    let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids.reverse();
    // The last of them is due longest.
    let schedule = || ids.iter().zip(0..).map(|(id, at)| Change::ScheduleRefresh(*id, Some(minutes(at))));
    commit(store, schedule()).await;
    for round in 0..ROUNDS {
        race(store, |store, rival| {
            let used = |id: &_| UsedAuthorization { id: *id, at: START, due_at: Some(START) };
            let uses = Uses { authorizations: ids.iter().map(used).collect(), ..Uses::default() };
            let scheduled: Vec<_> = schedule().collect();
            let claim = DueClaim {
                holder: format!("worker {rival} of round {round}"),
                now: minutes(AUTHORIZATIONS),
                again_at: minutes(AUTHORIZATIONS),
                watch_at: minutes(AUTHORIZATIONS),
                limit: 12,
            };
            async move {
                match rival % 3 {
                    0 => store.note_uses(&uses).await.expect("a note"),
                    1 => commit(&store, scheduled).await,
                    _ => {
                        let claimed = store.claim_due(&claim).await.expect("a claim");
                        commit(&store, claimed.iter().filter_map(given_back)).await;
                    }
                }
            }
        })
        .await;
    }
    let mut free = Vec::new();
    for id in &ids {
        free.push(take(store, *id, "the last", 0).await.authorization_id);
    }
    assert_eq!(free, ids, "whatever was claimed was given back");
}

fn given_back(due: &DueRefresh) -> Option<Change> {
    match due {
        DueRefresh::Claimed(claimed) => Some(end(&claimed.lease, RequestEnd::Moot, NextRefresh::At(START))),
        DueRefresh::Held(..) => None,
    }
}
