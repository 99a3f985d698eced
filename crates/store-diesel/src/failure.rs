//! What can go wrong, and what the domain is told of it.

use std::error::Error;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as QueryError};
use grantkeeper_domain::{CommitError, StoreError, Unique};

/// Why work on the database was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A row holds what this version cannot read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A row with the same id exists.
    #[error("a row with this id exists")]
    IdTaken,
    /// The row is gone or has another version.
    #[error("the row was changed by somebody else")]
    Conflict,
    /// The transaction that the work shared with others did not become durable.
    #[error("the transaction was not committed")]
    NotCommitted(#[source] Arc<QueryError>),
    /// A read for many at once failed: each of them is told.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// PostgreSQL cannot do it now: it is full, too slow, read-only, or shutting down.
    #[error("the database cannot do it now")]
    NotNow(#[source] QueryError),
    /// The connection broke before an answer came.
    #[error("the connection to the database broke")]
    Disconnected(#[source] QueryError),
    /// The database cannot be reached.
    #[error("no connection to the database")]
    NoConnection(#[source] Box<dyn Error + Send + Sync>),
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    NoAnswer,
    /// The connection broke, or no answer came, when the work may have been done already.
    #[error("the connection to the database broke, and whether the work was done is not known")]
    UnknownOutcome,
    /// The database only answers queries.
    #[error("the database is read-only")]
    ReadOnly,
    /// The database has another schema than this build.
    #[error("the database does not have the schema of this version")]
    OtherSchema,
    /// A bug: the thread lives on, and the work is undone.
    #[error("the work on the database panicked")]
    Panicked,
    /// The store's threads have ended.
    #[error("the database threads have ended")]
    Stopped,
}

/// A column holds what this version cannot read. What it holds is not told: it may be a user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read what {0} holds")]
pub(crate) struct Unreadable(pub(crate) &'static str);

impl Failure {
    /// What an error of PostgreSQL's means. Its codes do not come through diesel, only the kinds that diesel knows; what
    /// has none is a matter of the server's state, or else of a schema that is not ours, which `check` tells.
    pub(crate) fn of_postgres(error: QueryError) -> Self {
        use DatabaseErrorKind::{
            ClosedConnection, ReadOnlyTransaction, SerializationFailure, UnableToSendCommand, Unknown,
        };
        match error {
            QueryError::DatabaseError(UnableToSendCommand | ClosedConnection, _) => Self::Disconnected(error),
            QueryError::DatabaseError(Unknown | SerializationFailure | ReadOnlyTransaction, _) => {
                Self::NotNow(error)
            }
            other => Self::Query(other),
        }
    }

    /// Whether the connection only answers queries, as one does that was made to a standby, or before the database was
    /// opened for writing again.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(
            self,
            Self::ReadOnly
                | Self::NotNow(QueryError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))
        )
    }

    /// Whether an audit entry could not be written because it is there.
    pub(crate) fn is_known_entry(&self) -> bool {
        matches!(self, Self::Query(error) if broken_rule(error) == Some(Unique::Id))
    }

    /// Whether a row holds what this version cannot read.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_) | Self::Query(QueryError::DeserializationError(_)))
    }

    /// Whether the same work may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Query(error) => is_bad_moment(error),
            Self::Shared(failure) => failure.is_passing(),
            Self::NotNow(_)
            | Self::Disconnected(_)
            | Self::NotCommitted(_)
            | Self::NoConnection(_)
            | Self::NoAnswer
            | Self::UnknownOutcome
            | Self::ReadOnly
            | Self::Stopped => true,
            Self::Unreadable(_) | Self::IdTaken | Self::Conflict | Self::OtherSchema | Self::Panicked => {
                false
            }
        }
    }
}

/// Whether it was a bad moment for SQLite. Its codes do not come through diesel, its fixed texts do.
fn is_bad_moment(error: &QueryError) -> bool {
    const TEXTS: [&str; 9] = [
        "database is locked",
        "database table is locked",
        "database schema is locked",
        "database schema has changed",
        "database or disk is full",
        "attempt to write a readonly database",
        "disk I/O error",
        "unable to open database file",
        "out of memory",
    ];
    match error {
        QueryError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            TEXTS.iter().any(|text| information.message().starts_with(text))
        }
        _ => false,
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        if failure.is_passing() {
            Self::Unavailable(failure.into())
        } else {
            Self::Unexpected(failure.into())
        }
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::IdTaken => Self::Duplicate(Unique::Id),
            Failure::Conflict => Self::Conflict,
            Failure::Query(error) => match broken_rule(&error) {
                Some(rule) => Self::Duplicate(rule),
                None => Self::Store(Failure::Query(error).into()),
            },
            other => Self::Store(other.into()),
        }
    }
}

/// Which uniqueness rule a write broke. PostgreSQL names the constraint or the index, SQLite the columns of the index.
fn broken_rule(error: &QueryError) -> Option<Unique> {
    let QueryError::DatabaseError(_, information) = error else {
        return None;
    };
    let columns = || information.message().strip_prefix("UNIQUE constraint failed: ");
    match information.constraint_name().or_else(columns)? {
        "organizations_name_key" | "organizations.name" => Some(Unique::OrganizationName),
        "accounts_email_organization_id_key" | "accounts.email, accounts.organization_id" => {
            Some(Unique::AccountEmail)
        }
        "api_tokens_hash_key" | "api_tokens.hash" => Some(Unique::TokenHash),
        "providers_by_slug" | "providers.organization_id, providers.slug" => Some(Unique::ProviderSlug),
        "authorizations_identity_key"
        | "authorizations.account_id, authorizations.provider_id, authorizations.issuer, authorizations.subject" => {
            Some(Unique::Identity)
        }
        "logins_handle_hash_key" | "logins.handle_hash" => Some(Unique::LoginHandle),
        "login_identities_identity_key"
        | "login_identities.organization_id, login_identities.issuer, login_identities.subject" => {
            Some(Unique::LoginIdentity)
        }
        "audit_entries_pkey" | "audit_entries.id" => Some(Unique::Id),
        _ => None,
    }
}
