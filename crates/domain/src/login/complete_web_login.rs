//! Completing a login on the web with what the provider sent back.

use std::sync::Arc;

use super::{LoginEnd, LoginError, LoginOutcomes, LoginRoute, LoginStage, LoginStore};
use tokio::sync::oneshot;

use crate::authorizations::handover::Handover;
use crate::authorizations::{Answered, Callback, ExchangeCode, error_code, issuer_fits};
use crate::ids::LoginId;
use crate::login::Login;
use crate::providers::{Provider, ProviderCatalog, ProviderStatus};
use crate::sealing::{SealError, TokenSealer};
use crate::secret::SecretHash;
use crate::services::{Clock, Random, within};
use crate::tokens::TokenSettings;
use crate::{BackgroundTasks, Change, CommitError, Secret, StoreError, UnitOfWork};

/// Checks a callback against its login, uses its state up, and finds out who the person is.
#[derive(Clone)]
pub struct CompleteWebLogin {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Reads logins.
    pub logins: Arc<dyn LoginStore>,
    /// Redeems codes.
    pub exchange: Arc<ExchangeCode>,
    /// Decides what comes of it.
    pub(crate) outcomes: Arc<LoginOutcomes>,
    /// Opens verifier and nonce.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Where codes are redeemed: detached from the browser.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the browser's cookie.
    pub random: Arc<dyn Random>,
    /// How long the browser waits.
    pub settings: TokenSettings,
}

/// A browser that has come back from the provider. What became of its login is on the page of [`ConfirmLogin`](super::ConfirmLogin).
pub struct ReturnedLogin {
    /// The login.
    pub id: LoginId,
    /// What the browser has to show on that page; `None`: what it has already.
    pub cookie: Option<Secret>,
}

impl CompleteWebLogin {
    /// A browser comes back. `cookies` are the login cookies that it shows. `None`: no login has this state.
    pub async fn run(
        &self,
        callback: Callback,
        cookies: &[Secret],
    ) -> Result<Option<ReturnedLogin>, LoginError> {
        let state = SecretHash::of(callback.state.expose());
        let Some(login) = self.logins.login_by_state(callback.provider_id, &state).await? else {
            return Ok(None);
        };
        let id = login.id;
        let is_its_browser = login.is_shown_by(cookies);
        if login.stage != LoginStage::Pending {
            // The page was loaded again. The state is used up all the same.
            let returned = ReturnedLogin { id, cookie: None };
            return if is_its_browser { Ok(Some(returned)) } else { Err(LoginError::UnknownState) };
        }
        let is_ours = matches!(login.route, LoginRoute::Client { .. }) || is_its_browser;
        if login.is_over(self.clock.now()) || !is_ours {
            return Err(LoginError::UnknownState);
        }
        let provider = self.catalog.provider(login.organization_id, login.provider_id).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(LoginError::UnknownState)?;
        let cookie = self.random.token();
        self.use_up(login, provider, callback, &cookie).await?;
        Ok(Some(ReturnedLogin { id, cookie: Some(cookie) }))
    }

    async fn use_up(
        &self,
        login: Login,
        provider: Provider,
        callback: Callback,
        cookie: &Secret,
    ) -> Result<(), LoginError> {
        let login = Login { browser_hash: Some(SecretHash::of(cookie.expose())), ..login };
        let code = match code(&login, &provider, callback) {
            Ok(code) => code,
            Err(reason) => return won(self.outcomes.end(login, LoginEnd::Refused(reason)).await),
        };
        // From here on the state is used up: before the code goes anywhere.
        let asking = login.at(LoginStage::Asking { since: self.clock.now() });
        let this = self.clone();
        let (claimed, claim) = oneshot::channel();
        let running = self.tasks.start(async move {
            let used_up = this.store.commit(vec![Change::update(asking.clone())]).await;
            let is_ours = used_up.is_ok();
            // The browser may have left.
            let _ = claimed.send(used_up);
            if is_ours && let Err(error) = this.ask(asking.stored(), &provider, code).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the outcome of a login could not be kept");
            }
        });
        let interrupted = || LoginError::Unavailable { reason: LoginError::INTERRUPTED.to_owned() };
        won(claim.await.map_err(|_| interrupted())?)?;
        // Whatever comes of it, the page tells: the browser has to get there, for it cannot come back with this state again.
        let _ = within(&self.clock, self.settings.caller_wait, running).await;
        Ok(())
    }

    async fn ask(&self, login: Login, provider: &Provider, code: Secret) -> Result<(), StoreError> {
        let answered = match self.redeem(&login, provider, code).await {
            Ok(answered) => answered,
            Err(SealError::Store(error)) => return Err(error),
            Err(error) => Answered::Failed(error.into_upstream_error()),
        };
        self.outcomes.settle(login, provider, &answered).await
    }

    async fn redeem(&self, login: &Login, provider: &Provider, code: Secret) -> Result<Answered, SealError> {
        let grant = login.grant().ok_or(SealError::UnknownFormat)?;
        let places = Login::handover_places(login.organization_id, login.id);
        let handover =
            Handover::open(places, grant.pkce_verifier.as_ref(), &grant.nonce, &*self.sealer).await?;
        let exchange = handover.into_exchange(code, grant.redirect_uri.clone(), login.scopes.clone());
        self.exchange.redeem(provider, &exchange).await
    }
}

/// Of two that bring one state, one gets on.
fn won(committed: Result<(), CommitError>) -> Result<(), LoginError> {
    match committed {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict) => Err(LoginError::UnknownState),
        Err(error) => Err(error.into_store_error().into()),
    }
}

/// The code, or why it goes nowhere. First of all: is this the provider that the person was sent to (RFC 9207, 2.4)?
fn code(login: &Login, provider: &Provider, callback: Callback) -> Result<Secret, String> {
    let is_it = issuer_fits(provider, callback.iss.as_deref(), false)
        && provider.endpoints.digest() == login.endpoints;
    match callback.answer {
        _ if !is_it => Err("issuer_mismatch".to_owned()),
        _ if provider.status != ProviderStatus::Active => Err("provider_not_active".to_owned()),
        Err(error) => Err(error_code(&error).to_owned()),
        Ok(code) => Ok(code),
    }
}

impl Login {
    /// Whether one of these cookies is that of its browser.
    pub(super) fn is_shown_by(&self, cookies: &[Secret]) -> bool {
        let expected = self.browser_hash.as_ref();
        expected.is_some_and(|hash| cookies.iter().any(|cookie| SecretHash::of(cookie.expose()) == *hash))
    }
}

#[cfg(test)]
mod tests;
