//! Ports that read organizations, accounts and API tokens, and that deleting them takes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Account, ApiToken, Organization};
use crate::authorizations::Authorization;
use crate::ids::{AccountId, ApiTokenId, OrganizationId};
use crate::providers::Provider;
use crate::secret::SecretHash;
use crate::store::StoreError;

/// Reads organizations and accounts.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The organization with this id.
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, StoreError>;

    /// The organization of this name, compared exactly.
    async fn organization_named(&self, name: &str) -> Result<Option<Organization>, StoreError>;

    /// Every organization, oldest first.
    async fn organizations(&self) -> Result<Vec<Organization>, StoreError>;

    /// The account with this id.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;

    /// The accounts with this e-mail address, in whatever organization, oldest first.
    async fn accounts_with_email(&self, email: &str) -> Result<Vec<Account>, StoreError>;

    /// The accounts of an organization, oldest first; those of one age by id.
    async fn accounts_in(&self, organization: OrganizationId) -> Result<Vec<Account>, StoreError>;
}

/// Reads API tokens.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ApiTokenStore: Send + Sync {
    /// The token with this hash and the account it belongs to, in one read: this is on the way of every call.
    async fn token_by_hash(&self, hash: &SecretHash) -> Result<Option<(ApiToken, Account)>, StoreError>;

    /// The token with this id.
    async fn token(&self, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError>;

    /// The tokens of an account, of every purpose, oldest first.
    async fn tokens_of(&self, account: AccountId) -> Result<Vec<ApiToken>, StoreError>;

    /// Removes the tokens that expired before that time; returns how many.
    async fn purge_expired_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}

/// What deleting accounts and organizations takes beside commits: what belongs to one account, of whatever noun.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait DeletionStore: Send + Sync {
    /// At most `limit` authorizations of an account with their providers, whichever.
    async fn some_authorizations_of(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError>;

    /// How many flows of an account are [`FlowStage::Exchanging`](crate::authorizations::FlowStage::Exchanging) a code, and
    /// how many of its device flows are [`DeviceStage::Polling`](crate::authorizations::DeviceStage::Polling), since then
    /// or later; both together.
    async fn exchanges_of(&self, account: AccountId, since: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Removes the flows, device flows, API tokens and sessions of an account; returns how many.
    async fn remove_belongings(&self, account: AccountId) -> Result<u64, StoreError>;

    /// Removes the jobs of an organization and destroys its data keys, so that nothing they sealed ever opens again;
    /// returns how many of both.
    async fn remove_remains(&self, organization: OrganizationId) -> Result<u64, StoreError>;
}
