//! Refreshes that are due.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::tokens::{ClaimedRefresh, DueClaim, DueRefresh, RefreshLease};

use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::locked::Locked;
use crate::refreshes::{RefreshRow, leased};
use crate::schema::{authorizations, providers, refreshes};

/// What is due, longest due first.
#[auto_type]
pub(crate) fn due(now: Time, limit: i64) -> _ {
    refreshes::table
        .filter(refreshes::due_at.le(now))
        .order((refreshes::due_at, refreshes::authorization_id))
        .limit(limit)
}

/// Authorizations with their providers.
#[auto_type]
pub(crate) fn with_provider(ids: Vec<Id>) -> _ {
    authorizations::table.inner_join(providers::table).filter(authorizations::id.eq_any(ids))
}

/// Claims what is due; nobody else does so before the transaction ends.
pub(crate) async fn claim(claim: DueClaim, c: &mut Connection<'_>) -> Result<Vec<DueRefresh>, Failure> {
    let due: Vec<RefreshRow> = c.all(Locked::skipping(due(Time(claim.now), claim.limit.into()))).await?;
    let (held, free): (Vec<_>, Vec<_>) = due.iter().partition(|row| row.holder.is_some());
    let mut readable = readable(free.iter().map(|row| row.id).collect(), c).await?;
    let (claimed, broken): (Vec<_>, Vec<_>) =
        free.iter().map(|row| row.id).partition(|id| readable.contains_key(&(*id).into()));
    if !claimed.is_empty() {
        let rows = refreshes::table.filter(refreshes::authorization_id.eq_any(claimed));
        let again_at = refreshes::due_at.eq(Some(Time(claim.again_at)));
        c.execute(leased!(rows, claim.holder.clone(), Time(claim.now), again_at)).await?;
    }
    put_off(held.iter().map(|row| row.id).collect(), claim.watch_at, c).await?;
    put_off(broken, claim.again_at, c).await?;
    Ok(due.iter().filter_map(|row| claimed_from(row, &claim.holder, &mut readable)).collect())
}

/// What a claim has made of a row, told by what it was before.
fn claimed_from(row: &RefreshRow, holder: &str, readable: &mut Readable) -> Option<DueRefresh> {
    let authorization_id = row.id.into();
    if row.holder.is_some() {
        return Some(DueRefresh::Held(authorization_id, row.sign_of_life()));
    }
    let (authorization, provider) = readable.remove(&authorization_id)?;
    let (holder, fence, unanswered) = (holder.to_owned(), row.fence + 1, row.asked());
    let lease = RefreshLease { authorization_id, holder, fence, unanswered };
    let (provider, last_used_at) = (provider.into(), row.last_used_at.map(Into::into));
    Some(DueRefresh::Claimed(Box::new(ClaimedRefresh { lease, authorization, provider, last_used_at })))
}

async fn put_off(ids: Vec<Id>, until: DateTime<Utc>, c: &mut Connection<'_>) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = refreshes::table.filter(refreshes::authorization_id.eq_any(ids));
    c.execute(diesel::update(rows).set(refreshes::due_at.eq(Some(Time(until))))).await.map(drop)
}

/// Authorizations with their providers, by their ids.
type Readable = BTreeMap<AuthorizationId, (Authorization, Provider)>;

/// The rows of these authorizations. One that this version cannot read is left out: it must not keep all others waiting.
async fn readable(ids: Vec<Id>, c: &mut Connection<'_>) -> Result<Readable, Failure> {
    if ids.is_empty() {
        return Ok(Readable::new());
    }
    let rows = match c.all::<(Authorization, Provider)>(with_provider(ids.clone())).await {
        Err(failure) if failure.is_unreadable() => one_by_one(ids, c).await?,
        rows => rows?,
    };
    Ok(rows.into_iter().map(|row| (row.0.id, row)).collect())
}

async fn one_by_one(ids: Vec<Id>, c: &mut Connection<'_>) -> Result<Vec<(Authorization, Provider)>, Failure> {
    let mut rows = Vec::new();
    for id in ids {
        match c.all(with_provider(vec![id])).await {
            Err(failure) if failure.is_unreadable() => {
                let (authorization, error) = (AuthorizationId::from(id), &failure as &dyn std::error::Error);
                tracing::error!(%authorization, error, "an authorization whose refresh is due cannot be read");
            }
            row => rows.extend(row?),
        }
    }
    Ok(rows)
}
