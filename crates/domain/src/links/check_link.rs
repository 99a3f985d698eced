//! Asking a provider whether it takes the token of a link.

use std::sync::Arc;
use std::time::Duration;

use super::{CheckedLink, Link};
use crate::accounts::Caller;
use crate::ids::AuthorizationId;
use crate::providers::{ProviderClients, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, within};
use crate::tokens::{LendError, Lendable, Linked, RefusedTokens, Renewed, Verdict, Verdicts};

/// Gets the token of a link and asks the provider whether it takes it.
pub(crate) struct CheckLink {
    /// Gets tokens, and others for those that are refused.
    pub(crate) tokens: Arc<RefusedTokens>,
    /// Asks providers.
    pub(crate) clients: Arc<dyn ProviderClients>,
    /// Opens the client secret.
    pub(crate) sealer: Arc<dyn TokenSealer>,
    /// What providers have said.
    pub(crate) verdicts: Arc<Verdicts>,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What came of a check.
pub(super) struct Checked {
    /// The token.
    pub(super) lendable: Lendable,
    /// Whether the provider takes it, as far as anybody knows.
    pub(super) verdict: Verdict,
    /// Why it does not, or could not be asked: a code.
    pub(super) failure: Option<String>,
}

/// How long a provider may take to tell.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

impl CheckLink {
    /// Gets a token and checks it. One that the provider refuses is refreshed, once.
    pub(super) async fn run(&self, caller: &Caller, id: AuthorizationId) -> Result<Checked, LendError> {
        let lendable = self.tokens.obtain(caller, id).await?;
        self.check(caller, lendable, LIMIT).await
    }

    /// Checks a token that was obtained; the provider has until `limit` to tell. One that it refuses is refreshed, once.
    pub(super) async fn check(
        &self,
        caller: &Caller,
        lendable: Lendable,
        limit: Duration,
    ) -> Result<Checked, LendError> {
        match self.ask(&lendable, limit).await {
            Err(UpstreamError::TokenRefused) => match self.tokens.renew(caller, lendable).await? {
                Renewed::Token(renewed) => {
                    let answer = self.ask(&renewed, limit).await;
                    Ok(self.checked(renewed, answer))
                }
                Renewed::Refused(lendable) => Ok(self.checked(lendable, Err(UpstreamError::TokenRefused))),
            },
            answer => Ok(self.checked(lendable, answer)),
        }
    }

    async fn ask(&self, lendable: &Lendable, limit: Duration) -> Result<(), UpstreamError> {
        let Lendable { linked: Linked { authorization, provider, .. }, access_token } = lendable;
        let client = self.clients.client(provider.kind).ok_or(UpstreamError::NotSupported)?;
        let validate = client.validate(&provider.endpoints, &authorization.requested_scopes);
        let validate = validate.ok_or(UpstreamError::NotSupported)?;
        let connection = provider.connect(&*self.sealer).await.map_err(SealError::into_upstream_error)?;
        let answer = validate.validate_token(&connection, access_token);
        within(&self.clock, limit, answer).await.unwrap_or(Err(UpstreamError::timeout()))
    }

    fn checked(&self, lendable: Lendable, answer: Result<(), UpstreamError>) -> Checked {
        // A provider that has no way to tell takes what it gave.
        let answer = if answer == Err(UpstreamError::NotSupported) { Ok(()) } else { answer };
        let authorization = &lendable.linked.authorization;
        self.verdicts.hear(authorization, &answer, self.clock.monotonic());
        let (verdict, failure) = (self.verdicts.known(authorization), answer.err());
        Checked { lendable, verdict, failure: failure.map(|error| error.reason().to_owned()) }
    }

    /// A link that could not be checked, as it was known before; `failure` is why it could not, as a code.
    pub(super) fn unchecked(&self, link: Link, failure: &str) -> CheckedLink {
        let reason = link.authorization.dead_reason(self.clock.now());
        let holds = reason.is_none() && self.verdicts.known(&link.authorization).holds();
        let failure = Some(reason.unwrap_or(failure).to_owned());
        CheckedLink { link, authenticated: holds, failure }
    }
}

impl From<Checked> for CheckedLink {
    fn from(Checked { lendable, verdict, failure }: Checked) -> Self {
        Self { link: Link::of(lendable), authenticated: verdict.holds(), failure }
    }
}

#[cfg(test)]
mod tests;
