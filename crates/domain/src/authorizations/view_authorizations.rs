//! Showing a user's authorizations.

use std::sync::Arc;

use super::{AuthorizationStore, AuthorizationView, if_own};
use crate::StoreError;
use crate::accounts::Caller;
use crate::ids::AuthorizationId;
use crate::services::Clock;

/// Shows the caller's own authorizations.
pub struct ViewAuthorizations {
    /// Reads them.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Their status depends on the time.
    pub clock: Arc<dyn Clock>,
}

/// Why an authorization is not shown.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationNotFound {
    /// Not there, or another user's: the same to the caller.
    #[error("there is no such authorization")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ViewAuthorizations {
    /// All of them, oldest first. Those whose provider is being deleted are gone already.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<AuthorizationView>, StoreError> {
        let now = self.clock.now();
        let found = self.authorizations.authorizations_of(caller.account_id).await?;
        let visible = found.into_iter().filter(|(_, provider)| provider.is_visible());
        Ok(visible
            .map(|(authorization, provider)| AuthorizationView::of(authorization, provider, now))
            .collect())
    }

    /// One of them.
    pub async fn get(
        &self,
        caller: &Caller,
        id: AuthorizationId,
    ) -> Result<AuthorizationView, AuthorizationNotFound> {
        let found = self.authorizations.authorization(caller.organization_id, id).await?;
        let (authorization, provider) = if_own(found, caller).ok_or(AuthorizationNotFound::NotFound)?;
        Ok(AuthorizationView::of(authorization, provider, self.clock.now()))
    }
}
