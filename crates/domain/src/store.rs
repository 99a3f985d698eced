//! The one way to write: an atomic commit of changes, each with the version it expects.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::accounts::{Account, ApiToken, Organization};
use crate::audit::AuditEntry;
use crate::authorizations::{Authorization, DeviceFlow, Flow};
use crate::ids::AuthorizationId;
use crate::jobs::Job;
use crate::login::{Login, LoginIdentity};
use crate::providers::Provider;
use crate::revocations::Revocation;
use crate::tokens::RefreshEnd;

/// How often a row has been written. A row starts at [`Version::FIRST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(i64);

impl Version {
    /// The version of a row that has just been inserted.
    pub const FIRST: Self = Self(1);

    /// The version after the next write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Takes a version as a store kept it.
    pub const fn from_stored(version: i64) -> Self {
        Self(version)
    }

    /// The version as stores keep it.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A row of any noun that is changed through [`UnitOfWork::commit`].
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// An organization.
    Organization(Organization),
    /// An account.
    Account(Account),
    /// An API token.
    ApiToken(ApiToken),
    /// A provider.
    Provider(Box<Provider>),
    /// An authorization.
    Authorization(Box<Authorization>),
    /// An authorization flow.
    Flow(Box<Flow>),
    /// A device flow.
    DeviceFlow(Box<DeviceFlow>),
    /// A login.
    Login(Box<Login>),
    /// Somebody who signs in as an account.
    LoginIdentity(LoginIdentity),
    /// A job.
    Job(Box<Job>),
    /// A revocation.
    Revocation(Box<Revocation>),
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Adds a row at [`Version::FIRST`]; its own `version` is ignored.
    Insert(Row),
    /// Replaces the row that still has `version` (the one that was read); it is stored with the next version.
    Update(Row),
    /// Removes the row that still has `version`.
    Delete(Row),
    /// Appends to the audit log.
    Audit(AuditEntry),
    /// Says when the refresh of an authorization is due; `None`: not by itself. Nothing where it is gone.
    ScheduleRefresh(AuthorizationId, Option<DateTime<Utc>>),
    /// Empties the journal of an authorization: what was asked with a refresh token that has been replaced has no bearing on
    /// the new one. Nothing where it is gone.
    ForgetRequests(AuthorizationId),
    /// Ends a refresh: gives its lease back unless somebody else has taken it, and settles its request in the journal.
    /// MUST be a [`CommitError::Conflict`] where the request is not moot and the journal no longer has it: somebody else has
    /// asked since. Nothing where the authorization is gone.
    EndRefresh(RefreshEnd),
}

macro_rules! rows {
    ($($noun:ident($wrap:expr)),+ $(,)?) => {$(
        impl From<$noun> for Row {
            fn from(row: $noun) -> Self {
                Self::$noun($wrap(row))
            }
        }
    )+};
}

rows! {
    Organization(std::convert::identity),
    Account(std::convert::identity),
    ApiToken(std::convert::identity),
    Provider(Box::new),
    Authorization(Box::new),
    Flow(Box::new),
    DeviceFlow(Box::new),
    Login(Box::new),
    LoginIdentity(std::convert::identity),
    Job(Box::new),
    Revocation(Box::new),
}

impl Change {
    /// Adds a row.
    pub fn insert(row: impl Into<Row>) -> Self {
        Self::Insert(row.into())
    }

    /// Replaces a row.
    pub fn update(row: impl Into<Row>) -> Self {
        Self::Update(row.into())
    }

    /// Removes a row.
    pub fn delete(row: impl Into<Row>) -> Self {
        Self::Delete(row.into())
    }
}

/// Writes.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait UnitOfWork: Send + Sync {
    /// Applies all changes in their order, or none.
    ///
    /// MUST return [`CommitError::Conflict`] when a row to update or delete is gone or has another version, and
    /// [`CommitError::Duplicate`] when an insert or update breaks a uniqueness rule: an id; an organization's name;
    /// an account's e-mail in its organization; an API token's hash; a provider's slug in its organization;
    /// an authorization's (account, provider, issuer, subject); a login's handle; a login identity's (organization, issuer,
    /// subject).
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError>;
}

/// Why a commit was not made; nothing of it is in the store.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody wrote first: read again and decide again.
    #[error("the row was changed by somebody else")]
    Conflict,
    /// A row with the same unique value exists.
    #[error("a row with this {0} exists")]
    Duplicate(Unique),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CommitError {
    /// For a commit that cannot meet a conflict or a duplicate unless something is wrong with the store.
    pub fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            error @ (Self::Conflict | Self::Duplicate(_)) => StoreError::Unexpected(Box::new(error)),
        }
    }
}

/// The uniqueness rules that a caller can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// Two rows with one id.
    Id,
    /// Two organizations with one name.
    OrganizationName,
    /// Two accounts of an organization with one e-mail address.
    AccountEmail,
    /// Two API tokens with one hash.
    TokenHash,
    /// Two providers of an organization with one slug.
    ProviderSlug,
    /// Two authorizations of one account for one identity at one provider.
    Identity,
    /// Two logins whose clients ask with the same.
    LoginHandle,
    /// Two accounts of an organization for one identity to sign in as.
    LoginIdentity,
}

impl std::fmt::Display for Unique {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Id => "id",
            Self::OrganizationName => "name",
            Self::AccountEmail => "e-mail address",
            Self::TokenHash => "token",
            Self::ProviderSlug => "slug",
            Self::Identity => "identity",
            Self::LoginHandle => "login handle",
            Self::LoginIdentity => "identity to sign in with",
        })
    }
}

/// A store that could not do its work. The cause is for the log; a caller only learns that it happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, locked, full or read-only: may work again later.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It holds what this version cannot read, or refuses what it was given.
    #[error("the store holds something unexpected")]
    Unexpected(#[source] Box<dyn std::error::Error + Send + Sync>),
}
