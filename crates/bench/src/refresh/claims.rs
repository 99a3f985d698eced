//! What it costs to find out which refreshes are due, with no provider asked: the claims alone, over very many
//! authorizations with tokens of an hour, as fast as they come due.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::tokens::{
    DueClaim, DueRefresh, NextRefresh, RefreshEnd, RefreshLeases as _, RequestEnd,
};
use grantkeeper_domain::{Change, UnitOfWork as _};
use grantkeeper_store_diesel::DieselStore;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::contender::Usage;
use crate::failure::Failure;
use crate::figures::micros;
use crate::options::{DatabaseServer, StoreKind};
use crate::planted::Planted;
use crate::population::{Population, REFERENCE, SEEDED_AT};
use crate::sequence::Sequence;

/// How often one authorization comes due, in seconds: tokens of an hour are refreshed some minutes before they expire.
const EVERY: u64 = 3_420;
/// How many of those seconds are gone through.
const SECONDS: u64 = 60;
/// How many are claimed at once, as the service does.
const BATCH: u32 = 64;

/// What the claims cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Claims {
    /// Among how many authorizations.
    pub(super) authorizations: u64,
    /// How many were claimed.
    pub(super) claimed: u64,
    /// CPU microseconds for each, of this process, which has the store in it; `None`: it cannot be known.
    pub(super) cpu_micros: Option<f64>,
    /// CPU microseconds for each, of the database's processes, where there are any.
    pub(super) database_cpu_micros: Option<f64>,
    /// So much of one core it takes to keep up with all of them.
    pub(super) cores: Option<f64>,
}

/// Makes the database, and claims from it what comes due in a minute.
pub(super) fn measure(
    store: StoreKind,
    server: &DatabaseServer,
    authorizations: u64,
) -> Result<Claims, Failure> {
    let population = Population::of(authorizations, REFERENCE);
    let planted = Planted::scheduled(store, server, population, comes_due)?;
    let runtime = Runtime::new()?;
    let store = runtime.block_on(planted.place.open())?;
    let (own, database) = (Usage::of(Some(std::process::id())), Usage::of(planted.place.process()));
    let claimed = runtime.block_on(claim_all(&store))?;
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
    let each = |usage: &Usage| Some(micros(usage.since()?) / claimed as f64);
    let (cpu_micros, database_cpu_micros) = (each(&own), each(&database));
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
    let a_second = authorizations as f64 / EVERY as f64;
    let cores = cpu_micros.map(|own| (own + database_cpu_micros.unwrap_or_default()) * a_second / 1e6);
    Ok(Claims { authorizations, claimed, cpu_micros, database_cpu_micros, cores })
}

/// Goes through the seconds without waiting for them; returns how many were claimed.
async fn claim_all(store: &DieselStore) -> Result<u64, Failure> {
    let mut claimed = 0;
    for second in 1..=SECONDS {
        let now = begin() + TimeDelta::seconds(i64::try_from(second)?);
        loop {
            let count = claim(store, now).await?;
            claimed += u64::try_from(count)?;
            if count < BATCH as usize {
                break;
            }
        }
    }
    Ok(claimed)
}

/// Claims once, and says of all that was claimed when it is due again, as a refresh does when it ends.
async fn claim(store: &DieselStore, now: DateTime<Utc>) -> Result<usize, Failure> {
    let soon = now + TimeDelta::seconds(60);
    let claim = DueClaim { holder: "bench".to_owned(), now, again_at: soon, watch_at: soon, limit: BATCH };
    let due = store.claim_due(&claim).await?;
    let count = due.len();
    let again = NextRefresh::At(now + TimeDelta::seconds(i64::try_from(EVERY)?));
    let ends = due.into_iter().filter_map(|due| match due {
        DueRefresh::Claimed(claimed) => Some(Change::EndRefresh(RefreshEnd {
            authorization_id: claimed.lease.authorization_id,
            fence: claimed.lease.fence,
            request: RequestEnd::Moot,
            next: again,
        })),
        DueRefresh::Held(..) => None,
    });
    store.commit(ends.collect()).await?;
    Ok(count)
}

fn begin() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(SEEDED_AT).expect("the year is 2026")
}

/// Any time until all have come due once, whatever their place in the table.
fn comes_due(authorization: u64) -> DateTime<Utc> {
    let micros = Sequence::new(authorization).below(EVERY * 1_000_000);
    begin() + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_claimed_as_come_due_and_each_once() {
        let server = DatabaseServer { postgres: None, psql: "psql".to_owned() };
        let claims = measure(StoreKind::Sqlite, &server, 4_000).unwrap();
        let end = begin() + TimeDelta::seconds(60);
        let due = (0..4_000).filter(|number| comes_due(*number) <= end).count();
        assert_eq!(claims.claimed, u64::try_from(due).unwrap());
        assert!((50..90).contains(&due), "a minute of 57: {due}");
        assert_eq!(claims.database_cpu_micros, None);
    }
}
