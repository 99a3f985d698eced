//! Handing the access token of a link to a machine.

use std::sync::Arc;
use std::time::Duration;

use super::check_link::LIMIT;
use super::{CheckLink, Link};
use crate::StoreError;
use crate::accounts::Caller;
use crate::authorizations::AuthorizationStore;
use crate::ids::{AuthorizationId, ProviderId};
use crate::services::{Clock, within};
use crate::tokens::{LendAccessToken, LendError, Lendable, LentToken, Verdict};

/// Lends the access token of the caller's link to a provider.
pub struct LendLinkToken {
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Gets tokens, and records that they were handed out.
    pub lend: Arc<LendAccessToken>,
    /// Asks the provider whether it takes the token.
    pub(crate) check: Arc<CheckLink>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What a machine gets.
pub enum LentLinkToken {
    /// The token.
    Token(Box<LentToken>),
    /// There is none: nothing is linked, or what was linked is dead. The person has to link it.
    NotLinked,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LendLinkTokenError {
    /// Paused, or disabled and the stored token has expired.
    #[error("the provider is not active; ask an administrator of your organization")]
    ProviderNotActive,
    /// The stored token is no longer valid, and the provider has not given another.
    #[error("the stored token has expired and the provider has not answered ({reason}); try again")]
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LendLinkToken {
    /// Lends a token that the provider was asked about a minute ago or less. What cannot be checked is lent all the same: only a
    /// definite answer withholds it.
    pub async fn run(
        &self,
        caller: &Caller,
        provider: ProviderId,
    ) -> Result<LentLinkToken, LendLinkTokenError> {
        let Some(link) = Link::at(provider, caller, &*self.authorizations).await? else {
            return Ok(LentLinkToken::NotLinked);
        };
        let id = link.authorization.id;
        let obtained = Box::pin(self.checked(caller, id)).await;
        match self.lend.hand_out(caller, id, obtained).await {
            Ok(lent) => Ok(LentLinkToken::Token(Box::new(lent))),
            Err(LendError::NotFound | LendError::GrantDead { .. }) => Ok(LentLinkToken::NotLinked),
            Err(LendError::ProviderNotActive) => Err(LendLinkTokenError::ProviderNotActive),
            Err(LendError::Unavailable { reason }) => Err(LendLinkTokenError::Unavailable { reason }),
            Err(LendError::Store(error)) => Err(error.into()),
        }
    }

    async fn checked(&self, caller: &Caller, id: AuthorizationId) -> Result<Lendable, LendError> {
        let lendable = self.lend.obtain(caller, id, Duration::ZERO).await?;
        // Where the provider has refused it, whoever has the turn may be about to bring another.
        if let Some(verdict @ (Verdict::Taken | Verdict::Refused)) = self.recent(&lendable) {
            return unless_refused(lendable, &verdict);
        }
        // A thousand may have waited for this link: the first of them asks, for all.
        let begin = self.clock.monotonic();
        let Some(_turn) = within(&self.clock, LIMIT, self.check.verdicts.turn(id)).await else {
            let known = self.check.verdicts.known(&lendable.linked.authorization);
            return unless_refused(lendable, &known);
        };
        let left = LIMIT.saturating_sub(self.clock.monotonic().saturating_sub(begin));
        // Whoever had the turn before may have brought another token.
        let lendable = self.lend.obtain(caller, id, Duration::ZERO).await?;
        if let Some(verdict) = self.recent(&lendable) {
            return unless_refused(lendable, &verdict);
        }
        let checked = self.check.check(caller, lendable, left).await?;
        unless_refused(checked.lendable, &checked.verdict)
    }

    fn recent(&self, lendable: &Lendable) -> Option<Verdict> {
        self.check.verdicts.recent(&lendable.linked.authorization, self.clock.monotonic())
    }
}

fn unless_refused(lendable: Lendable, verdict: &Verdict) -> Result<Lendable, LendError> {
    match verdict {
        Verdict::Taken => Ok(lendable),
        Verdict::Refused => Err(LendError::GrantDead { reason: "invalid_token".to_owned() }),
        Verdict::NotRenewed { reason, .. } => Err(lendable.not_renewed(reason)),
    }
}

#[cfg(test)]
mod tests;
