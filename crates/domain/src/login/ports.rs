//! The port that reads logins and identities.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Login, LoginIdentity};
use crate::accounts::Account;
use crate::ids::{AccountId, LoginId, OrganizationId, ProviderId};
use crate::secret::SecretHash;
use crate::store::StoreError;

/// Reads logins, and who signs in as whom.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// The login with this id.
    async fn login(&self, id: LoginId) -> Result<Option<Login>, StoreError>;

    /// The login whose client asks with what has this hash ([`Login::handle_hash`]).
    async fn login_by_handle(&self, handle: &SecretHash) -> Result<Option<Login>, StoreError>;

    /// The login at a provider whose state has this hash.
    async fn login_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
    ) -> Result<Option<Login>, StoreError>;

    /// The account that somebody signs in as, with their identity.
    async fn identified<'a>(
        &self,
        organization: OrganizationId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<(LoginIdentity, Account)>, StoreError>;

    /// Who signs in as an account, oldest first.
    async fn identities_of(&self, account: AccountId) -> Result<Vec<LoginIdentity>, StoreError>;

    /// Removes logins that expired before that time; returns how many.
    async fn purge_logins(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
