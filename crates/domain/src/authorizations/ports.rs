//! Ports that read authorizations and flows.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Authorization, DeviceFlow, Flow};
use crate::ids::{AccountId, AuthorizationId, DeviceFlowId, FlowId, OrganizationId, ProviderId};
use crate::providers::Provider;
use crate::secret::SecretHash;
use crate::store::StoreError;

/// Reads authorizations.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AuthorizationStore: Send + Sync {
    /// An authorization with its provider, in one read. Thousands have the same provider, which need not be copied for each.
    async fn authorization(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError>;

    /// The authorizations of an account with their providers, oldest first.
    async fn authorizations_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError>;

    /// Who has authorized what since then, and when: account, provider and time of the authorizations whose `authorized_at` is
    /// `since` or later, newest first, at most `limit`.
    async fn authorized_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(AccountId, ProviderId, DateTime<Utc>)>, StoreError>;

    /// The authorization of an account for one identity at one provider.
    async fn authorization_for_identity<'a>(
        &self,
        account: AccountId,
        provider: ProviderId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<Authorization>, StoreError>;

    /// The authorizations at a provider in the order of their ids, after `after`, at most `limit`.
    async fn authorizations_at(
        &self,
        provider: ProviderId,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<Authorization>, StoreError>;
}

/// Reads flows, and uses them up.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait FlowStore: Send + Sync {
    /// The flow with this id.
    async fn flow(&self, id: FlowId) -> Result<Option<Flow>, StoreError>;

    /// The newest flow at a provider whose state has this hash, started by `account` where one is given.
    async fn flow_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
        account: Option<AccountId>,
    ) -> Result<Option<Flow>, StoreError>;

    /// Uses up a flow's state: stores [`Flow::exchanging`] and returns it, or `None` when the flow is not
    /// [`Flow::is_usable`]. MUST be atomic: of two callers one gets the flow.
    async fn use_up(
        &self,
        id: FlowId,
        code: &SecretHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Flow>, StoreError>;

    /// How many flows at a provider are [`FlowStage::Exchanging`](super::FlowStage::Exchanging) a code since then or
    /// later.
    async fn exchanges_under_way(
        &self,
        provider: ProviderId,
        since: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// Removes flows that expired before that time; returns how many.
    async fn purge_flows(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}

/// Reads device flows.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait DeviceFlowStore: Send + Sync {
    /// The device flow with this id.
    async fn device_flow(&self, id: DeviceFlowId) -> Result<Option<DeviceFlow>, StoreError>;

    /// The device flow that `account` began at a provider and got this handle for.
    async fn device_flow_by_handle(
        &self,
        provider: ProviderId,
        handle: &SecretHash,
        account: AccountId,
    ) -> Result<Option<DeviceFlow>, StoreError>;

    /// Device flows that are [`DeviceFlow::is_unattended`], those that are overdue for longest first, at most `limit`. Of those
    /// that an account has begun at one provider, and that are not over, only the
    /// [`MOST_UNATTENDED`](super::MOST_UNATTENDED) newest count.
    async fn unattended_device_flows(
        &self,
        overdue: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DeviceFlow>, StoreError>;

    /// How many device flows at a provider are [`DeviceStage::Polling`](super::DeviceStage::Polling) since then or later.
    async fn polls_under_way(&self, provider: ProviderId, since: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Removes device flows that expired before that time; returns how many.
    async fn purge_device_flows(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
