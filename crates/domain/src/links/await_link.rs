//! Waiting until a link is there.

use std::sync::Arc;
use std::time::Duration;

use super::link_waits::Seat;
use super::{LendLinkToken, LendLinkTokenError, LentLinkToken, LinkWaits};
use crate::accounts::{AuthenticateCaller, AuthenticateError, Caller};
use crate::ids::ProviderId;
use crate::services::{Clock, Random, within};
use crate::tokens::LentToken;

/// Lends the access token of the caller's link to a provider, as soon as there is one.
pub struct AwaitLink {
    /// Lends it.
    pub lend: Arc<LendLinkToken>,
    /// Tells whether the caller may still have it.
    pub authenticate: Arc<AuthenticateCaller>,
    /// Who waits in this process.
    pub waits: LinkWaits,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Spreads the looks of those who began to wait together.
    pub random: Arc<dyn Random>,
    /// How long one call waits.
    pub limit: Duration,
}

/// Why a wait has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AwaitLinkError {
    /// Nothing was linked in time. Whoever asks again waits on.
    #[error("nothing was linked in time; ask again")]
    TimeIsUp,
    /// This process stops.
    #[error("this process stops; ask again")]
    Stopping,
    /// The caller's token is no longer good.
    #[error(transparent)]
    Caller(#[from] AuthenticateError),
    /// What there is cannot be lent.
    #[error(transparent)]
    Lend(#[from] LendLinkTokenError),
}

/// Those who wait are woken; but a message may be lost, and a dead link may come to life by other ways.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// So much of it may be left out.
const JITTER: Duration = Duration::from_secs(15);

impl AwaitLink {
    /// Waits. Dropping this ends the wait.
    pub async fn run(&self, caller: &Caller, provider: ProviderId) -> Result<Box<LentToken>, AwaitLinkError> {
        let begin = self.clock.monotonic();
        // Before the first look, so that nothing is linked unseen between the two.
        let seat = self.waits.sit_down((caller.account_id, provider));
        // What is there already is not kept from anybody, though this process may stop.
        if let Some(lent) = self.look(caller, provider).await? {
            return Ok(lent);
        }
        let left = self.limit.saturating_sub(self.clock.monotonic().saturating_sub(begin));
        tokio::select! {
            biased;
            lent = self.wait(caller, provider, seat) => lent,
            () = self.waits.stopped() => Err(AwaitLinkError::Stopping),
            () = self.clock.sleep(left) => Err(AwaitLinkError::TimeIsUp),
        }
    }

    async fn wait(
        &self,
        caller: &Caller,
        provider: ProviderId,
        mut seat: Seat,
    ) -> Result<Box<LentToken>, AwaitLinkError> {
        loop {
            within(&self.clock, self.look_again(), seat.woken()).await;
            Box::pin(self.authenticate.token_still_good(caller)).await?;
            if let Some(lent) = self.look(caller, provider).await? {
                return Ok(lent);
            }
        }
    }

    fn look_again(&self) -> Duration {
        let mut bytes = [0; 2];
        self.random.fill(&mut bytes);
        LOOK_AGAIN.saturating_sub(JITTER / 65_536 * u32::from(u16::from_be_bytes(bytes)))
    }

    /// Boxed: thousands may wait, and what is only needed for a moment takes no room meanwhile.
    async fn look(
        &self,
        caller: &Caller,
        provider: ProviderId,
    ) -> Result<Option<Box<LentToken>>, AwaitLinkError> {
        match Box::pin(self.lend.run(caller, provider)).await? {
            LentLinkToken::Token(lent) => Ok(Some(lent)),
            LentLinkToken::NotLinked => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
