//! Opening a browser session with an API token.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    ApiToken, ApiTokenSecret, AuthenticateCaller, AuthenticateError, Caller, IssuedToken, TokenPurpose,
};
use crate::audit::{AuditAction, AuditEntry};
use crate::ids::ApiTokenId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// How long a browser session lives at most.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::hours(8);

/// Opens a browser session: a token of its own, so that the API token never rests in a browser.
pub struct OpenSession {
    /// Checks the API token.
    pub authenticate: Arc<AuthenticateCaller>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes the session's token.
    pub random: Arc<dyn Random>,
}

/// Why no session was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenSessionError {
    /// Not a usable API token. A session's own token opens no other session, or none would ever end.
    #[error("the API token is wrong, expired or revoked")]
    Refused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenSession {
    /// Opens a session with an API token.
    pub async fn run(
        &self,
        api_token: &str,
        request_id: Option<String>,
    ) -> Result<(Caller, IssuedToken), OpenSessionError> {
        let caller = match self.authenticate.run(api_token, request_id).await {
            Ok(caller) if caller.purpose == TokenPurpose::Api => caller,
            Ok(_) | Err(AuthenticateError::Unauthenticated | AuthenticateError::OnlyReadsTokens) => {
                return Err(OpenSessionError::Refused);
            }
            Err(AuthenticateError::Store(error)) => return Err(error.into()),
        };
        let now = self.clock.now();
        let secret = ApiTokenSecret::generate(&*self.random);
        let id = ApiTokenId::generate(&*self.random, now);
        let purpose = TokenPurpose::Session { opened_with: caller.token_id };
        let owner = (caller.account_id, caller.organization_id);
        let token = ApiToken::new(owner, &secret, (id, purpose), now, Some(now + SESSION_LIFETIME));
        let audit = AuditEntry::by(&caller, AuditAction::SessionOpened, &*self.random, now).about(token.id);
        let changes = vec![Change::insert(token.clone()), Change::Audit(audit)];
        self.store.commit(changes).await.map_err(CommitError::into_store_error)?;
        Ok((caller, IssuedToken { token, secret }))
    }
}

#[cfg(test)]
mod tests;
