//! Tokens that their providers refuse.

use std::sync::Arc;
use std::time::Duration;

use super::{LendAccessToken, LendError, Lendable, Verdict, Verdicts};
use crate::accounts::Caller;
use crate::ids::AuthorizationId;
use crate::providers::ProviderStatus;
use crate::services::Clock;

/// Gets tokens to ask providers about, and others in the place of those that they refuse.
pub(crate) struct RefusedTokens {
    /// Gets tokens, refreshed where need be.
    pub(crate) lend: Arc<LendAccessToken>,
    /// What providers have said.
    pub(crate) verdicts: Arc<Verdicts>,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What there is in the place of a token that was refused.
pub(crate) enum Renewed {
    /// Another one, about which the provider may be asked.
    Token(Lendable),
    /// The refused one itself, for good: there is no way to another just now.
    Refused(Lendable),
}

impl RefusedTokens {
    /// Gets a token that the provider may be asked about: not one that it has refused a moment ago, where there was no other.
    pub(crate) async fn obtain(&self, caller: &Caller, id: AuthorizationId) -> Result<Lendable, LendError> {
        let lendable = self.lend.obtain(caller, id, Duration::ZERO).await?;
        let authorization = &lendable.linked.authorization;
        match self.verdicts.recent(authorization, self.clock.monotonic()) {
            Some(Verdict::NotRenewed { reason, .. }) => Err(lendable.not_renewed(&reason)),
            _ => Ok(lendable),
        }
    }

    /// Gets another token in the place of one that the provider has just refused. Where that fails the provider is not asked
    /// again about it for a while, not even by those who come when this caller has left.
    pub(crate) async fn renew(&self, caller: &Caller, refused: Lendable) -> Result<Renewed, LendError> {
        let authorization = Arc::clone(&refused.linked.authorization);
        let now = self.clock.monotonic();
        if !self.verdicts.wants_renewal(&authorization, now) {
            return match self.verdicts.recent(&authorization, now) {
                // Somebody else was faster.
                Some(Verdict::NotRenewed { reason, .. }) => Err(refused.not_renewed(&reason)),
                _ => Ok(Renewed::Refused(refused)),
            };
        }
        match self.lend.renew(caller, refused).await {
            Ok(renewed) => Ok(Renewed::Token(renewed)),
            Err(error) => {
                self.verdicts.not_renewed(&authorization, error.reason(), self.clock.monotonic());
                Err(error)
            }
        }
    }
}

impl Lendable {
    /// What a caller hears who wants a token that the provider refuses, while no other has come for this reason.
    pub(crate) fn not_renewed(&self, reason: &str) -> LendError {
        if self.linked.provider.status == ProviderStatus::Active {
            return LendError::Unavailable { reason: reason.to_owned() };
        }
        LendError::ProviderNotActive
    }
}
