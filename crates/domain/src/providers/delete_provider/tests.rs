use super::*;
use crate::audit::AuditAction;
use crate::fixtures::{Commits, CountingRandom, START, VirtualClock, admin, caller, provider, row};
use crate::jobs::JobStatus;
use crate::providers::{MockProviderCatalog, Slug};

fn deleting(at: Option<Provider>, commits: &Commits) -> DeleteProvider {
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(move |_, _| Ok(at.clone()));
    DeleteProvider {
        catalog: Arc::new(catalog),
        store: commits.store(),
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    }
}

#[tokio::test(start_paused = true)]
async fn provider_job_and_audit_land_in_one_commit() {
    let commits = Commits::default();
    let at = Provider { slug: Some(Slug::parse("gitlab").unwrap()), ..provider() };
    let job = deleting(Some(at), &commits).run(&admin(), provider().id).await.unwrap();
    assert_eq!(commits.count(), 1);
    let hidden = row!(commits.last(), Update(Provider));
    assert_eq!((hidden.status, hidden.slug, hidden.updated_at), (ProviderStatus::Deleting, None, START));
    let queued = row!(commits.last(), Insert(Job));
    assert_eq!(*queued, job);
    assert_eq!(
        (queued.status, &queued.kind),
        (JobStatus::Pending, &JobKind::DeleteProvider { provider_id: provider().id })
    );
    let actions: Vec<_> = commits.last_audited().into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(actions, [AuditAction::ProviderDeletionRequested, AuditAction::JobQueued]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_failed_may_be_asked_for_again_but_not_one_that_is_under_way() {
    for (status, is_queued) in [
        (ProviderStatus::Active, true),
        (ProviderStatus::Inactive, true),
        (ProviderStatus::Disabled, true),
        (ProviderStatus::DeletionFailed, true),
        (ProviderStatus::Deleting, false),
    ] {
        let commits = Commits::default();
        let at = Some(Provider { status, ..provider() });
        let deleted = deleting(at, &commits).run(&admin(), provider().id).await;
        assert_eq!(deleted.is_ok(), is_queued, "{status:?}");
        assert_eq!(commits.count(), usize::from(is_queued), "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_delete_nothing() {
    let commits = Commits::default();
    let deleted = deleting(Some(provider()), &commits).run(&caller(), provider().id).await;
    assert!(matches!(deleted, Err(DeleteProviderError::Forbidden(_))));
    assert_eq!(commits.count(), 0);
}
