use chrono::TimeDelta;

use super::*;
use crate::fixtures::{START, caller, provider, uuid};
use crate::ids::AccountId;
use crate::links::fixtures::{insert, installation, later, link, linked, seconds};
use crate::login::fixtures::{Installation, bad_moment};
use crate::providers::{Provider, ProviderStatus, RevocationScope};

async fn unlink(at: &Installation) -> Unlinked {
    at.cases.unlink.run(&caller(), provider().id).await.unwrap()
}

fn revoked() -> Unlinked {
    Unlinked { revoked: true, failure: None }
}

fn failed(reason: &str) -> Unlinked {
    Unlinked::failed(reason)
}

async fn left(at: &Installation) -> usize {
    at.store.authorizations_of(caller().account_id).await.unwrap().len()
}

async fn statuses(at: &Installation) -> Vec<RevocationStatus> {
    at.revocations().await.into_iter().map(|revocation| revocation.status).collect()
}

/// A worker of another process looks for what is due.
async fn work(at: &Installation) {
    at.cases.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_answer_reports_the_attempt_made_at_once() {
    let at = linked("ada").await;
    assert_eq!(unlink(&at).await, revoked());
    assert_eq!((left(&at).await, statuses(&at).await), (0, vec![RevocationStatus::Revoked]));
    assert_eq!(at.idp.script().revoked, ["ada"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_is_told_with_its_reason_and_tried_again_later() {
    let at = linked("ada").await;
    at.idp.script().revocations.push_back(Err(bad_moment()));
    assert_eq!(unlink(&at).await, failed("connection_failed"));
    assert_eq!((left(&at).await, statuses(&at).await), (0, vec![RevocationStatus::Pending]));
    work(&at).await;
    assert_eq!(statuses(&at).await, [RevocationStatus::Pending], "its time has not come");
    at.sleep(10).await;
    work(&at).await;
    assert_eq!(statuses(&at).await, [RevocationStatus::Revoked]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_cannot_revoke_is_no_failure() {
    let at = linked("ada").await;
    at.idp.script().revokes = None;
    assert_eq!(unlink(&at).await, Unlinked { revoked: false, failure: None });
    assert_eq!((left(&at).await, statuses(&at).await), (0, vec![RevocationStatus::NotSupported]));
}

#[tokio::test(start_paused = true)]
async fn a_link_is_deleted_only_together_with_a_durable_revocation_task() {
    let at = linked("ada").await;
    // The process stops before it has asked anybody.
    let known = &*at.cases.unlink.delete;
    known.run(&caller(), link(&provider(), "ada").id).await.unwrap();
    assert_eq!((left(&at).await, statuses(&at).await), (0, vec![RevocationStatus::Pending]));
    work(&at).await;
    assert_eq!(statuses(&at).await, [RevocationStatus::Revoked]);

    let at = linked("ada").await;
    let away = DeleteAuthorization {
        authorizations: at.store.clone(),
        sealer: known.sealer.clone(),
        store: at.store_away_at(&[0]),
        clock: at.clock.clone(),
        random: known.random.clone(),
    };
    let unlinking = Unlink { delete: Arc::new(away), ..at.cases.unlink.as_ref().clone() };
    let answer = unlinking.run(&caller(), provider().id).await;
    assert!(matches!(answer, Err(UnlinkError::Store(_))));
    assert_eq!((left(&at).await, at.revocations().await.len()), (1, 0), "neither without the other");
}

#[tokio::test(start_paused = true)]
async fn all_of_a_users_accounts_at_the_provider_are_removed() {
    let at = linked("ada").await;
    let first = link(&provider(), "ada");
    insert(&at, later(&first, 1, "other", "bea")).await;
    let elsewhere = crate::links::fixtures::provider_no(1);
    insert(&at, elsewhere.clone()).await;
    insert(&at, link(&elsewhere, "cyd")).await;
    assert_eq!(unlink(&at).await, revoked());
    assert_eq!(at.idp.script().revoked, ["ada", "bea"]);
    assert_eq!(left(&at).await, 1, "what is linked elsewhere stays");
}

#[tokio::test(start_paused = true)]
async fn one_of_several_that_fails_is_told() {
    let at = linked("ada").await;
    insert(&at, later(&link(&provider(), "ada"), 1, "other", "bea")).await;
    at.idp.script().revocations.extend([Err(bad_moment()), Ok(())]);
    assert_eq!(unlink(&at).await, failed("connection_failed"));
    assert_eq!(at.idp.script().revoked, ["ada", "bea"], "the other is revoked all the same");
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_another_account_of_ours_lives_by_is_spared_and_that_is_told() {
    let at = linked("ada").await;
    at.idp.script().revokes = Some(RevocationScope::Grant);
    let other = crate::accounts::Account {
        id: AccountId::from_uuid(uuid(99)),
        email: crate::accounts::Email::parse("bea@example.com").unwrap(),
        ..crate::fixtures::account()
    };
    insert(&at, other.clone()).await;
    let theirs = later(&link(&provider(), "ada"), 0, "subject", "bea");
    insert(&at, crate::authorizations::Authorization { account_id: other.id, ..theirs }).await;
    assert_eq!(unlink(&at).await, failed("shared_grant"));
    assert!(at.idp.script().revoked.is_empty());
}

#[tokio::test(start_paused = true)]
async fn accounts_that_share_one_grant_end_it_with_the_last_of_them() {
    let at = linked("ada").await;
    at.idp.script().revokes = Some(RevocationScope::Project);
    insert(&at, later(&link(&provider(), "ada"), 1, "other", "bea")).await;
    assert_eq!(unlink(&at).await, revoked());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_faster_is_waited_for() {
    for (takes, expected) in [(1, revoked()), (3600, failed("slow"))] {
        let at = linked("ada").await;
        at.idp.script().takes = seconds(takes);
        let deleted = at.cases.delete_authorization.run(&caller(), link(&provider(), "ada").id).await;
        let telling = async {
            // The worker has claimed it by now.
            at.clock.sleep(Duration::from_millis(10)).await;
            at.cases.unlink.attempted(caller().organization_id, vec![deleted.unwrap()]).await
        };
        let ((), told) = tokio::join!(work(&at), telling);
        assert_eq!(told.unwrap(), expected);
        assert_eq!(at.idp.script().revoked.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_keeps_nobody_waiting_and_its_answer_is_kept() {
    let at = linked("ada").await;
    at.idp.script().takes = seconds(10);
    assert_eq!(unlink(&at).await, failed("slow"));
    assert_eq!((at.clock.now() - START).to_std().unwrap(), at.cases.unlink.settings.caller_wait);
    assert_eq!(left(&at).await, 0);
    at.cases.unlink.tasks.drain().await;
    assert_eq!(statuses(&at).await, [RevocationStatus::Revoked]);
    assert_eq!(at.clock.now(), START + TimeDelta::seconds(10));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_does_not_interrupt_the_attempt() {
    let at = linked("ada").await;
    at.idp.script().takes = seconds(3);
    assert!(within(&at.clock, seconds(1), Box::pin(unlink(&at))).await.is_none());
    at.cases.unlink.tasks.drain().await;
    assert_eq!((left(&at).await, statuses(&at).await), (0, vec![RevocationStatus::Revoked]));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_linked_nothing_is_unlinked() {
    let at = installation().await;
    let answer = at.cases.unlink.run(&caller(), provider().id).await;
    assert!(matches!(answer, Err(UnlinkError::NotFound)));
    insert(&at, link(&provider(), "ada")).await;
    let other = Caller { account_id: AccountId::from_uuid(uuid(99)), ..caller() };
    let answer = at.cases.unlink.run(&other, provider().id).await;
    assert!(matches!(answer, Err(UnlinkError::NotFound)), "another's link is not there");
    at.update(Provider { status: ProviderStatus::Deleting, ..provider() }).await;
    let answer = at.cases.unlink.run(&caller(), provider().id).await;
    assert!(matches!(answer, Err(UnlinkError::NotFound)), "the provider goes with all its links");
    assert_eq!(left(&at).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_unlink_finds_nothing() {
    let at = linked("ada").await;
    let unlink = async || at.cases.unlink.run(&caller(), provider().id).await;
    let (one, other) = tokio::join!(unlink(), unlink());
    let answers = [one, other].map(|answer| answer.is_ok());
    assert!(answers.contains(&true) && answers.contains(&false), "{answers:?}");
    assert_eq!((at.revocations().await.len(), at.idp.script().revoked.len()), (1, 1));
}

#[test]
fn before_the_first_attempt_has_ended_there_is_nothing_to_tell() {
    let revocation = crate::fixtures::revocation();
    assert_eq!(Unlinked::by(&revocation), None);
    let put_off = revocation.clone().put_off("connection_failed".to_owned(), None, START);
    assert_eq!(Unlinked::by(&put_off), Some(failed("connection_failed")));
    let given_up = revocation.finished(RevocationStatus::Failed, Some("secret_rejected".to_owned()), START);
    assert_eq!(Unlinked::by(&given_up), Some(failed("secret_rejected")));
}
