//! The port that reads the audit log. It is written through [`crate::UnitOfWork`], in the commit it tells of.

use async_trait::async_trait;

use super::{AuditAction, AuditEntry, AuditOutcome};
use crate::ids::OrganizationId;
use crate::store::StoreError;

/// Reads the audit log.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// The newest entries of an organization, newest first, at most `limit`.
    async fn newest_entries(
        &self,
        organization: OrganizationId,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// How many entries an organization has of each action and outcome, in the order of their names.
    async fn tally(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(AuditAction, AuditOutcome, u64)>, StoreError>;
}
