//! The ports of refreshing: who may ask a provider, what was asked, and which authorization is due; and what hand-outs
//! leave behind.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::audit::AuditEntry;
use crate::authorizations::Authorization;
use crate::ids::{ApiTokenId, AuthorizationId};
use crate::providers::Provider;
use crate::store::StoreError;

/// A claim to refresh one authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshLease {
    /// Which authorization.
    pub authorization_id: AuthorizationId,
    /// Who holds it: a name that no other process has.
    pub holder: String,
    /// Grows with every lease of the authorization, so that a later holder can be told from an earlier one.
    pub fence: i64,
    /// The request of an earlier holder that no answer was written down for.
    pub unanswered: Option<UnansweredRequest>,
}

/// An entry of the journal: a request that may have rotated the refresh token without our knowing the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnansweredRequest {
    /// The fence of the lease it was made under.
    pub fence: i64,
    /// When it was written down, right before the provider was asked.
    pub asked_at: DateTime<Utc>,
    /// Whether the holder itself said that it has no answer. Else it may have died with one, or still have it.
    pub given_up: bool,
}

/// What a holder's being alive is told by: a live one changes it again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignOfLife {
    /// The fence of the lease.
    pub fence: i64,
    /// How often it was kept.
    pub beat: i64,
}

/// The answer to whoever wants a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenLease {
    /// It is theirs.
    Taken(RefreshLease),
    /// Somebody else holds it.
    Held(SignOfLife),
    /// There is no such authorization (any more).
    Gone,
}

/// An authorization whose refresh is due.
#[derive(Clone, Debug, PartialEq)]
pub enum DueRefresh {
    /// It is to be refreshed by whoever claimed it.
    Claimed(Box<ClaimedRefresh>),
    /// Somebody else holds its lease: one who does not live may be followed.
    Held(AuthorizationId, SignOfLife),
}

/// A claimed refresh, read under its lease.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedRefresh {
    /// The claim.
    pub lease: RefreshLease,
    /// The authorization.
    pub authorization: Authorization,
    /// Its provider.
    pub provider: Arc<Provider>,
    /// When a token of it was last handed out, to the hour or so; `None`: never.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Which due refreshes somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueClaim {
    /// Who will hold the leases.
    pub holder: String,
    /// What is due at that time.
    pub now: DateTime<Utc>,
    /// When a claimed one comes up again unless its refresh has said when before that.
    pub again_at: DateTime<Utc>,
    /// When one that somebody else holds comes up again.
    pub watch_at: DateTime<Utc>,
    /// At most so many.
    pub limit: u32,
}

/// How a refresh ended, for its lease and the journal; see [`Change::EndRefresh`](crate::Change::EndRefresh).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshEnd {
    /// Which authorization.
    pub authorization_id: AuthorizationId,
    /// The fence of the lease.
    pub fence: i64,
    /// What became of the request.
    pub request: RequestEnd,
    /// When the next refresh is due.
    pub next: NextRefresh,
}

/// What became of the request of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEnd {
    /// It was not made, or nothing depends on its answer any more: its entry is taken out, an older one stays.
    Moot,
    /// It was answered: the journal is empty again.
    Answered,
    /// It may have been served, and no answer has come: its entry stays, as given up.
    Lost,
}

/// When the next refresh of an authorization is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRefresh {
    /// As it was.
    Unchanged,
    /// Then.
    At(DateTime<Utc>),
    /// Not by itself.
    Never,
}

impl NextRefresh {
    /// The time, where there is one.
    pub(crate) fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(due) => Some(due),
            Self::Unchanged | Self::Never => None,
        }
    }
}

/// Grants leases, keeps the journal, and knows what is due. Every authorization has one row here from its insertion to its
/// deletion.
///
/// No method compares the clocks of two machines: whether a holder lives is seen by its [`SignOfLife`] alone.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RefreshLeases: Send + Sync {
    /// Takes the lease of an authorization. One that is held is only taken from a holder whose sign of life is still
    /// `silent`. Where the journal is empty the request is written down with it, as asked at `now`.
    ///
    /// MUST be atomic, and MUST give each lease a greater fence than the one before.
    async fn take_lease<'a>(
        &self,
        authorization: AuthorizationId,
        holder: &'a str,
        silent: Option<SignOfLife>,
        now: DateTime<Utc>,
    ) -> Result<TakenLease, StoreError>;

    /// Gives a sign of life; `false` when somebody else has taken the lease.
    async fn keep_lease(&self, lease: &RefreshLease) -> Result<bool, StoreError>;

    /// Writes a request down in the place of whatever the journal has, asked at `now`; `false`, and nothing written, when
    /// somebody else has taken the lease.
    async fn note_request(&self, lease: &RefreshLease, now: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Claims what is due at `claim.now`, longest due first: leases as [`RefreshLeases::take_lease`] gives them, and the
    /// rows read under them. What it came upon is not due again before `again_at` or `watch_at`. MUST be atomic: no two
    /// callers get one refresh; and MUST cost no more than the batch.
    async fn claim_due(&self, claim: &DueClaim) -> Result<Vec<DueRefresh>, StoreError>;
}

/// What reads leave behind, written together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uses {
    /// Hand-outs. Where an entry of this id is there already, its count and its last time are raised to these; else it
    /// is appended. So the same may be written twice.
    pub hand_outs: Vec<AuditEntry>,
    /// API tokens that were used, and when.
    pub api_tokens: Vec<(ApiTokenId, DateTime<Utc>)>,
    /// Authorizations that were used.
    pub authorizations: Vec<UsedAuthorization>,
}

/// An authorization that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedAuthorization {
    /// Which.
    pub id: AuthorizationId,
    /// When.
    pub at: DateTime<Utc>,
    /// When its refresh is due, now that it is in use; an earlier time in the store stays.
    pub due_at: Option<DateTime<Utc>>,
}

/// Writes down what reads leave behind.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait UseLog: Send + Sync {
    /// Writes all of it, or nothing. Tokens and authorizations that are gone are left out, and no version changes: this
    /// races with nothing that matters.
    async fn note_uses(&self, uses: &Uses) -> Result<(), StoreError>;
}
