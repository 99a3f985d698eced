//! Turning authorizations into revocations, for the jobs that delete what they belong to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::audit::{AuditAction, AuditEntry};
use crate::authorizations::{Authorization, DeleteAuthorization, DetachError};
use crate::ids::AuthorizationId;
use crate::providers::Provider;
use crate::services::{Clock, Random};
use crate::tokens::{NextRefresh, RefreshLease, RefreshLeases, RequestEnd, Silence, TakenLease};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Moves the tokens of authorizations into revocations, each in a commit of its own.
pub struct MoveToRevocations {
    /// Keeps refreshes away meanwhile.
    pub leases: Arc<dyn RefreshLeases>,
    /// Moves one.
    pub detach: Arc<DeleteAuthorization>,
    /// Gives leases back.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of audit entries.
    pub random: Arc<dyn Random>,
    /// How long the holder of a refresh lease may be silent before it is taken for dead.
    pub lease_silence: Duration,
}

/// How often to look whether what somebody else has in hand is done.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// How many authorizations are read at once.
pub(super) const PAGE: u32 = 100;

impl MoveToRevocations {
    /// Begins to move what a job deletes.
    pub(super) fn for_job<'a>(&'a self, job: &'a Job) -> Moving<'a> {
        Moving { with: self, job, holders: HashMap::new() }
    }
}

/// A move that is under way, page by page.
pub(super) struct Moving<'a> {
    with: &'a MoveToRevocations,
    job: &'a Job,
    /// Who refreshes what is to be moved.
    holders: HashMap<AuthorizationId, Silence>,
}

impl Moving<'_> {
    /// Moves a page. Those that are refreshed just now stay, for a refresh that is under way is waited for: its answer has
    /// to be among the tokens that are revoked. So do those that have changed since the page was read. Where all of them
    /// stay, it takes a moment.
    pub(super) async fn page(
        &mut self,
        page: impl IntoIterator<Item = (Authorization, Provider)>,
    ) -> Result<(), StoreError> {
        let mut moved = false;
        for (authorization, provider) in page {
            moved |= self.one(authorization, &provider).await?;
        }
        if !moved {
            self.with.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    async fn one(&mut self, authorization: Authorization, provider: &Provider) -> Result<bool, StoreError> {
        let Some(lease) = self.lease(authorization.id).await? else {
            return Ok(false);
        };
        let action = AuditAction::AuthorizationDeleted;
        let (organization, now) = (authorization.organization_id, self.with.clock.now());
        let audit = AuditEntry::new(organization, self.job.actor(), action, &*self.with.random, now);
        match self.with.detach.detach(authorization, provider, audit).await {
            Ok(_) => Ok(true),
            Err(DetachError::Conflict) => self.give_back(&lease).await.map(|()| false),
            Err(DetachError::Store(error)) => Err(error),
        }
    }

    /// The right to keep refreshes away; `None` while somebody who lives has it.
    async fn lease(&mut self, id: AuthorizationId) -> Result<Option<RefreshLease>, StoreError> {
        let silent = self.holders.get(&id).and_then(Silence::of_the_dead);
        let holder = format!("job {}", self.job.id);
        match self.with.leases.take_lease(id, &holder, silent, self.with.clock.now()).await? {
            TakenLease::Taken(lease) => Ok(Some(lease)),
            TakenLease::Held(sign) => {
                // Long enough for several looks.
                let period = self.with.lease_silence.max(LOOK * 4);
                let silence = self.holders.entry(id).or_insert_with(|| Silence::lasting(period));
                silence.note(sign, self.with.clock.monotonic());
                Ok(None)
            }
            TakenLease::Gone => Ok(None),
        }
    }

    async fn give_back(&self, lease: &RefreshLease) -> Result<(), StoreError> {
        let end = lease.ended(RequestEnd::Moot, NextRefresh::Unchanged);
        let given_back = self.with.store.commit(vec![Change::EndRefresh(end)]).await;
        given_back.map_err(CommitError::into_store_error)
    }
}
