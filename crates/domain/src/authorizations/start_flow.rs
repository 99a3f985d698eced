//! Starting a flow.

use std::sync::Arc;

use url::Url;

use super::handover::{Ask, Handover};
use super::{FLOW_LIFETIME, Flow, FlowRoute, FlowStage, RedirectUri, RedirectUriError};
use crate::accounts::{AccountStore, Caller};
use crate::audit::{AuditAction, AuditEntry};
use crate::ids::{FlowId, ProviderId};
use crate::providers::{Provider, ProviderCatalog, ProviderClients, ProviderStatus};
use crate::sealing::{SealError, TokenSealer};
use crate::secret::SecretHash;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork, Version};

/// Starts a flow for a caller.
pub struct StartFlow {
    /// Reads the organization's redirect allow-list.
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
    /// Makes its secrets.
    pub random: Arc<dyn Random>,
    /// Where this service is reached from outside: an origin without a trailing slash.
    pub public_url: String,
}

/// What a caller wants.
pub struct StartFlowRequest {
    /// At which provider.
    pub provider_id: ProviderId,
    /// The caller's own page; `None`: ours.
    pub redirect_uri: Option<String>,
    /// The caller's own state; `None` or empty: one is made.
    pub state: Option<Secret>,
    /// Beats the provider's own setting.
    pub skip_consent: Option<bool>,
    /// On our own route: where the browser goes when the account is linked, a path of ours that the one who calls this has
    /// looked at. Beside a `redirect_uri` it has no meaning.
    pub return_to: Option<String>,
}

/// A flow that was started.
pub struct StartedFlow {
    /// Where the person has to go: the provider's page, or ours.
    pub redirect_url: Url,
    /// The state.
    pub state: Secret,
}

/// Why a flow was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartFlowError {
    /// Not there, or not the caller's.
    #[error("there is no such provider")]
    ProviderNotFound,
    /// Paused, disabled or failed to be deleted.
    #[error("the provider is not active")]
    NotActive,
    /// No redirect URI.
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
    /// A redirect URI that the organization does not allow.
    #[error("is not on the redirect allow-list of the organization")]
    RedirectNotAllowed,
    /// Secrets could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StartFlow {
    /// Starts a flow. It lives for [`FLOW_LIFETIME`].
    pub async fn run(
        &self,
        caller: &Caller,
        request: StartFlowRequest,
    ) -> Result<StartedFlow, StartFlowError> {
        self.start(caller, request).await.map(|(_, started)| started)
    }

    /// Starts a flow on our own route, by the provider's own settings. Its id is where our page is.
    pub async fn on_our_route(
        &self,
        caller: &Caller,
        provider_id: ProviderId,
        return_to: Option<String>,
    ) -> Result<FlowId, StartFlowError> {
        let request =
            StartFlowRequest { provider_id, redirect_uri: None, state: None, skip_consent: None, return_to };
        self.start(caller, request).await.map(|(id, _)| id)
    }

    async fn start(
        &self,
        caller: &Caller,
        request: StartFlowRequest,
    ) -> Result<(FlowId, StartedFlow), StartFlowError> {
        let provider = self.catalog.provider(caller.organization_id, request.provider_id).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(StartFlowError::ProviderNotFound)?;
        if provider.status != ProviderStatus::Active {
            return Err(StartFlowError::NotActive);
        }
        let redirect_uri = match &request.redirect_uri {
            Some(uri) => Some(self.allowed_redirect(caller, uri).await?),
            None => None,
        };
        let state = request.state.filter(|state| !state.expose().is_empty());
        let state = state.unwrap_or_else(|| self.random.token());
        let skip_consent = request.skip_consent.or(provider.skip_consent).unwrap_or(false);
        let (mut flow, handover) =
            self.new_flow(caller, &provider, redirect_uri, &state, !skip_consent).await?;
        flow.return_to = request.return_to.filter(|_| flow.route != FlowRoute::Caller);
        let redirect_url = match flow.route {
            FlowRoute::Caller => self.provider_page(&provider, &flow, &state, handover)?,
            FlowRoute::Browser { .. } => own_page(&self.public_url, flow.id)?,
        };
        let audit = AuditEntry::by(caller, AuditAction::FlowStarted, &*self.random, flow.created_at)
            .about_provider(provider.id)
            .about(flow.id);
        let id = flow.id;
        let changes = vec![Change::insert(flow), Change::Audit(audit)];
        self.store.commit(changes).await.map_err(CommitError::into_store_error)?;
        Ok((id, StartedFlow { redirect_url, state }))
    }

    async fn allowed_redirect(&self, caller: &Caller, uri: &str) -> Result<RedirectUri, StartFlowError> {
        let parsed = RedirectUri::parse(uri)?;
        let organization = self.accounts.organization(caller.organization_id).await?;
        let allowed = organization.is_some_and(|organization| organization.redirect_uris.allows(&parsed));
        if allowed { Ok(parsed) } else { Err(StartFlowError::RedirectNotAllowed) }
    }

    async fn new_flow(
        &self,
        caller: &Caller,
        provider: &Provider,
        redirect_uri: Option<RedirectUri>,
        state: &Secret,
        force_consent: bool,
    ) -> Result<(Flow, Handover), SealError> {
        let now = self.clock.now();
        let id = FlowId::generate(&*self.random, now);
        let organization_id = caller.organization_id;
        let handover = Handover::fresh(provider, &*self.random);
        let sealed = handover.seal(Flow::handover_places(organization_id, id), &*self.sealer).await?;
        let (route, stage, state_hash, redirect_uri) = if let Some(uri) = redirect_uri {
            let hash = SecretHash::of(state.expose());
            (FlowRoute::Caller, FlowStage::Pending, Some(hash), uri.as_str().to_owned())
        } else {
            let callback = format!("{}/callback/{}", self.public_url, provider.id);
            (FlowRoute::Browser { cookie_hash: None }, FlowStage::Unconfirmed, None, callback)
        };
        let flow = Flow {
            id,
            organization_id,
            account_id: caller.account_id,
            provider_id: provider.id,
            route,
            state_hash,
            redirect_uri,
            return_to: None,
            pkce_verifier: sealed.pkce_verifier,
            nonce: sealed.nonce,
            scopes: provider.scopes.clone(),
            force_consent,
            endpoints: provider.endpoints.digest(),
            stage,
            created_at: now,
            expires_at: now + FLOW_LIFETIME,
            version: Version::FIRST,
        };
        Ok((flow, handover))
    }

    fn provider_page(
        &self,
        provider: &Provider,
        flow: &Flow,
        state: &Secret,
        handover: Handover,
    ) -> Result<Url, StartFlowError> {
        let client = self.clients.client(provider.kind).ok_or(StartFlowError::NotActive)?;
        let state = Secret::new(state.expose().to_owned());
        Ok(client.authorization_url(&provider.client(), &handover.into_request(Ask::of(flow, state))))
    }
}

fn own_page(public_url: &str, flow: FlowId) -> Result<Url, StoreError> {
    // `public_url` was checked when the service started.
    Url::parse(&format!("{public_url}/connect/{flow}"))
        .map_err(|error| StoreError::Unexpected(Box::new(error)))
}

impl Ask {
    /// What a flow asks for.
    pub(super) fn of(flow: &Flow, state: Secret) -> Self {
        Self {
            redirect_uri: flow.redirect_uri.clone(),
            state,
            scopes: flow.scopes.clone(),
            force_consent: flow.force_consent,
            offline_access: true,
        }
    }
}

#[cfg(test)]
mod tests;
