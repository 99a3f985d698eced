//! Polling a device flow.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::keep_grant::{Answered, EndFlow, Errand, FlowEnd, KeepGrant};
use super::{DeviceFlow, DeviceFlowStore, DeviceStage, FlowOutcome, PollPace, Poller, Scopes};
use crate::accounts::Caller;
use crate::ids::{AuthorizationId, ProviderId};
use crate::providers::{
    AuthorizeDevices, DeviceAnswer, Provider, ProviderCatalog, ProviderClients, ProviderStatus, UpstreamError,
};
use crate::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};
use crate::secret::SecretHash;
use crate::services::{Clock, within};
use crate::tokens::{TokenSettings, time_delta};
use crate::{BackgroundTasks, Change, CommitError, Secret, StoreError, UnitOfWork};

/// Polls a device flow (RFC 8628, 3.4). The provider is asked no more often than it wants, however many poll.
#[derive(Clone)]
pub struct PollDeviceFlow {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Reads device flows.
    pub flows: Arc<dyn DeviceFlowStore>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the device code.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Keeps what comes of it.
    pub grants: Arc<KeepGrant>,
    /// Where the provider is asked: detached from the caller.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long the provider may take, and the caller waits.
    pub settings: TokenSettings,
}

/// How a device flow stands, in the words of RFC 8628, 3.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceFlowStatus {
    /// The person has agreed, and the tokens are kept.
    Authorized(AuthorizationId),
    /// The person has not decided yet: `authorization_pending`.
    Pending,
    /// The same, and this poll came too early: `slow_down`.
    SlowDown,
    /// The person, the provider or a check of ours refused: `access_denied`.
    Denied {
        /// Why, as a code.
        reason: String,
    },
    /// Unknown, another's, or no longer good: `expired_token`. Which of these is not told.
    Expired,
}

/// Why a poll has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PollDeviceFlowError {
    /// Not there, or not the caller's.
    #[error("there is no such provider")]
    ProviderNotFound,
    /// Paused, disabled or failed to be deleted.
    #[error("the provider is not active")]
    NotActive,
    /// The provider has no device flow, or it is switched off; flows that were begun before go on.
    #[error("the provider has no device flow, or it is not switched on")]
    NotOffered,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason of a device flow whose codes the provider no longer takes.
const EXPIRED: &str = "expired_token";
/// The reason of a device flow that the person refused.
const DENIED: &str = "access_denied";
/// When to look again at a provider that cannot be asked.
const PAUSE_OF_PROVIDER: TimeDelta = TimeDelta::minutes(1);

impl PollDeviceFlow {
    /// Polls with the caller's handle. What the provider grants is kept, also when the caller has left by then.
    pub async fn run(
        &self,
        caller: &Caller,
        provider: ProviderId,
        handle: &Secret,
    ) -> Result<DeviceFlowStatus, PollDeviceFlowError> {
        let provider = self.catalog.provider(caller.organization_id, provider).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(PollDeviceFlowError::ProviderNotFound)?;
        let hash = SecretHash::of(handle.expose());
        let found = self.flows.device_flow_by_handle(provider.id, &hash, caller.account_id).await?;
        let Some(flow) = found else {
            let offered = provider.device_flow && provider.device_flow_of(&*self.clients).is_some();
            return if offered {
                Ok(DeviceFlowStatus::Expired)
            } else {
                Err(PollDeviceFlowError::NotOffered)
            };
        };
        if let Some(status) = self.known_status(&flow) {
            return Ok(status);
        }
        if provider.endpoints.digest() != flow.endpoints {
            // The code is nothing that the new endpoints may see (RFC 9700, 4.4).
            return Ok(DeviceFlowStatus::Expired);
        }
        if provider.status != ProviderStatus::Active {
            return Err(PollDeviceFlowError::NotActive);
        }
        let device = provider.device_flow_of(&*self.clients).ok_or(PollDeviceFlowError::NotOffered)?;
        self.clock.sleep(flow.time_to_wait(self.clock.now())).await;
        let id = flow.id;
        let Some(claimed) = self.claim(flow, Poller::Caller).await? else {
            // Somebody was faster: another poller, or this service, which a caller who keeps to the interval cannot know of.
            let current = self.flows.device_flow(id).await?;
            let status = current.and_then(|flow| self.known_status(&flow));
            return Ok(status.unwrap_or(DeviceFlowStatus::SlowDown));
        };
        Ok(self.poll(claimed, provider, device, caller.request_id.clone()).await?)
    }

    /// Polls in the place of a caller who seems to have left, so that what the person grants meanwhile is kept.
    pub(super) async fn in_place_of_caller(&self, flow: DeviceFlow) -> Result<(), StoreError> {
        let provider = self.catalog.provider(flow.organization_id, flow.provider_id).await?;
        let usable = provider.filter(|provider| {
            provider.status == ProviderStatus::Active && provider.endpoints.digest() == flow.endpoints
        });
        let device = usable.as_ref().and_then(|provider| provider.device_flow_of(&*self.clients));
        let (Some(provider), Some(device)) = (usable, device) else {
            return self.put_off(flow).await;
        };
        let Some(claimed) = self.claim(flow, Poller::Service).await? else {
            return Ok(());
        };
        let polling = self.clone().ask_and_keep(claimed, provider, device, None);
        // Nobody waits for its end, though a provider that hangs may put it off.
        drop(self.tasks.start(async move {
            if let Err(error) = polling.await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "what a poll of a device flow brought could not be kept");
            }
        }));
        Ok(())
    }

    /// A provider that is paused, or an account that is suspended, may be there again before the codes are no longer good.
    pub(super) async fn put_off(&self, flow: DeviceFlow) -> Result<(), StoreError> {
        let now = self.clock.now();
        let pace = flow.pace().after_waiting(PAUSE_OF_PROVIDER, now, flow.expires_at);
        let flow = DeviceFlow { unattended: true, ..flow.pending(pace) };
        self.wait(flow).await.map(|_| ())
    }

    /// What can be told without asking the provider.
    fn known_status(&self, flow: &DeviceFlow) -> Option<DeviceFlowStatus> {
        let now = self.clock.now();
        if let DeviceStage::Finished { outcome, .. } = &flow.stage {
            return Some(status(outcome));
        }
        // Tokens may be on their way in a poll that was sent in time.
        let being_polled = flow.is_being_polled(now);
        if now >= flow.expires_at && !being_polled {
            return Some(DeviceFlowStatus::Expired);
        }
        if flow.is_too_early(now) {
            // A caller who keeps to the interval cannot know that this service has just asked in their place.
            let status = if flow.unattended { DeviceFlowStatus::Pending } else { DeviceFlowStatus::SlowDown };
            return Some(status);
        }
        being_polled.then_some(DeviceFlowStatus::Pending)
    }

    /// The right to ask the provider now: of two callers one gets it.
    async fn claim(&self, flow: DeviceFlow, by: Poller) -> Result<Option<DeviceFlow>, StoreError> {
        let claimed = flow.polling(by, self.clock.now());
        match self.store.commit(vec![Change::update(claimed.clone())]).await {
            Ok(()) => Ok(Some(DeviceFlow { version: claimed.version.next(), ..claimed })),
            Err(CommitError::Conflict) => Ok(None),
            Err(error) => Err(error.into_store_error()),
        }
    }

    /// Detached as a whole: a caller who leaves must not cost the person what they have just granted.
    async fn poll(
        &self,
        flow: DeviceFlow,
        provider: Provider,
        device: Arc<dyn AuthorizeDevices>,
        request_id: Option<String>,
    ) -> Result<DeviceFlowStatus, StoreError> {
        let running = self.tasks.start(self.clone().ask_and_keep(flow, provider, device, request_id));
        match within(&self.clock, self.settings.caller_wait, running).await {
            Some(Ok(status)) => status,
            // It goes on behind us, and the next poll gets its outcome.
            None | Some(Err(_)) => Ok(DeviceFlowStatus::Pending),
        }
    }

    async fn ask_and_keep(
        self,
        flow: DeviceFlow,
        provider: Provider,
        device: Arc<dyn AuthorizeDevices>,
        request_id: Option<String>,
    ) -> Result<DeviceFlowStatus, StoreError> {
        // Only now that the claim counts as a poll under way does a deletion of the provider or the account wait for it.
        let current = self.catalog.provider(flow.organization_id, flow.provider_id).await?;
        let has_account = self.grants.has_account(flow.account_id).await?;
        let deleted = |reason| Polled::failed(UpstreamError::Untrusted { reason });
        let polled = match current {
            Some(current) if current.takes_authorizations() && has_account => {
                self.ask(&provider, &*device, &DeviceCode::of(&flow)).await?
            }
            Some(current) if current.takes_authorizations() => deleted("account_deleted"),
            _ => deleted("provider_deleted"),
        };
        self.keep(flow, &provider, polled, request_id).await
    }

    /// Asks the provider once.
    pub(crate) async fn ask(
        &self,
        provider: &Provider,
        device: &dyn AuthorizeDevices,
        code: &DeviceCode<'_>,
    ) -> Result<Polled, StoreError> {
        let asked = async {
            let client = self.clients.client(provider.kind);
            let device_code = self.sealer.open(code.place, code.sealed).await?;
            let connection = provider.connect(&*self.sealer).await?;
            let asked = self.clock.now();
            let answer = device.poll_device(&connection, &device_code, code.scopes);
            let answer = within(&self.clock, self.settings.upstream_limit, answer).await;
            Ok(match (answer.unwrap_or(Err(UpstreamError::timeout())), client) {
                (Ok(DeviceAnswer::Granted(tokens)), Some(client)) => Polled::Ended(
                    self.grants.attribute(&*client, &connection, code.scopes, *tokens, asked).await,
                ),
                (Ok(answer), _) => Polled::of(answer),
                (Err(error), _) => Polled::failed(error),
            })
        };
        match asked.await {
            Ok(polled) => Ok(polled),
            Err(SealError::Store(error)) => Err(error),
            Err(error) => Ok(Polled::failed(error.into_upstream_error())),
        }
    }

    async fn keep(
        &self,
        flow: DeviceFlow,
        provider: &Provider,
        polled: Polled,
        request_id: Option<String>,
    ) -> Result<DeviceFlowStatus, StoreError> {
        match polled {
            Polled::Open(open) => {
                let pace = open.pace(flow.pace(), self.clock.now(), flow.expires_at);
                self.wait(flow.pending(pace)).await
            }
            Polled::Ended(answered) => {
                let errand = Errand { request_id, ..Errand::from(&flow) };
                let end = EndOfDeviceFlow { flows: &*self.flows, flow: &flow, clock: &*self.clock };
                Ok(status(&self.grants.keep(&errand, provider, &answered, &end).await?))
            }
        }
    }

    /// Nothing is decided. Whoever has written meanwhile knows more.
    async fn wait(&self, flow: DeviceFlow) -> Result<DeviceFlowStatus, StoreError> {
        match self.store.commit(vec![Change::update(flow)]).await {
            Ok(()) | Err(CommitError::Conflict) => Ok(DeviceFlowStatus::Pending),
            Err(error) => Err(error.into_store_error()),
        }
    }
}

/// What a device flow is polled with.
pub(crate) struct DeviceCode<'a> {
    /// Where the provider's device code rests.
    pub(crate) place: SecretPlace,
    /// The code.
    pub(crate) sealed: &'a SealedSecret,
    /// The scopes that were asked for at the beginning.
    pub(crate) scopes: &'a Scopes,
}

impl<'a> DeviceCode<'a> {
    fn of(flow: &'a DeviceFlow) -> Self {
        Self {
            place: DeviceFlow::device_code_place(flow.organization_id, flow.id),
            sealed: &flow.device_code,
            scopes: &flow.scopes,
        }
    }
}

/// What a poll brought.
pub(crate) enum Polled {
    /// No decision.
    Open(Undecided),
    /// The end.
    Ended(Answered),
}

/// Why there is no decision, as far as the pace is concerned.
pub(crate) enum Undecided {
    /// The person has not decided.
    Pending {
        /// How long the provider wants to be left alone, beside the interval.
        wait: TimeDelta,
    },
    /// No decision yet, as far as anybody knows: the provider is not there.
    BackOff,
    /// No decision yet, and too many polls.
    SlowDown {
        /// The new interval, where the provider names one.
        interval: Option<TimeDelta>,
    },
}

impl Undecided {
    /// When to ask again; the codes are good until `end`.
    pub(crate) fn pace(&self, pace: PollPace, now: DateTime<Utc>, end: DateTime<Utc>) -> PollPace {
        match self {
            Self::Pending { wait } => pace.after_answer(now).after_waiting(*wait, now, end),
            Self::BackOff => pace.backed_off(now),
            Self::SlowDown { interval } => pace.slowed_down(*interval, now),
        }
    }
}

impl Polled {
    fn of(answer: DeviceAnswer) -> Self {
        match answer {
            DeviceAnswer::Granted(tokens) => {
                Self::Ended(Answered::Orphaned(tokens, UpstreamError::NotSupported))
            }
            DeviceAnswer::Pending => Self::Open(Undecided::Pending { wait: TimeDelta::zero() }),
            DeviceAnswer::SlowDown { interval } => {
                Self::Open(Undecided::SlowDown { interval: interval.map(time_delta) })
            }
            DeviceAnswer::Denied => Self::Ended(Answered::Failed(refused(DENIED))),
            DeviceAnswer::Expired => Self::Ended(Answered::Failed(refused(EXPIRED))),
        }
    }

    /// A bad moment says nothing about the person's decision; anything else is the end.
    fn failed(error: UpstreamError) -> Self {
        match error {
            UpstreamError::RateLimited { .. } | UpstreamError::Unavailable { .. } => {
                tracing::warn!(reason = error.reason(), "a poll of a device flow failed");
                let wait = error.retry_after().map(time_delta);
                Self::Open(wait.map_or(Undecided::BackOff, |wait| Undecided::Pending { wait }))
            }
            UpstreamError::GrantRefused { .. }
            | UpstreamError::ClientRefused { .. }
            | UpstreamError::Misconfigured { .. }
            | UpstreamError::InteractionRequired { .. }
            | UpstreamError::NotSupported
            | UpstreamError::TokenRefused
            | UpstreamError::Untrusted { .. } => Self::Ended(Answered::Failed(error)),
        }
    }
}

fn refused(code: &str) -> UpstreamError {
    UpstreamError::GrantRefused { code: code.to_owned() }
}

fn status(outcome: &FlowOutcome) -> DeviceFlowStatus {
    match outcome {
        FlowOutcome::Authorized(id) => DeviceFlowStatus::Authorized(*id),
        FlowOutcome::Refused(reason) if reason == EXPIRED => DeviceFlowStatus::Expired,
        FlowOutcome::Refused(reason) | FlowOutcome::Unavailable(reason) => {
            DeviceFlowStatus::Denied { reason: reason.clone() }
        }
    }
}

impl From<&DeviceFlow> for Errand {
    fn from(flow: &DeviceFlow) -> Self {
        Self {
            organization_id: flow.organization_id,
            account_id: flow.account_id,
            provider_id: flow.provider_id,
            scopes: flow.scopes.clone(),
            redirect_uri: None,
            flow: flow.id.to_string(),
            request_id: None,
        }
    }
}

/// The end of a device flow that this process has polled.
struct EndOfDeviceFlow<'a> {
    flows: &'a dyn DeviceFlowStore,
    flow: &'a DeviceFlow,
    clock: &'a dyn Clock,
}

#[async_trait]
impl EndFlow for EndOfDeviceFlow<'_> {
    async fn end(&self, outcome: &FlowOutcome) -> Result<FlowEnd, StoreError> {
        Ok(match self.flows.device_flow(self.flow.id).await? {
            None => FlowEnd::Gone,
            // What we wrote, or what a poller did that took us for dead: `KeepGrant` tells them apart.
            Some(DeviceFlow { stage: DeviceStage::Finished { outcome, .. }, .. }) => FlowEnd::Ended(outcome),
            Some(flow) => {
                FlowEnd::Change(Box::new(Change::update(flow.finished(outcome.clone(), self.clock.now()))))
            }
        })
    }
}

#[cfg(test)]
mod tests;
