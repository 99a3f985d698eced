use super::*;
use crate::MockUnitOfWork;
use crate::fixtures::{
    Commits, CountingRandom, VirtualClock, authorization, provider, revocation, unavailable,
};
use crate::sealing::MockTokenSealer;

fn audited(error: impl Fn() -> SealError + Send + 'static, store: Arc<MockUnitOfWork>) -> AuditedSealer {
    let mut sealer = MockTokenSealer::new();
    sealer.expect_open().returning(move |_, _| Err(error()));
    AuditedSealer {
        sealer: Arc::new(sealer),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    }
}

async fn open(sealer: &AuditedSealer) -> Result<Secret, SealError> {
    let row = authorization();
    sealer.open(row.refresh_token_place(), row.refresh_token.as_ref().unwrap()).await
}

/// The one entry that was written.
fn entry(commits: &Commits) -> AuditEntry {
    match &commits.last()[..] {
        [Change::Audit(entry)] => entry.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_open_is_written_down_with_its_place() {
    for error in [|| SealError::Tampered, || SealError::UnknownKey, || SealError::UnknownFormat] {
        let commits = Commits::default();
        assert!(open(&audited(error, commits.store())).await.is_err());
        let entry = entry(&commits);
        assert_eq!((entry.action, entry.outcome), (AuditAction::SecretRejected, AuditOutcome::Failed));
        assert_eq!(entry.organization_id, authorization().organization_id);
        assert_eq!(entry.reason.as_deref(), Some("authorizations.refresh_token"));
        assert_eq!(entry.authorization_id, Some(authorization().id));
    }
}

#[tokio::test(start_paused = true)]
async fn the_entry_is_about_what_the_secret_belongs_to() {
    let commits = Commits::default();
    let sealer = audited(|| SealError::Tampered, commits.store());
    assert!(sealer.open(provider().secret_place(), &provider().client_secret).await.is_err());
    assert_eq!(entry(&commits).provider_id, Some(provider().id));
    let place = revocation().access_token_place();
    assert!(sealer.open(place, &provider().client_secret).await.is_err());
    assert_eq!(entry(&commits).subject, Some(revocation().id.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_says_nothing_about_the_secret() {
    let commits = Commits::default();
    let opened = open(&audited(|| SealError::Store(unavailable()), commits.store())).await;
    assert!(matches!(opened, Err(SealError::Store(_))));
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_open_does_not_open_when_it_cannot_be_written_down_either() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let opened = open(&audited(|| SealError::Tampered, store)).await;
    assert!(matches!(opened, Err(SealError::Tampered)));
}
