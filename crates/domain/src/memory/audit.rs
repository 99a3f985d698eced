//! The audit log.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, rows};
use crate::StoreError;
use crate::audit::{AuditAction, AuditEntry, AuditLog, AuditOutcome};
use crate::ids::OrganizationId;

#[async_trait]
impl AuditLog for MemoryStore {
    async fn newest_entries(
        &self,
        organization: OrganizationId,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.state();
        let mut entries: Vec<&AuditEntry> =
            state.audit.values().filter(|entry| entry.organization_id == organization).collect();
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
        Ok(entries.into_iter().take(rows(limit)).cloned().collect())
    }

    async fn tally(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(AuditAction, AuditOutcome, u64)>, StoreError> {
        let state = self.state();
        let mut counts = BTreeMap::new();
        for entry in state.audit.values().filter(|entry| entry.organization_id == organization) {
            let (.., count) = counts.entry((entry.action.as_str(), entry.outcome.as_str())).or_insert((
                entry.action,
                entry.outcome,
                0,
            ));
            *count += u64::from(entry.count);
        }
        Ok(counts.into_values().collect())
    }
}
