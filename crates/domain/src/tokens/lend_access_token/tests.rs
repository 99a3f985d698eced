use super::*;
use crate::authorizations::GrantState;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, authorization, caller, expired, keeping,
    provider, unavailable,
};
use crate::providers::MockProviderClients;
use crate::tokens::{InFlight, MockRefreshLeases};
use crate::{BackgroundTasks, CommitError, MockUnitOfWork};

/// Lends from a row. The provider and the leases are mocks without expectations: whoever asks them fails the test.
fn lending(authorization: Authorization, provider: Provider, store: Arc<MockUnitOfWork>) -> LendAccessToken {
    let (clock, random) = (VirtualClock::start(), CountingRandom::shared());
    let authorizations = keeping(authorization, provider);
    let (sealer, settings) = (LabelSealer::shared(), TokenSettings::default());
    let refresh = Arc::new(RefreshTokensOnce {
        authorizations: authorizations.clone(),
        leases: Arc::new(MockRefreshLeases::new()),
        clients: Arc::new(MockProviderClients::new()),
        sealer: sealer.clone(),
        store: store.clone(),
        tasks: BackgroundTasks::on_current_runtime(),
        clock: clock.clone(),
        random: random.clone(),
        settings,
        holder: "holder".to_owned(),
        in_flight: InFlight::default(),
    });
    LendAccessToken { authorizations, sealer, refresh, store, clock, random, settings }
}

async fn lend(lending: &LendAccessToken) -> Result<LentToken, LendError> {
    lending.run(&caller(), authorization().id, Duration::ZERO).await
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_lent_without_asking_anybody() {
    let commits = Commits::default();
    let lent = lend(&lending(authorization(), provider(), commits.store())).await.ok().unwrap();
    assert_eq!(lent.access_token.expose(), "old access");
    assert_eq!(lent.expires_at, authorization().expires_at);
    assert_eq!(commits.last_audited(), [(AuditAction::TokenHandedOut, AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn no_token_is_lent_that_is_not_in_the_audit_log() {
    let commits = Commits::default();
    let store = commits.answering(|_| Err(CommitError::Store(unavailable())));
    let lent = lend(&lending(authorization(), provider(), store)).await;
    assert!(matches!(lent, Err(LendError::Store(StoreError::Unavailable(_)))));
    assert_eq!(commits.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_and_the_grant_allow_decides_before_anybody_is_asked() {
    let dead = GrantState::Dead { reason: "invalid_grant".to_owned() };
    let with_status = |status| Provider { status, ..provider() };
    let never_refreshed = Authorization { refresh_token: None, ..authorization() };
    let ageing = Authorization { expires_at: Some(START + chrono::TimeDelta::seconds(9)), ..authorization() };
    for (row, provider, expected) in vec![
        (authorization(), with_status(ProviderStatus::Inactive), "provider_not_active"),
        (authorization(), with_status(ProviderStatus::DeletionFailed), "provider_not_active"),
        (authorization(), with_status(ProviderStatus::Deleting), "not_found"),
        (authorization(), with_status(ProviderStatus::Disabled), "lent"),
        (ageing.clone(), with_status(ProviderStatus::Disabled), "lent"),
        (expired(), with_status(ProviderStatus::Disabled), "provider_not_active"),
        (Authorization { grant: dead, ..authorization() }, provider(), "invalid_grant"),
        (never_refreshed.clone(), provider(), "lent"),
        (Authorization { refresh_token: None, ..ageing }, provider(), "lent"),
        (Authorization { refresh_token: None, ..expired() }, provider(), "no_refresh_token"),
        (
            Authorization {
                account_id: crate::ids::AccountId::from_uuid(crate::fixtures::uuid(99)),
                ..never_refreshed
            },
            provider(),
            "not_found",
        ),
    ] {
        let case = format!("{:?}, {:?}", provider.status, row.expires_at);
        let commits = Commits::default();
        let lent = lend(&lending(row, provider, commits.store())).await;
        let found = match &lent {
            Ok(_) => "lent",
            Err(error) => error.reason(),
        };
        assert_eq!(found, expected, "{case}");
        // What is not the caller's leaves no entry that would tell of it.
        assert_eq!(commits.count(), usize::from(expected != "not_found"), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_an_ageing_token_is_lent_as_it_is_until_the_provider_may_be_asked_again() {
    let soon = Some(START + chrono::TimeDelta::seconds(10));
    let row = Authorization { expires_at: soon, next_attempt_at: soon, ..authorization() };
    let lent = lend(&lending(row, provider(), Commits::default().store())).await.ok().unwrap();
    assert_eq!(lent.access_token.expose(), "old access");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_open_is_our_failure() {
    let mut row = authorization();
    row.access_token = row.refresh_token.clone().unwrap();
    let lent = lend(&lending(row, provider(), Commits::default().store())).await;
    assert!(matches!(lent, Err(LendError::Store(StoreError::Unexpected(_)))));
}
