//! Refresh leases.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{DueClaim, DueRefresh, RefreshLease, RefreshLeases, SignOfLife, TakenLease};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::due_refreshes::{claim, due};
use crate::failure::Failure;
use crate::refreshes::{ById, RefreshRow, by_id, leased};
use crate::schema::refreshes;

/// How often a lease is tried for that was held when it was asked for, and free when its holder was.
const TAKE_TRIES: u32 = 3;

/// The row of a lease, as long as it is held under its fence.
#[auto_type]
fn held(id: Id, fence: i64) -> _ {
    let row: ById = by_id(id);
    row.filter(refreshes::fence.eq(fence)).filter(refreshes::holder.is_not_null())
}

async fn take(
    id: AuthorizationId,
    holder: String,
    silent: Option<SignOfLife>,
    now: Time,
    c: &mut Connection<'_>,
) -> Result<TakenLease, Failure> {
    let mut tries = 1;
    loop {
        let free = refreshes::holder.is_null();
        // Nothing is equal to null.
        let (fence, beat) = (silent.map(|sign| sign.fence), silent.map(|sign| sign.beat));
        let is_silent = refreshes::fence.nullable().eq(fence).and(refreshes::beat.nullable().eq(beat));
        let rows = by_id(id.into()).filter(free.or(is_silent));
        let taken = leased!(rows, holder.clone(), now).returning(refreshes::all_columns);
        if let Some(row) = c.one::<RefreshRow>(taken).await? {
            return Ok(TakenLease::Taken(row.lease(holder)));
        }
        match c.one::<RefreshRow>(by_id(id.into())).await? {
            None => return Ok(TakenLease::Gone),
            Some(row) if row.holder.is_none() && tries < TAKE_TRIES => tries += 1,
            Some(row) => return Ok(TakenLease::Held(row.sign_of_life())),
        }
    }
}

#[async_trait]
impl RefreshLeases for DieselStore {
    async fn take_lease<'a>(
        &self,
        authorization: AuthorizationId,
        holder: &'a str,
        silent: Option<SignOfLife>,
        now: DateTime<Utc>,
    ) -> Result<TakenLease, StoreError> {
        let holder = holder.to_owned();
        self.write(move |c| Box::pin(take(authorization, holder, silent, Time(now), c))).await
    }

    async fn keep_lease(&self, lease: &RefreshLease) -> Result<bool, StoreError> {
        let row = diesel::update(held(lease.authorization_id.into(), lease.fence));
        Ok(self.execute(row.set(refreshes::beat.eq(refreshes::beat + 1))).await? == 1)
    }

    async fn note_request(&self, lease: &RefreshLease, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let row = diesel::update(held(lease.authorization_id.into(), lease.fence));
        let asked = (
            refreshes::asked_fence.eq(Some(lease.fence)),
            refreshes::asked_at.eq(Some(Time(now))),
            refreshes::asked_given_up.eq(false),
        );
        Ok(self.execute(row.set(asked)).await? == 1)
    }

    async fn claim_due(&self, due_claim: &DueClaim) -> Result<Vec<DueRefresh>, StoreError> {
        // Most often there is nothing to do, which is found without a transaction. Not over a shared connection: while some
        // long transaction keeps dead entries in the index, the look walks over them, and others would wait behind it.
        if self.all::<RefreshRow>(due(Time(due_claim.now), 1)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let due_claim = due_claim.clone();
        self.write(move |c| Box::pin(claim(due_claim, c))).await
    }
}
