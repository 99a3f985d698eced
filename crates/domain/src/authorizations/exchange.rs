//! Redeeming a code and keeping what comes of it. Runs detached: it commits with nobody waiting.

use std::sync::Arc;

use async_trait::async_trait;

use super::handover::Handover;
use super::keep_grant::{Answered, EndFlow, Errand, FlowEnd, KeepGrant};
use super::{Flow, FlowOutcome, FlowStage, FlowStore};
use crate::providers::{CodeExchange, Provider, ProviderCatalog, ProviderClients, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, within};
use crate::tokens::TokenSettings;
use crate::{Change, Secret, StoreError};

/// Redeems a code whose flow is used up.
pub struct ExchangeCode {
    /// Tells whether the flow is still there.
    pub flows: Arc<dyn FlowStore>,
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the flow's secrets.
    pub sealer: Arc<dyn TokenSealer>,
    /// Keeps what comes of it.
    pub grants: Arc<KeepGrant>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long the provider may take.
    pub settings: TokenSettings,
}

impl ExchangeCode {
    /// Redeems the code; the outcome is in the store when this returns. `known` is the provider as it was before the flow
    /// was used up.
    pub async fn run(
        &self,
        flow: Flow,
        known: Provider,
        code: Secret,
        request_id: Option<String>,
    ) -> Result<FlowOutcome, StoreError> {
        // Only now that the flow counts as an exchange under way does a deletion of the provider or the account wait for
        // it; one that began before would not revoke what the code brings.
        let provider = self.catalog.provider(flow.organization_id, flow.provider_id).await?;
        let has_account = self.grants.has_account(flow.account_id).await?;
        let deleted = |reason| Answered::Failed(UpstreamError::Untrusted { reason });
        let (provider, answered) = match provider {
            Some(provider) if provider.takes_authorizations() && has_account => {
                let answered = self.answered(&flow, &provider, code).await?;
                (provider, answered)
            }
            Some(provider) if provider.takes_authorizations() => (provider, deleted("account_deleted")),
            gone => (gone.unwrap_or(known), deleted("provider_deleted")),
        };
        let errand = Errand { request_id, ..Errand::from(&flow) };
        let end = EndOfFlow { flows: &*self.flows, flow: &flow, clock: &*self.clock };
        self.grants.keep(&errand, &provider, &answered, &end).await
    }

    async fn answered(&self, flow: &Flow, provider: &Provider, code: Secret) -> Result<Answered, StoreError> {
        match self.ask(flow, provider, code).await {
            Ok(answered) => Ok(answered),
            Err(SealError::Store(error)) => Err(error),
            Err(error) => Ok(Answered::Failed(error.into_upstream_error())),
        }
    }

    async fn ask(&self, flow: &Flow, provider: &Provider, code: Secret) -> Result<Answered, SealError> {
        let exchange = self.code_exchange(flow, code).await?;
        self.redeem(provider, &exchange).await
    }

    /// Redeems a code, and finds out whose tokens it brings.
    pub(crate) async fn redeem(
        &self,
        provider: &Provider,
        exchange: &CodeExchange,
    ) -> Result<Answered, SealError> {
        let Some(client) = self.clients.client(provider.kind) else {
            return Ok(Answered::Failed(UpstreamError::NotSupported));
        };
        let connection = provider.connect(&*self.sealer).await?;
        let asked = self.clock.now();
        let answer = client.exchange_code(&connection, exchange);
        let answer = within(&self.clock, self.settings.upstream_limit, answer).await;
        Ok(match answer.unwrap_or(Err(UpstreamError::timeout())) {
            Ok(tokens) => self.grants.attribute(&*client, &connection, &exchange.scopes, tokens, asked).await,
            Err(error) => Answered::Failed(error),
        })
    }

    async fn code_exchange(&self, flow: &Flow, code: Secret) -> Result<CodeExchange, SealError> {
        let places = Flow::handover_places(flow.organization_id, flow.id);
        let handover =
            Handover::open(places, flow.pkce_verifier.as_ref(), &flow.nonce, &*self.sealer).await?;
        Ok(handover.into_exchange(code, flow.redirect_uri.clone(), flow.scopes.clone()))
    }
}

impl From<&Flow> for Errand {
    fn from(flow: &Flow) -> Self {
        Self {
            organization_id: flow.organization_id,
            account_id: flow.account_id,
            provider_id: flow.provider_id,
            scopes: flow.scopes.clone(),
            redirect_uri: Some(flow.redirect_uri.clone()),
            flow: flow.id.to_string(),
            request_id: None,
        }
    }
}

/// The end of a flow whose state this process has used up.
struct EndOfFlow<'a> {
    flows: &'a dyn FlowStore,
    flow: &'a Flow,
    clock: &'a dyn Clock,
}

#[async_trait]
impl EndFlow for EndOfFlow<'_> {
    async fn end(&self, outcome: &FlowOutcome) -> Result<FlowEnd, StoreError> {
        Ok(match self.flows.flow(self.flow.id).await? {
            None => FlowEnd::Gone,
            // Nobody but us has used it up, so this is what we wrote.
            Some(Flow { stage: FlowStage::Finished { outcome, .. }, .. }) => FlowEnd::Ended(outcome),
            Some(flow) => {
                FlowEnd::Change(Box::new(Change::update(flow.finished(outcome.clone(), self.clock.now()))))
            }
        })
    }
}

#[cfg(test)]
mod tests;
