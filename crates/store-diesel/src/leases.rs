//! Refresh leases.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, exists, not};
use diesel::prelude::*;
use diesel::upsert::excluded;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{RefreshLease, RefreshLeases};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::schema::{authorizations, refresh_leases};

#[derive(Insertable)]
#[diesel(table_name = refresh_leases)]
struct LeaseRow {
    authorization_id: Id,
    holder: String,
    held_until: Time,
    fence: i64,
}

/// Takes the lease in one statement: its fence, or `None` where another's stands.
async fn take(first: LeaseRow, now: Time, c: &mut Connection<'_>) -> Result<Option<i64>, Failure> {
    // The condition of an upsert, which diesel keeps apart from that of a query.
    use diesel::query_dsl::methods::FilterDsl as _;

    let mine = refresh_leases::holder.eq(excluded(refresh_leases::holder));
    let free = refresh_leases::holder.is_null().or(refresh_leases::held_until.le(now));
    let fence = diesel::insert_into(refresh_leases::table)
        .values(first)
        .on_conflict(refresh_leases::authorization_id)
        .do_update()
        .set((
            refresh_leases::holder.eq(excluded(refresh_leases::holder)),
            refresh_leases::held_until.eq(excluded(refresh_leases::held_until)),
            refresh_leases::fence.eq(refresh_leases::fence + 1),
        ))
        .filter(free.or(mine))
        .returning(refresh_leases::fence);
    Ok(c.load(fence).await?.into_iter().next())
}

/// Lapsed leases of authorizations that are gone.
#[auto_type]
pub(crate) fn abandoned(before: Time) -> _ {
    let authorization = authorizations::table.filter(authorizations::id.eq(refresh_leases::authorization_id));
    refresh_leases::table.filter(refresh_leases::held_until.lt(before)).filter(not(exists(authorization)))
}

#[async_trait]
impl RefreshLeases for DieselStore {
    async fn take_lease<'a>(
        &self,
        authorization_id: AuthorizationId,
        holder: &'a str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let holder = holder.to_owned();
        let first = LeaseRow {
            authorization_id: authorization_id.into(),
            holder: holder.clone(),
            held_until: Time(until),
            fence: 1,
        };
        let fence = self.write(move |c| Box::pin(take(first, Time(now), c))).await?;
        Ok(fence.map(|fence| RefreshLease { authorization_id, holder, until, fence }))
    }

    async fn release_lease(&self, lease: &RefreshLease) -> Result<(), StoreError> {
        // The fence alone says whose lease it is. The row stays, so that the fence goes on growing.
        let held = diesel::update(refresh_leases::table)
            .filter(refresh_leases::authorization_id.eq(Id::from(lease.authorization_id)))
            .filter(refresh_leases::fence.eq(lease.fence))
            .set(refresh_leases::holder.eq(None::<String>));
        self.execute(held).await.map(|_| ())
    }

    async fn purge_leases(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(abandoned(Time(before)))).await
    }
}
