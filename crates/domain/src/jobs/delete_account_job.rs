//! Deleting an account. Its revocations go on in the background, and outlive it.

use std::sync::Arc;

use super::erase_account::EraseAccount;
use super::job_end::JobEnd;
use super::revocation_report::{authorization_ids, outcomes};
use super::{Job, JobDetail};
use crate::StoreError;
use crate::ids::AccountId;
use crate::revocations::{LONGEST_LIST, RevocationFilter, RevocationQueue};

/// Does the work of [`super::JobKind::DeleteAccount`].
pub struct DeleteAccountJob {
    /// Takes the account apart.
    pub erase: Arc<EraseAccount>,
    /// Reads the receipts.
    pub revocations: Arc<dyn RevocationQueue>,
    /// Writes the report.
    pub end: Arc<JobEnd>,
}

impl DeleteAccountJob {
    pub(super) async fn run(&self, job: Job, id: AccountId) -> Result<(), StoreError> {
        self.erase.run(&job, id).await?;
        let details = self.report(&job, id).await?;
        self.end.completed(job, details).await
    }

    /// What it leaves behind: at most [`LONGEST_LIST`] of its authorizations, with what has become of each so far.
    async fn report(&self, job: &Job, id: AccountId) -> Result<Vec<JobDetail>, StoreError> {
        let all = RevocationFilter::default();
        let newest =
            self.revocations.newest_revocations(job.organization_id, Some(id), &all, LONGEST_LIST).await?;
        let receipts: Vec<_> = newest.into_iter().filter(|one| one.created_at >= job.created_at).collect();
        Ok(vec![
            JobDetail::new("account_id", id),
            JobDetail::new("authorization_ids", authorization_ids(&receipts)),
            JobDetail::new("revocations", outcomes(&receipts)),
        ])
    }
}
