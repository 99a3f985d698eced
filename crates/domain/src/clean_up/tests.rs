use mockall::predicate::eq;

use super::*;
use crate::accounts::{MockAccountStore, MockApiTokenStore, MockDeletionStore};
use crate::authorizations::{MockDeviceFlowStore, MockFlowStore};
use crate::fixtures::{Commits, CountingRandom, START, VirtualClock, unavailable};
use crate::jobs::MockJobQueue;
use crate::login::MockLoginStore;
use crate::providers::MockProviderCatalog;
use crate::revocations::MockRevocationQueue;

fn no_tombstones() -> Arc<RemoveTombstones> {
    let mut accounts = MockAccountStore::new();
    accounts.expect_organizations().returning(|| Ok(Vec::new()));
    Arc::new(RemoveTombstones {
        accounts: Arc::new(accounts),
        catalog: Arc::new(MockProviderCatalog::new()),
        queue: Arc::new(MockJobQueue::new()),
        revocations: Arc::new(MockRevocationQueue::new()),
        deletions: Arc::new(MockDeletionStore::new()),
        store: Commits::default().store(),
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    })
}

#[tokio::test(start_paused = true)]
async fn each_thing_has_its_time() {
    let mut flows = MockFlowStore::new();
    flows.expect_purge_flows().with(eq(START - TimeDelta::hours(1))).times(1).returning(|_| Ok(1));
    let mut device_flows = MockDeviceFlowStore::new();
    let an_hour_ago = eq(START - TimeDelta::hours(1));
    device_flows.expect_purge_device_flows().with(an_hour_ago).times(1).returning(|_| Ok(50_000));
    let mut logins = MockLoginStore::new();
    let an_hour_ago = eq(START - TimeDelta::hours(1));
    logins.expect_purge_logins().with(an_hour_ago).times(1).returning(|_| Ok(300));
    let mut tokens = MockApiTokenStore::new();
    tokens.expect_purge_expired_tokens().with(eq(START - TimeDelta::days(30))).times(1).returning(|_| Ok(20));
    let mut revocations = MockRevocationQueue::new();
    revocations
        .expect_purge_revocations()
        .with(eq(START - TimeDelta::days(90)))
        .times(1)
        .returning(|_| Ok(4000));
    let clean_up = CleanUp {
        flows: Arc::new(flows),
        device_flows: Arc::new(device_flows),
        logins: Arc::new(logins),
        tokens: Arc::new(tokens),
        revocations: Arc::new(revocations),
        tombstones: no_tombstones(),
        clock: VirtualClock::start(),
    };
    assert_eq!(clean_up.run().await.unwrap(), 54_321);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_an_error() {
    let mut flows = MockFlowStore::new();
    flows.expect_purge_flows().returning(|_| Err(unavailable()));
    let clean_up = CleanUp {
        flows: Arc::new(flows),
        device_flows: Arc::new(MockDeviceFlowStore::new()),
        logins: Arc::new(MockLoginStore::new()),
        tokens: Arc::new(MockApiTokenStore::new()),
        revocations: Arc::new(MockRevocationQueue::new()),
        tombstones: no_tombstones(),
        clock: VirtualClock::start(),
    };
    assert!(clean_up.run().await.is_err());
}
