//! Ports that read organizations, accounts and API tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Account, ApiToken, Organization};
use crate::ids::{AccountId, ApiTokenId, OrganizationId};
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

    /// Notes that a token was used. Does not change its version: this races with nothing that matters.
    async fn note_use(&self, id: ApiTokenId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Removes the tokens that expired before that time; returns how many.
    async fn purge_expired_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
