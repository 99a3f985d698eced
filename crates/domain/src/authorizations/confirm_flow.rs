//! Our own page before the provider's: whose account is about to be linked, and does that person want it?

use std::sync::Arc;

use url::Url;

use super::handover::{Ask, Handover, SealedHandover};
use super::{EXCHANGE_LIMIT, Flow, FlowOutcome, FlowRoute, FlowStage, FlowStore, Scopes};
use crate::accounts::{AccountStore, Caller};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::ids::FlowId;
use crate::providers::{Provider, ProviderCatalog, ProviderClients, ProviderStatus};
use crate::sealing::{SealError, TokenSealer};
use crate::secret::SecretHash;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork};

/// Shows a flow to the person who started it, and sends them on when they say yes. Without this page a victim could
/// be led to link their account at the provider to an attacker's account here: providers skip their own consent
/// page for clients they know.
pub struct ConfirmFlow {
    /// Reads flows.
    pub flows: Arc<dyn FlowStore>,
    /// Reads the names to show.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Builds authorization URLs.
    pub clients: Arc<dyn ProviderClients>,
    /// Seals verifier and nonce.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes state and cookie.
    pub random: Arc<dyn Random>,
    /// Whether a person has to be signed in and say yes. Off only for unattended demonstrations on loopback.
    pub asks_people: bool,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowSummary {
    /// The account that started the flow.
    pub account: String,
    /// Its organization.
    pub organization: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's host.
    pub host: Option<String>,
    /// The scopes that will be asked for.
    pub scopes: Scopes,
}

/// How far a flow has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowProgress {
    /// Not over yet.
    UnderWay,
    /// The account is linked.
    Authorized,
    /// The provider, the person or a check of ours refused.
    Refused {
        /// The error code.
        reason: String,
    },
    /// The provider gave no sensible answer.
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
}

/// A flow on its way to the provider.
pub struct ConfirmedFlow {
    /// The provider's page.
    pub authorization_url: Url,
    /// What the browser has to show when it comes back.
    pub cookie: Secret,
    /// The flow, for the cookie's name and path.
    pub flow: Flow,
}

/// Why the page is not shown, or the person not sent on.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmFlowError {
    /// Unknown, expired, used up, or another account's: the same to the person.
    #[error("this link is not valid, or not any more")]
    NotFound,
    /// The provider has been paused, disabled or deleted since.
    #[error("the provider is not active")]
    ProviderNotActive,
    /// Secrets could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConfirmFlow {
    /// What the page shows to the account that started the flow.
    pub async fn summary(&self, caller: &Caller, id: FlowId) -> Result<FlowSummary, ConfirmFlowError> {
        let (flow, provider) = self.open_flow(Some(caller), id).await?;
        let account = self.accounts.account(flow.account_id).await?.ok_or(ConfirmFlowError::NotFound)?;
        let organization = self.accounts.organization(flow.organization_id).await?;
        let organization = organization.ok_or(ConfirmFlowError::NotFound)?;
        Ok(FlowSummary {
            account: account.email.as_str().to_owned(),
            organization: organization.name.as_str().to_owned(),
            host: provider.host_name(),
            provider: provider.name,
            scopes: flow.scopes,
        })
    }

    /// The person says yes: the browser gets a cookie and goes on to the provider, with a state of ours.
    /// Saying yes again (after "back") starts over with fresh secrets.
    pub async fn confirm(
        &self,
        caller: Option<&Caller>,
        id: FlowId,
    ) -> Result<ConfirmedFlow, ConfirmFlowError> {
        let (mut flow, provider) = self.open_flow(caller, id).await?;
        let client = self.clients.client(provider.kind).ok_or(ConfirmFlowError::ProviderNotActive)?;
        let (state, cookie) = (self.random.token(), self.random.token());
        flow.state_hash = Some(SecretHash::of(state.expose()));
        flow.route = FlowRoute::Browser { cookie_hash: Some(SecretHash::of(cookie.expose())) };
        flow.stage = FlowStage::Pending;
        let handover = Handover::fresh(&provider, &*self.random);
        let places = Flow::handover_places(flow.organization_id, flow.id);
        let sealed = handover.seal(places, &*self.sealer).await?;
        SealedHandover { pkce_verifier: flow.pkce_verifier, nonce: flow.nonce } = sealed;
        let request = handover.into_request(Ask::of(&flow, state));
        let authorization_url = client.authorization_url(&provider.client(), &request);
        self.save(caller, &flow, AuditOutcome::Done, "yes").await?;
        Ok(ConfirmedFlow { authorization_url, cookie, flow })
    }

    /// The person says no: the flow is over.
    pub async fn decline(&self, caller: &Caller, id: FlowId) -> Result<(), ConfirmFlowError> {
        let (flow, _) = self.open_flow(Some(caller), id).await?;
        let now = self.clock.now();
        let flow = flow.finished(FlowOutcome::Refused("declined".to_owned()), now);
        self.save(Some(caller), &flow, AuditOutcome::Refused, "declined").await
    }

    /// How far a flow on our own route has come: for the page at its end, which anyone with the link may see.
    pub async fn progress(&self, id: FlowId) -> Result<FlowProgress, ConfirmFlowError> {
        let flow = self.flows.flow(id).await?;
        let flow = flow.filter(|flow| matches!(flow.route, FlowRoute::Browser { .. }));
        Ok(match flow.ok_or(ConfirmFlowError::NotFound)?.stage {
            FlowStage::Exchanging(code) if code.since + EXCHANGE_LIMIT <= self.clock.now() => {
                FlowProgress::Unavailable { reason: "interrupted".to_owned() }
            }
            FlowStage::Unconfirmed | FlowStage::Pending | FlowStage::Exchanging(_) => FlowProgress::UnderWay,
            FlowStage::Finished { outcome: FlowOutcome::Authorized(_), .. } => FlowProgress::Authorized,
            FlowStage::Finished { outcome: FlowOutcome::Refused(reason), .. } => {
                FlowProgress::Refused { reason }
            }
            FlowStage::Finished { outcome: FlowOutcome::Unavailable(reason), .. } => {
                FlowProgress::Unavailable { reason }
            }
        })
    }

    async fn open_flow(
        &self,
        caller: Option<&Caller>,
        id: FlowId,
    ) -> Result<(Flow, Provider), ConfirmFlowError> {
        let flow = self.flows.flow(id).await?.ok_or(ConfirmFlowError::NotFound)?;
        let is_theirs = caller.map_or(!self.asks_people, |caller| caller.account_id == flow.account_id);
        let is_ours = matches!(flow.route, FlowRoute::Browser { .. });
        let is_open = matches!(flow.stage, FlowStage::Unconfirmed | FlowStage::Pending);
        if !is_theirs || !is_ours || !is_open || flow.expires_at <= self.clock.now() {
            return Err(ConfirmFlowError::NotFound);
        }
        let provider = self.catalog.provider(flow.organization_id, flow.provider_id).await?;
        let provider = provider.ok_or(ConfirmFlowError::NotFound)?;
        let is_usable =
            provider.status == ProviderStatus::Active && provider.endpoints.digest() == flow.endpoints;
        if is_usable { Ok((flow, provider)) } else { Err(ConfirmFlowError::ProviderNotActive) }
    }

    async fn save(
        &self,
        caller: Option<&Caller>,
        flow: &Flow,
        outcome: AuditOutcome,
        reason: &str,
    ) -> Result<(), ConfirmFlowError> {
        let now = self.clock.now();
        let action = AuditAction::FlowConfirmed;
        let audit = match caller {
            Some(caller) => AuditEntry::by(caller, action, &*self.random, now),
            None => AuditEntry::new(flow.organization_id, Actor::Service, action, &*self.random, now),
        };
        let audit = audit.ending(outcome, reason).about_provider(flow.provider_id).about(flow.id);
        match self.store.commit(vec![Change::update(flow.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(()),
            // Two clicks at once: one of them goes on, the other starts over.
            Err(CommitError::Conflict) => Err(ConfirmFlowError::NotFound),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}

#[cfg(test)]
mod tests;
