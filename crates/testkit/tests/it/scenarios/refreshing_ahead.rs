//! The background refreshes ahead of expiry, and callers do not notice.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::audit::AuditAction;
use grantkeeper_domain::authorizations::{Authorization, AuthorizationStore as _, GrantState};
use grantkeeper_domain::ids::{AuthorizationId, CredentialId, ProviderId};
use grantkeeper_domain::providers::{ProviderStatus, ProviderUpdate, UpstreamError};
use grantkeeper_domain::sealing::TokenSealer as _;
use grantkeeper_domain::services::Clock as _;
use grantkeeper_domain::tokens::{LendError, TokenSettings};
use grantkeeper_domain::{Change, Secret};
use grantkeeper_testkit::FixedClock;
use grantkeeper_testkit::scripted_provider::Call;
use uuid::Uuid;

use super::world::World;

/// How long the background rests when nothing is due; no caller's patience and no limit is as short as that.
const POLL: Duration = Duration::from_millis(500);

/// A world in which time passes while the background rests.
async fn world() -> World {
    World::with_clock(FixedClock::passing_pauses(POLL)).await
}

impl World {
    /// One round of the background, with the refreshes that it began; the rest after it, where nothing was due.
    async fn work(&self) {
        let due = self.app.refresh_due_tokens.run().await.unwrap();
        tokio::task::yield_now().await;
        if due == 0 {
            self.clock.sleep(POLL).await;
        }
    }

    /// Works until then, by looking every five seconds whether something is due.
    async fn work_until(&self, then: DateTime<Utc>) {
        while self.now() < then {
            self.work().await;
            self.pass(5);
        }
    }

    /// Authorizations of the member beside `first`, whose tokens end at these times.
    async fn seed(
        &self,
        first: AuthorizationId,
        ends: impl Iterator<Item = DateTime<Utc>>,
    ) -> Vec<AuthorizationId> {
        let first = self.stored(first).await;
        let mut changes = Vec::new();
        let mut ids = Vec::new();
        for (number, end) in (1_u128..).zip(ends) {
            let row = self.row_like(&first, number, end).await;
            ids.push(row.id);
            let due = Change::ScheduleRefresh(row.id, Some(end - TimeDelta::minutes(3)));
            changes.extend([Change::insert(row), due]);
        }
        self.commit(changes).await;
        ids
    }

    async fn row_like(&self, first: &Authorization, number: u128, end: DateTime<Utc>) -> Authorization {
        let mut row = Authorization {
            id: AuthorizationId::from_uuid(Uuid::from_u128(number)),
            credential_id: CredentialId::from_uuid(Uuid::from_u128(number)),
            subject: format!("{number} of them"),
            issued_at: end - TimeDelta::hours(1),
            expires_at: Some(end),
            ..first.clone()
        };
        let (access, refresh) = (format!("access of {number}"), format!("refresh of {number}"));
        self.provider.change(|state| {
            state.refresh_tokens.insert(refresh.clone(), row.subject.clone());
        });
        row.access_token = self.sealer.seal(row.access_token_place(), &Secret::new(access)).await.unwrap();
        let refresh = self.sealer.seal(row.refresh_token_place(), &Secret::new(refresh)).await.unwrap();
        row.refresh_token = Some(refresh);
        row
    }

    async fn rows(&self) -> Vec<Authorization> {
        let found = self.store.authorizations_of(self.member.account_id).await.unwrap();
        found.into_iter().map(|(row, _)| row).collect()
    }
}

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "timeout", retry_after: None }
}

#[tokio::test]
async fn who_uses_a_token_never_waits_for_its_refresh() {
    let world = world().await;
    let (_, id) = world.connected().await;
    let end = world.now() + TimeDelta::hours(12);
    let mut refreshes = 0;
    while world.now() < end {
        world.work().await;
        let (before, lent) = (world.provider.calls(Call::Refresh), world.lend(id).await.ok().unwrap());
        assert!(lent.expires_at.unwrap() - world.now() > TimeDelta::seconds(60));
        assert_eq!(world.provider.calls(Call::Refresh), before, "nobody asks the provider who hands out");
        refreshes = before;
    }
    assert!((12..=13).contains(&refreshes), "{refreshes} in twelve hours");
}

#[tokio::test]
async fn what_nobody_uses_is_kept_alive_and_no_more() {
    let world = world().await;
    world.provider.change(|state| state.idle_limit = Some(Duration::from_secs(30 * 24 * 3600)));
    let (_, id) = world.connected().await;
    let mut before = world.now();
    let mut pauses = Vec::new();
    for _ in 0..100 * 24 {
        world.work().await;
        world.pass(3600);
        let at = world.stored(id).await.last_refreshed_at.unwrap_or(before);
        if at > before + TimeDelta::days(1) {
            pauses.push((at - before).num_days());
        }
        before = at;
    }
    assert!((3..=4).contains(&pauses.len()), "{pauses:?}");
    assert!(pauses.iter().skip(1).all(|days| (20..=23).contains(days)), "{pauses:?}");
    assert_eq!(world.token(id).await, world.stored_access_token(id).await);
}

#[tokio::test]
async fn a_wrong_client_secret_is_noticed_once_and_correcting_it_brings_everybody_back_without_a_call() {
    let world = world().await;
    let (provider, first) = world.connected().await;
    let begin = world.now();
    world.seed(first, (0..200).map(|_| begin + TimeDelta::minutes(5))).await;
    world.provider.fail(Call::Refresh, UpstreamError::ClientRefused { code: "invalid_client".to_owned() });
    world.work_until(begin + TimeDelta::minutes(50)).await;
    assert_eq!(world.stored_provider(provider).await.unwrap().status, ProviderStatus::Disabled);
    assert_eq!(world.audited(AuditAction::ProviderDisabled).await.len(), 1);
    let asked = world.provider.calls(Call::Refresh);
    assert!(asked <= TokenSettings::default().refreshes_at_once, "{asked}");

    world.provider.recover(Call::Refresh);
    let update =
        ProviderUpdate { client_secret: Some(Secret::new("right".to_owned())), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    world.work_until(world.now() + TimeDelta::minutes(11)).await;
    let now = world.now();
    for row in world.rows().await {
        assert!(row.grant == GrantState::Live && row.has_valid_token(now), "{}", row.subject);
    }
    assert_eq!(world.audited(AuditAction::ProviderDisabled).await.len(), 1);
}

#[tokio::test]
async fn a_paused_provider_is_not_asked_and_goes_on_where_it_was() {
    let world = world().await;
    let (provider, first) = world.connected().await;
    let begin = world.now();
    world.seed(first, (0..20).map(|_| begin + TimeDelta::minutes(5))).await;
    world.set_status(provider, ProviderStatus::Inactive).await;
    world.work_until(begin + TimeDelta::minutes(30)).await;
    assert_eq!(world.provider.calls(Call::Refresh), 0);
    world.set_status(provider, ProviderStatus::Active).await;
    world.work_until(world.now() + TimeDelta::minutes(11)).await;
    assert_eq!(world.provider.calls(Call::Refresh), 20);
}

impl World {
    async fn set_status(&self, id: ProviderId, status: ProviderStatus) {
        let provider = self.stored_provider(id).await.unwrap();
        let provider = grantkeeper_domain::providers::Provider { status, ..provider };
        self.commit(vec![Change::update(provider)]).await;
    }
}

/// What the provider allows in one second.
const ALLOWED: usize = 100;

/// The requests of the last second.
#[derive(Default)]
struct LastSecond {
    requests: VecDeque<(DateTime<Utc>, usize)>,
    seen: usize,
    most: usize,
}

impl LastSecond {
    fn look(&mut self, world: &World) {
        let (now, calls) = (world.now(), world.provider.calls(Call::Refresh));
        self.requests.push_back((now, calls - self.seen));
        self.seen = calls;
        while self.requests.front().is_some_and(|(at, _)| now - *at >= TimeDelta::seconds(1)) {
            self.requests.pop_front();
        }
        self.most = self.most.max(self.requests.iter().map(|(_, count)| count).sum());
    }
}

#[tokio::test]
async fn a_provider_that_is_down_for_an_hour_costs_nobody_a_grant_and_is_not_overrun_when_it_is_back() {
    const AUTHORIZATIONS: i32 = 10_000;
    let world = world().await;
    let (_, first) = world.connected().await;
    let begin = world.now();
    let end_of = |number: i32| begin + TimeDelta::hours(1) * number / AUTHORIZATIONS;
    let ids = world.seed(first, (1..=AUTHORIZATIONS).map(end_of)).await;

    world.provider.fail(Call::Refresh, down());
    for quarter in 1..=4 {
        world.work_until(begin + TimeDelta::minutes(15 * quarter) - TimeDelta::seconds(20)).await;
        let now = world.now();
        for (number, id) in (1..).zip(&ids).step_by(7) {
            match world.lend(*id).await {
                Ok(_) => {}
                Err(LendError::Unavailable { .. }) => {
                    assert!(end_of(number) <= now, "{number} has a valid token");
                }
                Err(error) => panic!("{number}: {error}"),
            }
        }
        assert!(
            world.rows().await.iter().all(|row| row.grant == GrantState::Live && row.refresh_token.is_some())
        );
    }
    let asked = world.provider.calls(Call::Refresh);
    assert!(asked < 200, "a provider that is away is probed and no more: {asked} times");

    world.work_until(begin + TimeDelta::hours(1)).await;
    world.provider.recover(Call::Refresh);
    let (back, mut last_second) = (world.now(), LastSecond::default());
    last_second.seen = world.provider.calls(Call::Refresh);
    let all = last_second.seen + ids.len();
    while last_second.seen < all {
        world.work().await;
        last_second.look(&world);
        assert!(
            world.now() - back < TimeDelta::minutes(5),
            "{} of {all} after five minutes",
            last_second.seen
        );
    }
    assert!(last_second.most <= ALLOWED, "{} in one second", last_second.most);
    world.tasks.drain().await;
    let now = world.now();
    let still_waiting = world.rows().await.iter().filter(|row| !row.has_valid_token(now)).count();
    assert_eq!(still_waiting, 0);
}
