use std::sync::Mutex;

use super::*;
use crate::MockUnitOfWork;
use crate::authorizations::MockAuthorizationStore;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, VirtualClock, authorization, caller, keeping, opened, provider,
    row, sealed, unavailable,
};
use crate::revocations::RevocationStatus;

fn deleting(authorizations: Arc<MockAuthorizationStore>, store: Arc<MockUnitOfWork>) -> DeleteAuthorization {
    DeleteAuthorization {
        authorizations,
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_tokens_move_into_a_revocation_in_the_commit_that_deletes() {
    let commits = Commits::default();
    let deleting = deleting(keeping(authorization(), provider()), commits.store());
    deleting.run(&caller(), authorization().id).await.unwrap();
    assert_eq!(commits.count(), 1);
    assert_eq!(row!(commits.last(), Delete(Authorization)).id, authorization().id);
    let revocation = row!(commits.last(), Insert(Revocation));
    let (access, refresh) =
        (revocation.access_token.as_ref().unwrap(), revocation.refresh_token.as_ref().unwrap());
    assert_eq!(opened(revocation.access_token_place(), access).as_deref(), Some("old access"));
    assert_eq!(opened(revocation.refresh_token_place(), refresh).as_deref(), Some("old refresh"));
    assert_eq!(commits.last_audited().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_were_refreshed_at_the_same_time_are_the_ones_that_move() {
    let place = authorization().access_token_place();
    let refreshed = Authorization { access_token: sealed(place, "refreshed"), ..authorization() };
    let rows = Mutex::new(vec![refreshed, authorization()]);
    let mut authorizations = MockAuthorizationStore::new();
    authorizations
        .expect_authorization()
        .times(2)
        .returning(move |_, _| Ok(rows.lock().unwrap().pop().map(|row| (row, provider().into()))));
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    deleting(Arc::new(authorizations), store).run(&caller(), authorization().id).await.unwrap();
    let revocation = row!(commits.last(), Insert(Revocation));
    let access = revocation.access_token.as_ref().unwrap();
    assert_eq!(opened(revocation.access_token_place(), access).as_deref(), Some("refreshed"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_deletes_nothing() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let deleted =
        deleting(keeping(authorization(), provider()), store).run(&caller(), authorization().id).await;
    assert!(matches!(deleted, Err(DeleteAuthorizationError::Store(StoreError::Unavailable(_)))));
}

#[tokio::test(start_paused = true)]
async fn tokens_that_do_not_open_keep_nobody_from_deleting_them() {
    let mut swapped = authorization();
    swapped.access_token = swapped.refresh_token.clone().unwrap();
    let commits = Commits::default();
    deleting(keeping(swapped, provider()), commits.store()).run(&caller(), authorization().id).await.unwrap();
    assert_eq!(row!(commits.last(), Delete(Authorization)).id, authorization().id);
    let receipt = row!(commits.last(), Insert(Revocation));
    assert_eq!(receipt.status, RevocationStatus::Failed);
    assert_eq!(receipt.last_error.as_deref(), Some("secret_rejected"));
    assert_eq!((&receipt.access_token, &receipt.refresh_token), (&None, &None));
}
