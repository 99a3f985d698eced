//! Authorizations whose refresh is due, all at once, and a service that is started over them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::Change;
use grantkeeper_domain::UnitOfWork as _;
use grantkeeper_domain::audit::{AuditAction, AuditLog as _, AuditOutcome};
use grantkeeper_domain::ids::OrganizationId;
use grantkeeper_store_diesel::DieselStore;
use tokio::runtime::Runtime;

use super::Refreshed;
use super::provider::{Grant, Provider};
use crate::child::Server;
use crate::contender::Usage;
use crate::failure::Failure;
use crate::figures::micros;
use crate::options::{Program, StoreKind};
use crate::place::Place;
use crate::population::{Population, authorization_id};
use crate::rounds::say;
use crate::seeds::{Seeds, Tokens, Upstream, batches, client_id};
use crate::sequence::Sequence;
use crate::stopwatch::{now, rest, wall_clock};

/// How long ago the access tokens were issued: they have expired.
const ISSUED: TimeDelta = TimeDelta::hours(2);
const LIFE: TimeDelta = TimeDelta::hours(1);
/// In how many seconds up to now the refreshes came due.
const CAME_DUE: u64 = 1_800;
/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(200);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A database in which everything is due.
pub(super) struct Due {
    place: Place,
    store: Arc<DieselStore>,
    organization: OrganizationId,
    count: u64,
    /// The store's connections end with it.
    runtime: Runtime,
}

impl Due {
    /// So many authorizations at that provider. The number of the round decides what is made up.
    pub(super) fn seed(
        place: Place,
        store: StoreKind,
        provider: &Provider,
        population: Population,
        random: &Arc<Sequence>,
    ) -> Result<Self, Failure> {
        let count = population.authorizations;
        say(&format!("seeding {} with {count} authorizations whose refresh is due", store.name()));
        let upstream = Upstream::Simulated(provider.url()?);
        let mut grants = Grants::of(provider, upstream.providers(), count)?;
        let runtime = Runtime::new()?;
        let (store, organization) = runtime.block_on(async {
            let store = Arc::new(place.open().await?);
            let key = place.installation.key()?;
            let seeds = Seeds::plant(&store, key, random.clone(), population, upstream).await?;
            let now = wall_clock()?;
            for batch in batches(count) {
                let mut changes = Vec::new();
                for number in batch {
                    let (access, refresh) = grants.next(seeds.provider_of(number)?)?.into_secrets();
                    let issued_at = now - ISSUED;
                    let tokens = Tokens { access, refresh, issued_at, expires_at: issued_at + LIFE };
                    changes.push(Change::insert(seeds.authorization_with(number, tokens).await?));
                    let due = now - TimeDelta::seconds(i64::try_from(random.below(CAME_DUE))?);
                    changes.push(Change::ScheduleRefresh(authorization_id(number), Some(due)));
                }
                store.commit(changes).await?;
            }
            Ok::<_, Failure>((store, seeds.organization()))
        })?;
        Ok(Self { place, store, organization, count, runtime })
    }

    /// Starts the service over it, and waits until all is refreshed.
    pub(super) fn refresh(&self, program: &Program, provider: &Provider) -> Result<Refreshed, Failure> {
        let provider_usage = Usage::of(Some(provider.id()));
        let database_usage = Usage::of(self.place.process());
        let service = self.place.installation.serve(&self.place.url(), program)?;
        let usage = Usage::of(Some(service.id()));
        self.wait(&service)?;
        let each = |usage: &Usage| Some(micros(usage.since()?) / count_of(self.count));
        let (cpu, database_cpu, provider_cpu) = (each(&usage), each(&database_usage), each(&provider_usage));
        drop(service);
        Ok(Refreshed { per_second: pace(&self.times()?)?, cpu, database_cpu, provider_cpu })
    }

    /// Waits until all is refreshed.
    fn wait(&self, service: &Server) -> Result<(), Failure> {
        let start = now();
        loop {
            rest(LOOK);
            let tally = self.runtime.block_on(self.store.tally(self.organization))?;
            let refreshes = tally.iter().filter(|(action, ..)| *action == AuditAction::TokenRefreshed);
            let done = refreshes.clone().filter(|(_, outcome, _)| *outcome == AuditOutcome::Done);
            let done: u64 = done.map(|(.., count)| count).sum();
            if done >= self.count {
                return Ok(());
            }
            if refreshes.clone().any(|(_, outcome, _)| *outcome != AuditOutcome::Done) {
                return Err(format!("refreshes went wrong: {tally:?}\n{}", service.log()).into());
            }
            if now() - start > PATIENCE {
                return Err(format!("only {done} of {} were refreshed\n{}", self.count, service.log()).into());
            }
        }
    }

    /// When each was refreshed, the first one first, as the audit log has it.
    fn times(&self) -> Result<Vec<DateTime<Utc>>, Failure> {
        // Beside the refreshes there is hardly anything in the log.
        let limit = u32::try_from(self.count + 1_000)?;
        let entries = self.runtime.block_on(self.store.newest_entries(self.organization, limit))?;
        let refreshes = entries.iter().filter(|entry| entry.action == AuditAction::TokenRefreshed);
        let mut times: Vec<_> = refreshes.map(|entry| entry.at).collect();
        times.sort_unstable();
        Ok(times)
    }
}

/// Grants that are used up, provider by provider.
struct Grants(Vec<Vec<Grant>>);

impl Grants {
    /// As many as there are authorizations, and an account more at each.
    fn of(provider: &Provider, providers: usize, authorizations: u64) -> Result<Self, Failure> {
        let each = authorizations / u64::try_from(providers)? + 1_000;
        let grants = (0..providers).map(|number| provider.grants(&client_id(number), each));
        Ok(Self(grants.collect::<Result<_, _>>()?))
    }

    fn next(&mut self, provider: usize) -> Result<Grant, Failure> {
        Ok(self.0.get_mut(provider).and_then(Vec::pop).ok_or("there are too few grants")?)
    }
}

/// Refreshes in a second, without the first and the last tenth: what it does once it runs, and as long as there is enough to
/// do.
fn pace(times: &[DateTime<Utc>]) -> Result<f64, Failure> {
    let tenth = times.len() / 10;
    let middle = times.get(tenth..times.len() - tenth).unwrap_or_default();
    let (Some(first), Some(last)) = (middle.first(), middle.last()) else {
        return Err("nothing was refreshed".into());
    };
    let elapsed = (*last - *first).to_std()?;
    Ok(count_of(u64::try_from(middle.len())?) / elapsed.as_secs_f64())
}

fn count_of(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
    let count = number as f64;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_middle() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        // A slow start, a hundred a second, and a straggler.
        let times: Vec<_> =
            [0].into_iter().chain(5_000..5_009).map(|millis| at(millis * 10)).chain([at(90_000)]).collect();
        assert!((pace(&times).unwrap() - 112.5).abs() < 0.01, "nine in eight hundredths of a second");
        assert!(pace(&[]).is_err());
    }
}
