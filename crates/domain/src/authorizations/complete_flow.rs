//! Completing a flow with what the provider sent back.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AuthorizationStore, AuthorizationView, CodeInUse, EXCHANGE_LIMIT, ExchangeCode, Flow, FlowOutcome,
    FlowRoute, FlowStage, FlowStore,
};
use tokio::sync::oneshot;

use crate::accounts::Caller;
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{AccountId, FlowId, ProviderId};
use crate::providers::{Provider, ProviderCatalog};
use crate::secret::SecretHash;
use crate::services::{Clock, Random, within};
use crate::tokens::{TokenSettings, time_delta};
use crate::{BackgroundTasks, Change, CommitError, Secret, StoreError, UnitOfWork};

/// Checks a callback against its flow, uses the flow up, and redeems the code.
pub struct CompleteFlow {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Reads flows and uses them up.
    pub flows: Arc<dyn FlowStore>,
    /// Reads the authorization that came of it.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Writes the end of flows that the provider refused.
    pub store: Arc<dyn UnitOfWork>,
    /// Redeems codes.
    pub exchange: Arc<ExchangeCode>,
    /// Where codes are redeemed: detached from the caller.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of audit entries.
    pub random: Arc<dyn Random>,
    /// How long a caller waits.
    pub settings: TokenSettings,
}

/// What the provider sent back (RFC 6749, 4.1.2).
pub struct Callback {
    /// Which provider's callback it came to.
    pub provider_id: ProviderId,
    /// The state.
    pub state: Secret,
    /// The code, or the error that stands for a refusal.
    pub answer: Result<Secret, String>,
    /// The issuer, where the provider names itself (RFC 9207).
    pub iss: Option<String>,
}

/// A completed flow.
#[derive(Debug)]
pub struct CompletedFlow {
    /// The authorization.
    pub authorization: AuthorizationView,
}

/// What a browser is told at the end of a flow.
#[derive(Debug)]
pub struct ConnectResult {
    /// The flow, whose cookie can go now.
    pub flow_id: FlowId,
    /// Where the browser goes when the account is linked: a path of ours; `None`: to the page that tells how the flow ended.
    pub return_to: Option<String>,
    /// How it ended.
    pub result: Result<CompletedFlow, CompleteFlowError>,
}

/// Why a flow was not completed.
#[derive(Debug, thiserror::Error)]
pub enum CompleteFlowError {
    /// No such provider, or not the caller's.
    #[error("there is no such provider")]
    ProviderNotFound,
    /// Unknown, expired, used up, another's: which of these is not told.
    #[error("the state is unknown, expired, used up or not yours; start again")]
    InvalidState,
    /// The flow goes on in this browser as soon as somebody is signed in there; its code is not used.
    #[error("nobody is signed in at this browser")]
    NotSignedIn,
    /// The provider, or the person at the provider, refused.
    #[error("the authorization was refused ({reason}); start again")]
    Refused {
        /// The error code.
        reason: String,
    },
    /// The provider has not answered, or not sensibly.
    #[error("the provider has not answered ({reason}); try again")]
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For how long after our 502 the same caller may come back with the same code for the outcome.
const REPEAT_PERIOD: TimeDelta = TimeDelta::seconds(60);
/// How often a repeated call looks for the outcome of the exchange that is under way.
const REPEAT_POLL: Duration = Duration::from_millis(100);

impl CompleteFlow {
    /// A caller's page brings code and state.
    pub async fn for_caller(
        &self,
        caller: &Caller,
        callback: Callback,
    ) -> Result<CompletedFlow, CompleteFlowError> {
        let provider = self.catalog.provider(caller.organization_id, callback.provider_id).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(CompleteFlowError::ProviderNotFound)?;
        let flow = self.find(&callback, Some(caller.account_id)).await?;
        if flow.route != FlowRoute::Caller {
            return Err(CompleteFlowError::InvalidState);
        }
        self.complete(flow, provider, callback, caller.request_id.clone()).await
    }

    /// A browser comes back to our own callback. `cookies` are the flow cookies that it shows: one of them has to be
    /// the one that our page gave it. `visitor` is who is signed in there: it has to be who started the flow, for a browser
    /// outlives the person at it, and may be shared.
    pub async fn for_browser(
        &self,
        callback: Callback,
        cookies: &[Secret],
        visitor: Option<&Caller>,
    ) -> Result<ConnectResult, CompleteFlowError> {
        let (flow, provider) = self.find_in_browser(&callback, cookies).await?;
        let visitor = visitor.ok_or(CompleteFlowError::NotSignedIn)?;
        if visitor.account_id != flow.account_id {
            return Err(CompleteFlowError::InvalidState);
        }
        Ok(self.complete_in_browser(flow, provider, callback, visitor.request_id.clone()).await)
    }

    /// The same where nobody is asked who they are. Only for unattended demonstrations on loopback.
    pub async fn for_unattended_browser(
        &self,
        callback: Callback,
        cookies: &[Secret],
        request_id: Option<String>,
    ) -> Result<ConnectResult, CompleteFlowError> {
        let (flow, provider) = self.find_in_browser(&callback, cookies).await?;
        Ok(self.complete_in_browser(flow, provider, callback, request_id).await)
    }

    /// The flow that a browser has come back from, by its state and its cookie.
    async fn find_in_browser(
        &self,
        callback: &Callback,
        cookies: &[Secret],
    ) -> Result<(Flow, Provider), CompleteFlowError> {
        let provider = self.catalog.provider_anywhere(callback.provider_id).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(CompleteFlowError::InvalidState)?;
        let flow = self.find(callback, None).await?;
        let FlowRoute::Browser { cookie_hash: Some(expected) } = &flow.route else {
            return Err(CompleteFlowError::InvalidState);
        };
        if !cookies.iter().any(|cookie| SecretHash::of(cookie.expose()) == *expected) {
            return Err(CompleteFlowError::InvalidState);
        }
        Ok((flow, provider))
    }

    async fn complete_in_browser(
        &self,
        flow: Flow,
        provider: Provider,
        callback: Callback,
        request_id: Option<String>,
    ) -> ConnectResult {
        let (flow_id, return_to) = (flow.id, flow.return_to.clone());
        let result = self.complete(flow, provider, callback, request_id).await;
        ConnectResult { flow_id, return_to, result }
    }

    async fn find(&self, callback: &Callback, account: Option<AccountId>) -> Result<Flow, CompleteFlowError> {
        let state = SecretHash::of(callback.state.expose());
        let flow = self.flows.flow_by_state(callback.provider_id, &state, account).await?;
        flow.ok_or(CompleteFlowError::InvalidState)
    }

    async fn complete(
        &self,
        flow: Flow,
        provider: Provider,
        callback: Callback,
        request_id: Option<String>,
    ) -> Result<CompletedFlow, CompleteFlowError> {
        match flow.stage {
            FlowStage::Exchanging(_) => return self.repeat_of(flow, &callback, Came::InTime).await,
            FlowStage::Finished { .. } => return self.repeat_of(flow, &callback, Came::Afterwards).await,
            FlowStage::Unconfirmed | FlowStage::Pending => {}
        }
        if !flow.is_usable(self.clock.now()) {
            return Err(CompleteFlowError::InvalidState);
        }
        // Before anything else is believed: is it the provider that the person was sent to? (RFC 9207, 2.4)
        let may_be_silent = flow.route == FlowRoute::Caller;
        if !issuer_fits(&provider, callback.iss.as_deref(), may_be_silent)
            || provider.endpoints.digest() != flow.endpoints
        {
            return Err(self.refuse(flow, "issuer_mismatch").await);
        }
        if !provider.takes_authorizations() {
            return Err(self.refuse(flow, "provider_deleted").await);
        }
        let code = match callback.answer {
            Ok(code) => code,
            Err(error) => return Err(self.refuse(flow, error_code(&error)).await),
        };
        let (id, organization) = (flow.id, flow.organization_id);
        let code_hash = SecretHash::of(code.expose());
        let running = self.use_up_and_redeem(id, provider, code, request_id);
        match within(&self.clock, self.settings.caller_wait, running).await {
            Some(Ok(Some(outcome))) => self.answer(organization, outcome?).await,
            Some(Ok(None)) => {
                // Somebody was faster. If that was the same call, its outcome is ours too.
                let flow = self.flows.flow(id).await?.ok_or(CompleteFlowError::InvalidState)?;
                self.repeat(flow, &code_hash, Came::InTime).await
            }
            // It goes on behind us.
            None => Err(CompleteFlowError::Unavailable { reason: "slow".to_owned() }),
            Some(Err(_)) => Err(CompleteFlowError::Unavailable { reason: "interrupted".to_owned() }),
        }
    }

    /// Detached as a whole: a caller who leaves between the two would leave a flow used up and a code unused. The
    /// answer is `None` when somebody else has used the flow up.
    fn use_up_and_redeem(
        &self,
        id: FlowId,
        provider: Provider,
        code: Secret,
        request_id: Option<String>,
    ) -> oneshot::Receiver<Option<Result<FlowOutcome, StoreError>>> {
        let (flows, exchange) = (Arc::clone(&self.flows), Arc::clone(&self.exchange));
        let clock = Arc::clone(&self.clock);
        self.tasks.start(async move {
            let code_hash = SecretHash::of(code.expose());
            match flows.use_up(id, &code_hash, clock.now()).await {
                Ok(Some(flow)) => Some(exchange.run(flow, provider, code, request_id).await),
                Ok(None) => None,
                Err(error) => Some(Err(error)),
            }
        })
    }

    async fn repeat_of(
        &self,
        flow: Flow,
        callback: &Callback,
        came: Came,
    ) -> Result<CompletedFlow, CompleteFlowError> {
        match &callback.answer {
            Ok(code) => self.repeat(flow, &SecretHash::of(code.expose()), came).await,
            Err(_) => Err(CompleteFlowError::InvalidState),
        }
    }

    /// The same call again, because our answer was a 502 or has not come yet: never a second token request.
    async fn repeat(
        &self,
        flow: Flow,
        code_hash: &SecretHash,
        came: Came,
    ) -> Result<CompletedFlow, CompleteFlowError> {
        let organization = flow.organization_id;
        let id = flow.id;
        let wait_for_outcome = async {
            let mut flow = flow;
            loop {
                match self.repeated(&flow, code_hash, came)? {
                    Some(outcome) => return Ok::<_, CompleteFlowError>(outcome.clone()),
                    None => self.clock.sleep(REPEAT_POLL).await,
                }
                flow = self.flows.flow(id).await?.ok_or(CompleteFlowError::InvalidState)?;
            }
        };
        match within(&self.clock, self.settings.caller_wait, wait_for_outcome).await {
            Some(outcome) => self.answer(organization, outcome?).await,
            None => Err(CompleteFlowError::Unavailable { reason: "slow".to_owned() }),
        }
    }

    /// The outcome that a repeated call may have; `None` while there is none yet.
    fn repeated<'f>(
        &self,
        flow: &'f Flow,
        code: &SecretHash,
        came: Came,
    ) -> Result<Option<&'f FlowOutcome>, CompleteFlowError> {
        let now = self.clock.now();
        match &flow.stage {
            FlowStage::Exchanging(used) if used.code_hash == *code && now < used.since + EXCHANGE_LIMIT => {
                Ok(None)
            }
            FlowStage::Finished { redeemed: Some(used), outcome, at }
                if used.code_hash == *code
                    && (came == Came::InTime || self.is_502_of_late(used, outcome, *at, now)) =>
            {
                Ok(Some(outcome))
            }
            FlowStage::Unconfirmed
            | FlowStage::Pending
            | FlowStage::Exchanging(_)
            | FlowStage::Finished { .. } => Err(CompleteFlowError::InvalidState),
        }
    }

    /// Whether the first caller was answered 502 within the last minute: because the exchange outlasted their
    /// patience, or because the provider was not available.
    fn is_502_of_late(
        &self,
        used: &CodeInUse,
        outcome: &FlowOutcome,
        ended: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> bool {
        let patience = used.since + time_delta(self.settings.caller_wait);
        let was_502 = ended >= patience || matches!(outcome, FlowOutcome::Unavailable(_));
        was_502 && now <= ended + REPEAT_PERIOD
    }

    async fn answer(
        &self,
        organization: crate::ids::OrganizationId,
        outcome: FlowOutcome,
    ) -> Result<CompletedFlow, CompleteFlowError> {
        match outcome {
            FlowOutcome::Authorized(id) => {
                let found = self.authorizations.authorization(organization, id).await?;
                // Deleted again in the meantime.
                let (authorization, provider) = found.ok_or(CompleteFlowError::InvalidState)?;
                Ok(CompletedFlow {
                    authorization: AuthorizationView::of(authorization, provider, self.clock.now()),
                })
            }
            FlowOutcome::Refused(reason) => Err(CompleteFlowError::Refused { reason }),
            FlowOutcome::Unavailable(reason) => Err(CompleteFlowError::Unavailable { reason }),
        }
    }

    /// Ends the flow before any code was sent; says no more than that it was refused.
    async fn refuse(&self, flow: Flow, reason: &str) -> CompleteFlowError {
        let now = self.clock.now();
        let refused = CompleteFlowError::Refused { reason: reason.to_owned() };
        let actor = Actor::ServiceFor { account_id: flow.account_id };
        let audit =
            AuditEntry::new(flow.organization_id, actor, AuditAction::FlowFinished, &*self.random, now)
                .ending(AuditOutcome::Refused, reason)
                .about_provider(flow.provider_id)
                .about(flow.id);
        let flow = flow.finished(FlowOutcome::Refused(reason.to_owned()), now);
        match self.store.commit(vec![Change::update(flow), Change::Audit(audit)]).await {
            Ok(()) => refused,
            Err(CommitError::Conflict) => CompleteFlowError::InvalidState,
            Err(error) => error.into_store_error().into(),
        }
    }
}

/// When a repeated call came, by the first look at its flow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    /// While the exchange ran: the outcome is this call's as well, however late it is seen.
    InTime,
    /// After it.
    Afterwards,
}

/// What may be written down and shown of a refusal: a plain word (RFC 6749, 4.1.2.1 allows any printable text, and
/// anyone can write a callback).
pub(crate) fn error_code(error: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_code = (1..=64).contains(&error.len()) && error.bytes().all(plain);
    if is_code { error } else { "unlisted_error" }
}

/// RFC 9207, 2.4: an issuer that is named has to be the right one, byte for byte; one that was announced has to be
/// named. A caller's own page need not pass it on: published clients send nothing but code, provider and state, and
/// so name the provider themselves.
pub(crate) fn issuer_fits(provider: &Provider, iss: Option<&str>, may_be_silent: bool) -> bool {
    match iss {
        Some(iss) => provider.endpoints.is_issuer(iss),
        None => may_be_silent || !provider.endpoints.announces_iss,
    }
}

#[cfg(test)]
mod tests;
