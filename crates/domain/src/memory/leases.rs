//! Refresh leases, the journal, and what is due.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, State, rows};
use crate::StoreError;
use crate::authorizations::Authorization;
use crate::ids::AuthorizationId;
use crate::tokens::{
    ClaimedRefresh, DueClaim, DueRefresh, NextRefresh, RefreshEnd, RefreshLease, RefreshLeases, RequestEnd,
    SignOfLife, TakenLease, UnansweredRequest,
};

/// What is kept of an authorization's refreshes, for as long as there is the authorization.
#[derive(Clone, Debug, Default)]
pub(super) struct RefreshRow {
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
    /// `None`: the lease was given back.
    holder: Option<String>,
    fence: i64,
    beat: i64,
    /// The entry of the journal.
    asked: Option<UnansweredRequest>,
}

/// The journal has no entry of whoever says how their request ended.
pub(super) struct AskedSince;

impl RefreshRow {
    fn sign_of_life(&self) -> SignOfLife {
        SignOfLife { fence: self.fence, beat: self.beat }
    }

    fn is_held_under(&self, fence: i64) -> bool {
        self.holder.is_some() && self.fence == fence
    }

    fn is_noted_under(&self, fence: i64) -> bool {
        self.asked.is_some_and(|asked| asked.fence == fence)
    }

    fn give(&mut self, id: AuthorizationId, holder: &str, now: DateTime<Utc>) -> RefreshLease {
        self.holder = Some(holder.to_owned());
        self.fence += 1;
        self.beat = 0;
        let unanswered = self.asked;
        self.asked = unanswered.or(Some(self.request(now)));
        RefreshLease { authorization_id: id, holder: holder.to_owned(), fence: self.fence, unanswered }
    }

    fn request(&self, asked_at: DateTime<Utc>) -> UnansweredRequest {
        UnansweredRequest { fence: self.fence, asked_at, given_up: false }
    }

    /// [`Change::ForgetRequests`](crate::Change::ForgetRequests).
    pub(super) fn forget_requests(&mut self) {
        self.asked = None;
    }

    /// [`Change::EndRefresh`](crate::Change::EndRefresh).
    pub(super) fn end(&mut self, end: &RefreshEnd) -> Result<(), AskedSince> {
        match end.request {
            RequestEnd::Moot => self.asked = self.asked.filter(|asked| asked.fence != end.fence),
            RequestEnd::Answered | RequestEnd::Lost if !self.is_noted_under(end.fence) => {
                return Err(AskedSince);
            }
            RequestEnd::Answered => self.asked = None,
            RequestEnd::Lost => {
                self.asked = self.asked.map(|asked| UnansweredRequest { given_up: true, ..asked });
            }
        }
        let is_overtaken = self.fence != end.fence;
        if !is_overtaken {
            self.holder = None;
        }
        match end.next {
            _ if is_overtaken && end.request == RequestEnd::Moot => {}
            NextRefresh::Unchanged => {}
            NextRefresh::At(due) => self.due_at = Some(due),
            NextRefresh::Never => self.due_at = None,
        }
        Ok(())
    }
}

#[async_trait]
impl RefreshLeases for MemoryStore {
    async fn take_lease<'a>(
        &self,
        authorization: AuthorizationId,
        holder: &'a str,
        silent: Option<SignOfLife>,
        now: DateTime<Utc>,
    ) -> Result<TakenLease, StoreError> {
        let mut state = self.state();
        let Some(row) = state.refreshes.get_mut(&authorization) else {
            return Ok(TakenLease::Gone);
        };
        let sign = row.sign_of_life();
        if row.holder.is_some() && silent != Some(sign) {
            return Ok(TakenLease::Held(sign));
        }
        Ok(TakenLease::Taken(row.give(authorization, holder, now)))
    }

    async fn keep_lease(&self, lease: &RefreshLease) -> Result<bool, StoreError> {
        Ok(self.state().held(lease).map(|row| row.beat += 1).is_some())
    }

    async fn note_request(&self, lease: &RefreshLease, now: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(self.state().held(lease).map(|row| row.asked = Some(row.request(now))).is_some())
    }

    async fn claim_due(&self, claim: &DueClaim) -> Result<Vec<DueRefresh>, StoreError> {
        let mut state = self.state();
        let is_due = |(id, row): (&AuthorizationId, &RefreshRow)| {
            row.due_at.filter(|due| *due <= claim.now).map(|due| (due, *id))
        };
        let mut due: Vec<_> = state.refreshes.iter().filter_map(is_due).collect();
        due.sort_unstable();
        let due = due.into_iter().take(rows(claim.limit));
        Ok(due.filter_map(|(_, id)| state.claim(id, claim)).collect())
    }
}

impl State {
    fn held(&mut self, lease: &RefreshLease) -> Option<&mut RefreshRow> {
        let row = self.refreshes.get_mut(&lease.authorization_id);
        row.filter(|row| row.is_held_under(lease.fence))
    }

    fn claim(&mut self, id: AuthorizationId, claim: &DueClaim) -> Option<DueRefresh> {
        let (authorization, provider) = self.with_provider(self.row::<Authorization>(id)?)?;
        let row = self.refreshes.get_mut(&id)?;
        if row.holder.is_some() {
            row.due_at = Some(claim.watch_at);
            return Some(DueRefresh::Held(id, row.sign_of_life()));
        }
        row.due_at = Some(claim.again_at);
        let lease = row.give(id, &claim.holder, claim.now);
        let (provider, last_used_at) = (Arc::new(provider), row.last_used_at);
        Some(DueRefresh::Claimed(Box::new(ClaimedRefresh { lease, authorization, provider, last_used_at })))
    }
}
