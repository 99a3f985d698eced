//! Deleting a provider: its authorizations become revocations, these are tried, and then it goes.
//!
//! Every step starts from what is in the store, so a worker that is killed leaves nothing that the next one cannot
//! go on with. When a provider does not let us revoke, the job ends in an error and the provider stays, visible as
//! `deleted`; its revocations are tried in the background for their seven days, and another deletion reports on them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::move_to_revocations::{LOOK, MoveToRevocations, PAGE};
use super::revocation_report::{authorization_ids, outcomes};
use super::{Job, JobDetail, JobKindName, JobQueue, JobStatus};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::authorizations::{AuthorizationStore, DeviceFlowStore, EXCHANGE_LIMIT, FlowStore};
use crate::ids::ProviderId;
use crate::providers::{Provider, ProviderCatalog, ProviderStatus};
use crate::revocations::{
    ClaimedRevocations, Revocation, RevocationQueue, RevocationStatus, RunDueRevocations,
};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Does the work of [`super::JobKind::DeleteProvider`].
pub struct DeleteProviderJob {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Reads its authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Tells whether codes are being redeemed.
    pub flows: Arc<dyn FlowStore>,
    /// Tells which device flows are being polled.
    pub device_flows: Arc<dyn DeviceFlowStore>,
    /// Turns them into revocations.
    pub mover: Arc<MoveToRevocations>,
    /// Tries these.
    pub revoke: Arc<RunDueRevocations>,
    /// Reads the receipts.
    pub revocations: Arc<dyn RevocationQueue>,
    /// Reads earlier jobs that could not delete this provider.
    pub queue: Arc<dyn JobQueue>,
    /// Writes the end.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of audit entries.
    pub random: Arc<dyn Random>,
}

/// How long to wait before each round of revocations; a provider that fails them all is left to the background.
const ROUNDS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];
/// How many of the organization's failed deletions are looked through.
const EARLIER_JOBS: u32 = 1000;
/// How often the end is tried anew after somebody else wrote first.
const TRIES: u32 = 10;

impl DeleteProviderJob {
    pub(super) async fn run(&self, job: Job, id: ProviderId) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            self.await_exchanges(id).await?;
            self.move_all(&job, id).await?;
            self.revoke_all(id).await?;
            match self.finish(job.clone(), id, None).await {
                Ok(()) => return Ok(()),
                // The provider was written meanwhile.
                Err(CommitError::Conflict | CommitError::Store(StoreError::Unexpected(_))) => {}
                Err(error) => return Err(error.into_store_error()),
            }
        }
        Err(CommitError::Conflict.into_store_error())
    }

    /// Ends a job that cannot go on, so that an administrator sees it and can delete again.
    pub(super) async fn give_up(&self, job: Job, id: ProviderId, reason: &str) -> Result<(), StoreError> {
        self.finish(job, id, Some(reason)).await.map_err(CommitError::into_store_error)
    }

    /// Codes that are at the provider now come back as tokens, which have to be revoked while the provider is still
    /// known. No new flow reaches this far: the provider is hidden.
    async fn await_exchanges(&self, id: ProviderId) -> Result<(), StoreError> {
        while self.exchanges_under_way(id).await? > 0 {
            self.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    async fn exchanges_under_way(&self, id: ProviderId) -> Result<u64, StoreError> {
        let since = self.clock.now() - EXCHANGE_LIMIT;
        Ok(self.flows.exchanges_under_way(id, since).await?
            + self.device_flows.polls_under_way(id, since).await?)
    }

    async fn move_all(&self, job: &Job, id: ProviderId) -> Result<(), StoreError> {
        let mut moving = self.mover.for_job(job);
        while let Some(provider) = self.catalog.provider(job.organization_id, id).await? {
            let page = self.authorizations.authorizations_at(id, None, PAGE).await?;
            if page.is_empty() {
                break;
            }
            let page = page.into_iter().map(|authorization| (authorization, provider.clone()));
            moving.page(page).await?;
        }
        Ok(())
    }

    async fn revoke_all(&self, id: ProviderId) -> Result<(), StoreError> {
        for pause in ROUNDS {
            let pending = self.free_revocations(id).await?;
            if pending == 0 {
                return Ok(());
            }
            if !pause.is_zero() {
                self.clock.sleep(pause).await;
            }
            let mut left = pending;
            while left > 0 {
                let batch = self.revoke.run(ClaimedRevocations::Of(id)).await?;
                let now_left = self.free_revocations(id).await?;
                // A provider that has just refused a whole batch is not asked for the next one.
                if batch == 0 || now_left >= left {
                    break;
                }
                left = now_left;
            }
        }
        Ok(())
    }

    /// How many revocations of the provider are pending, once no other worker has any of them in hand. A worker that
    /// lives ends its attempts soon; the leases of one that was killed lapse.
    async fn free_revocations(&self, id: ProviderId) -> Result<usize, StoreError> {
        loop {
            let mut pending = self.revocations.revocations_of(id).await?;
            pending.retain(|one| one.status == RevocationStatus::Pending);
            let now = self.clock.now();
            if pending.iter().all(|one| one.is_claimable(true, now)) {
                return Ok(pending.len());
            }
            self.clock.sleep(LOOK).await;
        }
    }

    /// When this provider's deletion was first tried: by this job, or by an earlier one that ended in an error and whose
    /// revocations went on in the background.
    async fn first_tried_at(&self, job: &Job) -> Result<Option<DateTime<Utc>>, StoreError> {
        let failed = Some(JobStatus::Error);
        let kind = Some(JobKindName::DeleteProvider);
        let mut earlier = self.queue.jobs(job.organization_id, failed, kind, EARLIER_JOBS).await?;
        earlier.retain(|other| other.kind == job.kind);
        Ok(earlier.iter().chain([job]).filter_map(|job| job.started_at).min())
    }

    async fn finish(&self, job: Job, id: ProviderId, given_up: Option<&str>) -> Result<(), CommitError> {
        let first_tried_at = self.first_tried_at(&job).await?;
        let mut receipts = self.revocations.revocations_of(id).await?;
        // What its user deleted and the provider revoked before that has nothing to do with this deletion.
        receipts.retain(|one| one.finished_at >= first_tried_at || one.finished_at.is_none());
        let is_done =
            given_up.is_none() && receipts.iter().all(|one| one.status != RevocationStatus::Pending);
        let mut details = report(id, &receipts);
        details.extend(given_up.map(|reason| JobDetail::new("error", reason)));
        let provider = self.catalog.provider(job.organization_id, id).await?;
        let now = self.clock.now();
        let status = if is_done { JobStatus::Completed } else { JobStatus::Error };
        let audit = AuditEntry::new(
            job.organization_id,
            Actor::Service,
            AuditAction::JobFinished,
            &*self.random,
            now,
        )
        .about_provider(id)
        .about(job.id);
        let reason = given_up.unwrap_or("revocations_pending");
        let audit = if is_done { audit } else { audit.ending(AuditOutcome::Failed, reason) };
        let job =
            job.finish(status, details, now).map_err(|error| StoreError::Unexpected(Box::new(error)))?;
        let mut changes = vec![Change::update(job), Change::Audit(audit)];
        changes.extend(provider.map(|provider| self.last_change(provider, is_done)).into_iter().flatten());
        self.store.commit(changes).await
    }

    fn last_change(&self, provider: Provider, is_done: bool) -> Vec<Change> {
        let now = self.clock.now();
        if !is_done {
            let status = ProviderStatus::DeletionFailed;
            return vec![Change::update(Provider { status, updated_at: now, ..provider })];
        }
        let action = AuditAction::ProviderDeleted;
        let audit = AuditEntry::new(provider.organization_id, Actor::Service, action, &*self.random, now)
            .about_provider(provider.id);
        vec![Change::delete(provider), Change::Audit(audit)]
    }
}

fn report(id: ProviderId, receipts: &[Revocation]) -> Vec<JobDetail> {
    vec![
        JobDetail::new("provider_id", id),
        JobDetail::new("authorization_ids", authorization_ids(receipts)),
        JobDetail::new("revocations", outcomes(receipts)),
    ]
}
