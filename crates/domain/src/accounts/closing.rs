//! Closing all accounts of an organization that is being deleted.

use super::{Account, AccountStore, Standing};
use crate::ids::OrganizationId;
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// How many accounts one commit takes.
const BATCH: usize = 100;

/// Nobody of the organization gets in when this returns. What was closed before stays closed.
pub(crate) async fn close_accounts(
    accounts: &dyn AccountStore,
    store: &dyn UnitOfWork,
    organization: OrganizationId,
) -> Result<(), StoreError> {
    loop {
        let mut open = accounts.accounts_in(organization).await?;
        open.retain(|account| account.standing == Standing::Active);
        if open.is_empty() {
            return Ok(());
        }
        for batch in open.chunks(BATCH) {
            let close = |account: &Account| {
                Change::update(Account { standing: Standing::Deleting, ..account.clone() })
            };
            match store.commit(batch.iter().map(close).collect()).await {
                // One of them was written at the same time: those that are still open are on the next list.
                Ok(()) | Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error()),
            }
        }
    }
}
