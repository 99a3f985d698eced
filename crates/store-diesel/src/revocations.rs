//! The revocation queue, its receipts, and who lives by a grant.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use grantkeeper_domain::Lease;
use grantkeeper_domain::ids::{AccountId, AuthorizationId, OrganizationId, ProviderId, RevocationId};
use grantkeeper_domain::revocations::{
    ClaimedRevocations, ResourceOwner, Revocation, RevocationFilter, RevocationQueue, RevocationStatus,
    SharedGrants,
};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::{StoreError, Version};
use url::Url;
use uuid::Uuid;

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::{Connection, Query};
use crate::failure::{Failure, Unreadable};
use crate::locked::{Locked, Skipping};
use crate::rows::{FromRow, Versioned, bytes, versioned};
use crate::schema::{authorizations, revocations};

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
    issuer: Option<String>,
    subject: Option<String>,
    settings_url: Option<String>,
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
            issuer: revocation.resource_owner.as_ref().map(|owner| owner.issuer.clone()),
            subject: revocation.resource_owner.as_ref().map(|owner| owner.subject.clone()),
            settings_url: revocation.settings_url.as_ref().map(ToString::to_string),
        }
    }
}

impl FromRow for Revocation {
    type Row = RevocationRow;

    fn from_row(row: RevocationRow) -> Result<Self, Unreadable> {
        let status = RevocationStatus::from_name(&row.status).ok_or(Unreadable("revocations.status"))?;
        let lease = row.lease_holder.zip(row.lease_until);
        let owner = row.issuer.zip(row.subject);
        let settings_url = row.settings_url.map(|url| Url::parse(&url)).transpose();
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            provider_id: row.provider_id.into(),
            authorization_id: row.authorization_id.into(),
            account_id: row.account_id.into(),
            resource_owner: owner.map(|(issuer, subject)| ResourceOwner { issuer, subject }),
            access_token: row.access_token.map(SealedSecret::from_bytes),
            refresh_token: row.refresh_token.map(SealedSecret::from_bytes),
            status,
            settings_url: settings_url.map_err(|_| Unreadable("revocations.settings_url"))?,
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
pub(crate) fn claimable_one(id: Id, now: Time, limit: i64) -> _ {
    let claimable: Claimable = claimable(now, limit);
    claimable.filter(revocations::id.eq(id))
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
pub(crate) fn by_id(organization: Id, id: Id) -> _ {
    revocations::table.filter(revocations::id.eq(id)).filter(revocations::organization_id.eq(organization))
}

#[auto_type(type_case = "PascalCase")]
fn newest(limit: i64) -> _ {
    revocations::table.order((revocations::created_at.desc(), revocations::id.desc())).limit(limit)
}

#[auto_type]
pub(crate) fn newest_of_organization(organization: Id, limit: i64) -> _ {
    let newest: Newest = newest(limit);
    newest.filter(revocations::organization_id.eq(organization))
}

#[auto_type]
pub(crate) fn newest_of_account(account: Id, limit: i64) -> _ {
    let newest: Newest = newest(limit);
    newest.filter(revocations::account_id.eq(account))
}

#[auto_type]
pub(crate) fn newest_of_authorization(authorization: Id, limit: i64) -> _ {
    let newest: Newest = newest(limit);
    newest.filter(revocations::authorization_id.eq(authorization))
}

#[auto_type]
pub(crate) fn newest_at_provider(provider: Id, limit: i64) -> _ {
    let newest: Newest = newest(limit);
    newest.filter(revocations::provider_id.eq(provider))
}

#[auto_type]
pub(crate) fn live_of_owner(provider: Id, issuer: String, subject: String) -> _ {
    authorizations::table
        .filter(authorizations::provider_id.eq(provider))
        .filter(authorizations::subject.eq(subject))
        .filter(authorizations::issuer.eq(issuer))
        .filter(authorizations::grant_state.eq("live"))
        .select(authorizations::id)
        .limit(1_i64)
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
        which: ClaimedRevocations,
        lease: Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let (now, limit) = (Time(now), limit.into());
        match which {
            ClaimedRevocations::Due => self.claim_all(due(now, limit), lease).await,
            ClaimedRevocations::Of(provider) => {
                self.claim_all(claimable_of(provider.into(), now, limit), lease).await
            }
            ClaimedRevocations::One(id) => self.claim_all(claimable_one(id.into(), now, limit), lease).await,
        }
    }

    async fn revocations_of(&self, provider: ProviderId) -> Result<Vec<Revocation>, StoreError> {
        self.all(of_provider(provider.into())).await
    }

    async fn revocation(
        &self,
        organization: OrganizationId,
        id: RevocationId,
    ) -> Result<Option<Revocation>, StoreError> {
        self.one(by_id(organization.into(), id.into())).await
    }

    async fn newest_revocations(
        &self,
        organization: OrganizationId,
        account: Option<AccountId>,
        filter: &RevocationFilter,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let limit = limit.into();
        let RevocationFilter { authorization_id, provider_id, status } = *filter;
        /// Lets through what else is wanted; the text is the same, whatever that is.
        macro_rules! narrowed {
            ($newest:expr) => {{
                let (account, any_account) = given(account);
                let (authorization, any_authorization) = given(authorization_id);
                let (provider, any_provider) = given(provider_id);
                let any_status = status.is_none().into_sql::<Bool>();
                let status = status.map_or("", RevocationStatus::as_str);
                let narrowed = $newest
                    .filter(revocations::organization_id.eq(Id::from(organization)))
                    .filter(revocations::account_id.eq(account).or(any_account.into_sql::<Bool>()))
                    .filter(
                        revocations::authorization_id
                            .eq(authorization)
                            .or(any_authorization.into_sql::<Bool>()),
                    )
                    .filter(revocations::provider_id.eq(provider).or(any_provider.into_sql::<Bool>()))
                    .filter(revocations::status.eq(status).or(any_status));
                self.all(narrowed).await
            }};
        }
        // By what leaves the fewest.
        match (authorization_id, account, provider_id) {
            (Some(authorization), _, _) => narrowed!(newest_of_authorization(authorization.into(), limit)),
            (None, Some(account), _) => narrowed!(newest_of_account(account.into(), limit)),
            (None, None, Some(provider)) => narrowed!(newest_at_provider(provider.into(), limit)),
            (None, None, None) => narrowed!(newest_of_organization(organization.into(), limit)),
        }
    }

    async fn purge_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(ended(Time(before)))).await
    }
}

/// An id to compare with, and whether any will do.
fn given(id: Option<impl Into<Id>>) -> (Id, bool) {
    match id {
        Some(id) => (id.into(), false),
        None => (AuthorizationId::from_uuid(Uuid::nil()).into(), true),
    }
}

#[async_trait]
impl SharedGrants for DieselStore {
    async fn has_live_authorization(
        &self,
        provider: ProviderId,
        owner: &ResourceOwner,
    ) -> Result<bool, StoreError> {
        let (issuer, subject) = (owner.issuer.clone(), owner.subject.clone());
        let found: Option<AuthorizationId> =
            self.one(live_of_owner(provider.into(), issuer, subject)).await?;
        Ok(found.is_some())
    }
}
