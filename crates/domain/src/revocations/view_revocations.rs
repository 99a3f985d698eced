//! Showing what became of the tokens of deleted authorizations.

use std::sync::Arc;

use super::{Revocation, RevocationFilter, RevocationQueue};
use crate::StoreError;
use crate::accounts::{Caller, Role};
use crate::ids::{AccountId, RevocationId};

/// Shows receipts: to members their own, to administrators those of their organization.
pub struct ViewRevocations {
    /// Reads them.
    pub queue: Arc<dyn RevocationQueue>,
}

/// Why a receipt is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ViewRevocationError {
    /// Not there, or not the caller's.
    #[error("there is no such revocation")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The longest list that is shown; the newest are in it.
pub const LONGEST_LIST: u32 = 500;

impl ViewRevocations {
    /// One receipt.
    pub async fn get(&self, caller: &Caller, id: RevocationId) -> Result<Revocation, ViewRevocationError> {
        let found = self.queue.revocation(caller.organization_id, id).await?;
        let is_theirs = |one: &Revocation| seen_by(caller).is_none_or(|account| one.account_id == account);
        found.filter(is_theirs).ok_or(ViewRevocationError::NotFound)
    }

    /// Those that the filter lets through, newest first, at most [`LONGEST_LIST`].
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &RevocationFilter,
    ) -> Result<Vec<Revocation>, StoreError> {
        self.queue.newest_revocations(caller.organization_id, seen_by(caller), filter, LONGEST_LIST).await
    }
}

/// Whose receipts the caller sees; `None`: everybody's in the organization.
fn seen_by(caller: &Caller) -> Option<AccountId> {
    match caller.role {
        Role::Admin => None,
        Role::Member => Some(caller.account_id),
    }
}

#[cfg(test)]
mod tests;
