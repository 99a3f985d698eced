//! Ending a user's link to a provider.

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Caller;
use crate::authorizations::{AuthorizationStore, DeleteAuthorization, DeleteAuthorizationError};
use crate::ids::{AuthorizationId, OrganizationId, ProviderId, RevocationId};
use crate::revocations::{
    ClaimedRevocations, Revocation, RevocationQueue, RevocationStatus, RunDueRevocations,
};
use crate::services::{Clock, within};
use crate::tokens::TokenSettings;
use crate::{BackgroundTasks, StoreError};

/// Deletes all authorizations of a user at a provider, and tries to revoke their tokens there at once.
#[derive(Clone)]
pub struct Unlink {
    /// Reads them.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Deletes them.
    pub delete: Arc<DeleteAuthorization>,
    /// Reads receipts.
    pub queue: Arc<dyn RevocationQueue>,
    /// Revokes.
    pub revoke: Arc<RunDueRevocations>,
    /// Where providers are asked: detached from the caller.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long the caller waits.
    pub settings: TokenSettings,
}

/// What became of the tokens of a link by now. What has failed is tried again, as the receipt tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlinked {
    /// Whether the provider has revoked all of them.
    pub revoked: bool,
    /// Why it has not, where it should have: a code.
    pub failure: Option<String>,
}

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    /// There is no link.
    #[error("there is no such link")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often it is looked whether a worker that was faster has come to an end.
const LOOK: Duration = Duration::from_millis(250);
/// The reason where nobody has come to an end in time.
const SLOW: &str = "slow";

impl Unlink {
    /// Ends the link of the caller to a provider. Each authorization is deleted together with a lasting task to revoke its
    /// tokens; how the first attempt went is told if it ends in time.
    pub async fn run(&self, caller: &Caller, provider: ProviderId) -> Result<Unlinked, UnlinkError> {
        let all = self.authorizations.authorizations_of(caller.account_id).await?;
        let linked = all.into_iter().filter(|(_, its)| its.id == provider && its.is_visible());
        let mut receipts = Vec::new();
        for (authorization, _) in linked {
            receipts.extend(self.deleted(caller, authorization.id).await?);
        }
        if receipts.is_empty() {
            return Err(UnlinkError::NotFound);
        }
        self.attempted(caller.organization_id, receipts).await
    }

    /// `None`: somebody else has deleted it meanwhile.
    async fn deleted(
        &self,
        caller: &Caller,
        id: AuthorizationId,
    ) -> Result<Option<RevocationId>, StoreError> {
        match self.delete.run(caller, id).await {
            Ok(receipt) => Ok(Some(receipt)),
            Err(DeleteAuthorizationError::NotFound) => Ok(None),
            Err(DeleteAuthorizationError::Store(error)) => Err(error),
        }
    }

    async fn attempted(
        &self,
        organization: OrganizationId,
        receipts: Vec<RevocationId>,
    ) -> Result<Unlinked, UnlinkError> {
        let this = self.clone();
        let attempts = self.tasks.start(async move { this.attempt_all(organization, &receipts).await });
        match within(&self.clock, self.settings.caller_wait, attempts).await {
            Some(Ok(unlinked)) => Ok(unlinked),
            // It goes on behind us.
            None => Ok(Unlinked::failed(SLOW)),
            Some(Err(_)) => Ok(Unlinked::failed("interrupted")),
        }
    }

    /// One after the other: where a grant is shared, it ends with the last of them. The link is gone whatever happens here.
    async fn attempt_all(&self, organization: OrganizationId, receipts: &[RevocationId]) -> Unlinked {
        let mut all = Unlinked { revoked: true, failure: None };
        for receipt in receipts {
            let attempted = self.attempt(organization, *receipt).await.unwrap_or_else(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "a revocation could not be tried");
                Unlinked::failed("store_unavailable")
            });
            all.revoked &= attempted.revoked;
            all.failure = all.failure.or(attempted.failure);
        }
        all
    }

    async fn attempt(
        &self,
        organization: OrganizationId,
        receipt: RevocationId,
    ) -> Result<Unlinked, StoreError> {
        let end = self.clock.monotonic() + self.settings.caller_wait;
        self.revoke.run(ClaimedRevocations::One(receipt)).await?;
        loop {
            let revocation = self.queue.revocation(organization, receipt).await?;
            match revocation.as_ref().and_then(Unlinked::by) {
                Some(unlinked) => return Ok(unlinked),
                None if revocation.is_none() => return Ok(Unlinked::failed("unknown")),
                // A worker was faster, and has it just now. Nobody waits for longer than this.
                None if self.clock.monotonic() >= end => return Ok(Unlinked::failed(SLOW)),
                None => self.clock.sleep(LOOK).await,
            }
        }
    }
}

impl Unlinked {
    fn failed(reason: &str) -> Self {
        Self { revoked: false, failure: Some(reason.to_owned()) }
    }

    /// What a receipt tells; `None` before the first attempt has ended.
    fn by(revocation: &Revocation) -> Option<Self> {
        let failure = revocation.last_error.clone();
        match revocation.status {
            RevocationStatus::Revoked => Some(Self { revoked: true, failure: None }),
            RevocationStatus::NotSupported | RevocationStatus::Failed => {
                Some(Self { revoked: false, failure })
            }
            RevocationStatus::Pending if revocation.attempts > 0 => Some(Self { revoked: false, failure }),
            RevocationStatus::Pending => None,
        }
    }
}

#[cfg(test)]
mod tests;
