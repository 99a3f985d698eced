//! The revocation queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::Lease;
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::revocations::{Revocation, RevocationQueue, RevocationStatus};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::{Connection, Query};
use crate::failure::{Failure, Unreadable};
use crate::locked::{Locked, Skipping};
use crate::rows::{FromRow, Versioned, bytes, versioned};
use crate::schema::revocations;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = revocations, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct RevocationRow {
    id: Id,
    organization_id: Id,
    provider_id: Id,
    authorization_id: Id,
    account_id: Id,
    access_token: Option<Vec<u8>>,
    refresh_token: Option<Vec<u8>>,
    status: String,
    last_error: Option<String>,
    attempts: i64,
    created_at: Time,
    next_attempt_at: Time,
    finished_at: Option<Time>,
    lease_holder: Option<String>,
    lease_until: Option<Time>,
    version: i64,
}

impl RevocationRow {
    fn of(revocation: &Revocation, version: Version) -> Self {
        Self {
            id: revocation.id.into(),
            organization_id: revocation.organization_id.into(),
            provider_id: revocation.provider_id.into(),
            authorization_id: revocation.authorization_id.into(),
            account_id: revocation.account_id.into(),
            access_token: bytes(revocation.access_token.as_ref()),
            refresh_token: bytes(revocation.refresh_token.as_ref()),
            status: revocation.status.as_str().to_owned(),
            last_error: revocation.last_error.clone(),
            attempts: revocation.attempts.into(),
            created_at: revocation.created_at.into(),
            next_attempt_at: revocation.next_attempt_at.into(),
            finished_at: revocation.finished_at.map(Time),
            lease_holder: revocation.lease.as_ref().map(|lease| lease.holder.clone()),
            lease_until: revocation.lease.as_ref().map(|lease| Time(lease.until)),
            version: version.get(),
        }
    }
}

impl FromRow for Revocation {
    type Row = RevocationRow;

    fn from_row(row: RevocationRow) -> Result<Self, Unreadable> {
        let status = RevocationStatus::from_name(&row.status).ok_or(Unreadable("revocations.status"))?;
        let lease = row.lease_holder.zip(row.lease_until);
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            provider_id: row.provider_id.into(),
            authorization_id: row.authorization_id.into(),
            account_id: row.account_id.into(),
            access_token: row.access_token.map(SealedSecret::from_bytes),
            refresh_token: row.refresh_token.map(SealedSecret::from_bytes),
            status,
            last_error: row.last_error,
            attempts: row.attempts.try_into().map_err(|_| Unreadable("revocations.attempts"))?,
            created_at: row.created_at.into(),
            next_attempt_at: row.next_attempt_at.into(),
            finished_at: row.finished_at.map(Into::into),
            lease: lease.map(|(holder, Time(until))| Lease { holder, until }),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Revocation, RevocationRow in revocations);

/// [`Revocation::is_claimable`] in a hurry, the one that is due first in front.
#[auto_type(type_case = "PascalCase")]
pub(crate) fn claimable(now: Time, limit: i64) -> _ {
    let pending: &'static str = RevocationStatus::Pending.as_str();
    revocations::table
        .filter(revocations::status.eq(pending))
        .filter(revocations::lease_until.is_null().or(revocations::lease_until.le(now)))
        .order((revocations::next_attempt_at, revocations::created_at, revocations::id))
        .limit(limit)
}

#[auto_type]
pub(crate) fn claimable_of(provider: Id, now: Time, limit: i64) -> _ {
    let claimable: Claimable = claimable(now, limit);
    claimable.filter(revocations::provider_id.eq(provider))
}

#[auto_type]
pub(crate) fn due(now: Time, limit: i64) -> _ {
    let claimable: Claimable = claimable(now, limit);
    claimable.filter(revocations::next_attempt_at.le(now))
}

#[auto_type]
pub(crate) fn of_provider(provider: Id) -> _ {
    revocations::table
        .filter(revocations::provider_id.eq(provider))
        .order((revocations::created_at, revocations::id))
}

#[auto_type]
pub(crate) fn ended(before: Time) -> _ {
    revocations::table.filter(revocations::finished_at.lt(before))
}

impl DieselStore {
    async fn claim_all<Q>(&self, claimable: Q, lease: Lease) -> Result<Vec<Revocation>, StoreError>
    where
        Q: Query<RevocationRow> + Clone,
        Locked<Q, Skipping>: Query<RevocationRow>,
    {
        // Most often there is nothing to do, which is found without a transaction.
        if self.all::<Revocation>(claimable.clone()).await?.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |c| Box::pin(claim(Locked::skipping(claimable), lease, c))).await
    }
}

async fn claim(
    claimable: impl Query<RevocationRow>,
    lease: Lease,
    c: &mut Connection<'_>,
) -> Result<Vec<Revocation>, Failure> {
    let mut claimed = Vec::new();
    for revocation in c.all::<Revocation>(claimable).await? {
        let read = revocation.version;
        let revocation = revocation.claimed(lease.clone());
        revocation.replace(read, c).await?;
        claimed.push(revocation);
    }
    Ok(claimed)
}

#[async_trait]
impl RevocationQueue for DieselStore {
    async fn claim_revocations(
        &self,
        of: Option<ProviderId>,
        lease: Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        match of {
            Some(provider) => {
                self.claim_all(claimable_of(provider.into(), Time(now), limit.into()), lease).await
            }
            None => self.claim_all(due(Time(now), limit.into()), lease).await,
        }
    }

    async fn revocations_of(&self, provider: ProviderId) -> Result<Vec<Revocation>, StoreError> {
        self.all(of_provider(provider.into())).await
    }

    async fn purge_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(ended(Time(before)))).await
    }
}
