//! Deleting an organization: nobody gets in any more, its authorizations become revocations, its accounts go. What the
//! revocations need of it stays until they have ended; then
//! [`RemoveTombstones`](crate::accounts::RemoveTombstones) removes the rest.

use std::sync::Arc;

use super::erase_account::EraseAccount;
use super::job_end::JobEnd;
use super::{Job, JobDetail};
use crate::accounts::{AccountStore, close_accounts};
use crate::ids::OrganizationId;
use crate::providers::{Provider, ProviderCatalog, ProviderStatus};
use crate::services::Clock;
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Does the work of [`super::JobKind::DeleteOrganization`].
pub struct DeleteOrganizationJob {
    /// Reads the accounts.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads the providers.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Takes the accounts apart.
    pub erase: Arc<EraseAccount>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Writes the report.
    pub end: Arc<JobEnd>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl DeleteOrganizationJob {
    pub(super) async fn run(&self, job: Job) -> Result<(), StoreError> {
        let id = job.organization_id;
        close_accounts(&*self.accounts, &*self.store, id).await?;
        self.retire_providers(id).await?;
        // An account that was created while the organization was being closed is on the next list.
        loop {
            let accounts = self.accounts.accounts_in(id).await?;
            if accounts.is_empty() {
                break;
            }
            close_accounts(&*self.accounts, &*self.store, id).await?;
            for account in accounts {
                self.erase.run(&job, account.id).await?;
            }
        }
        let details = vec![JobDetail::new("organization_id", id)];
        self.end.completed(job, details).await
    }

    /// Nobody can correct their secrets any more: a revocation that is refused because of them ends at once.
    async fn retire_providers(&self, id: OrganizationId) -> Result<(), StoreError> {
        loop {
            let mut used = self.catalog.providers(id).await?;
            used.retain(Provider::takes_authorizations);
            if used.is_empty() {
                return Ok(());
            }
            for provider in used {
                let retired = Provider {
                    status: ProviderStatus::Deleting,
                    slug: None,
                    updated_at: self.clock.now(),
                    ..provider
                };
                match self.store.commit(vec![Change::update(retired)]).await {
                    // It was written at the same time, and is on the next list.
                    Ok(()) | Err(CommitError::Conflict) => {}
                    Err(error) => return Err(error.into_store_error()),
                }
            }
        }
    }
}
