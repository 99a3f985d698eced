//! Commits: all changes in one transaction, or none.
//!
//! A connection to PostgreSQL that breaks during a commit leaves open whether the commit happened. So the audit entries are
//! written first: where one of them is there already, the commit is. Whoever lost the answer makes the same commit
//! again, and finds out; a transaction that is still on its way is waited for by the index of the entries.

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::audit::AuditEntry;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{RefreshEnd, RequestEnd};
use grantkeeper_domain::{Change, CommitError, Row, UnitOfWork};

use crate::DieselStore;
use crate::audit;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::moot_ends::MootEnds;
use crate::postgres::{OUTCOME_LIMIT, pause, within};
use crate::refreshes;
use crate::rows::Versioned;

#[async_trait]
impl UnitOfWork for DieselStore {
    async fn commit(&self, mut changes: Vec<Change>) -> Result<(), CommitError> {
        // Nothing refers to them, so the order of all else stays as it is.
        changes.sort_by_key(|change| !is_audit(change));
        // Neither depends on another's. In the order of their ids, as `uses` locks them: nobody waits for ever.
        for together in changes.chunk_by_mut(|a, b| refreshed(a).is_some() && refreshed(b).is_some()) {
            together.sort_by_key(refreshed);
        }
        let changes = Arc::new(changes);
        match self.attempt(&changes).await {
            Err(Failure::UnknownOutcome) if changes.first().is_some_and(is_audit) => {
                let made = within(OUTCOME_LIMIT, self.make_sure(&changes)).await;
                Ok(made.unwrap_or(Err(Failure::UnknownOutcome))?)
            }
            ended => Ok(ended?),
        }
    }
}

impl DieselStore {
    async fn attempt(&self, changes: &Arc<Vec<Change>>) -> Result<(), Failure> {
        // The hot path: a hand-out writes down that it happened, and nothing else.
        if let [Change::Audit(entry)] = changes.as_slice() {
            return self.database.execute(audit::append(entry)).await.map(|_| ());
        }
        let changes = Arc::clone(changes);
        self.database.write(|c| Box::pin(apply_all(changes, c))).await
    }

    /// Makes a commit again that may have been made, until it certainly is or certainly cannot be.
    async fn make_sure(&self, changes: &Arc<Vec<Change>>) -> Result<(), Failure> {
        loop {
            pause().await;
            match self.attempt(changes).await {
                Err(failure) if failure.is_known_entry() => return Ok(()),
                Err(failure) if failure.is_passing() => {
                    let error = &failure as &dyn std::error::Error;
                    tracing::warn!(error, "how a commit ended is not known yet");
                }
                ended => return ended,
            }
        }
    }
}

fn is_audit(change: &Change) -> bool {
    audit_entry(change).is_some()
}

fn audit_entry(change: &Change) -> Option<&AuditEntry> {
    match change {
        Change::Audit(entry) => Some(entry),
        _ => None,
    }
}

/// The authorization whose row of refreshes is changed, and nothing else.
fn refreshed(change: &Change) -> Option<AuthorizationId> {
    match change {
        Change::ForgetRequests(id) | Change::ScheduleRefresh(id, _) => Some(*id),
        Change::EndRefresh(end) => Some(end.authorization_id),
        _ => None,
    }
}

fn moot_end(change: &Change) -> Option<&RefreshEnd> {
    match change {
        Change::EndRefresh(end) if end.request == RequestEnd::Moot => Some(end),
        _ => None,
    }
}

/// Of one authorization only once.
fn are_given_back_together(a: &Change, b: &Change) -> bool {
    let ids = moot_end(a).zip(moot_end(b)).map(|(a, b)| (a.authorization_id, b.authorization_id));
    ids.is_some_and(|(a, b)| a != b)
}

async fn apply_all(changes: Arc<Vec<Change>>, c: &mut Connection<'_>) -> Result<(), Failure> {
    let entries: Vec<_> = changes.iter().map_while(audit_entry).collect();
    let others = if entries.len() > 1 {
        c.write(audit::append_all(&entries)).await?;
        &changes[entries.len()..]
    } else {
        &changes
    };
    for together in others.chunk_by(are_given_back_together) {
        let moot: Vec<_> = together.iter().filter_map(moot_end).collect();
        if !moot.is_empty() {
            c.write(MootEnds::of(moot)).await?;
            continue;
        }
        for change in together {
            apply(change, c).await?;
        }
    }
    Ok(())
}

async fn apply(change: &Change, c: &mut Connection<'_>) -> Result<(), Failure> {
    match change {
        Change::Insert(row) => wrote_one(versioned(row).insert(c).await?, Failure::IdTaken),
        Change::Update(row) => {
            let row = versioned(row);
            wrote_one(row.replace(row.version(), c).await?, Failure::Conflict)
        }
        Change::Delete(row) => wrote_one(versioned(row).remove(c).await?, Failure::Conflict),
        Change::Audit(entry) => wrote_one(c.execute(audit::append(entry)).await?, Failure::IdTaken),
        Change::ForgetRequests(id) => refreshes::forget_requests(*id, c).await,
        Change::ScheduleRefresh(id, due_at) => refreshes::schedule(*id, *due_at, c).await,
        Change::EndRefresh(end) => refreshes::end(*end, c).await,
    }
}

fn wrote_one(rows: usize, otherwise: Failure) -> Result<(), Failure> {
    if rows == 1 { Ok(()) } else { Err(otherwise) }
}

fn versioned(row: &Row) -> &dyn Versioned {
    match row {
        Row::Organization(row) => row,
        Row::Account(row) => row,
        Row::ApiToken(row) => row,
        Row::Provider(row) => row.as_ref(),
        Row::Authorization(row) => row.as_ref(),
        Row::Flow(row) => row.as_ref(),
        Row::DeviceFlow(row) => row.as_ref(),
        Row::Login(row) => row.as_ref(),
        Row::LoginIdentity(row) => row,
        Row::Job(row) => row.as_ref(),
        Row::Revocation(row) => row.as_ref(),
    }
}
