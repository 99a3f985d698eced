use futures_util::FutureExt as _;

use super::*;
use crate::fixtures::{authorization, sealed};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn away() -> UpstreamError {
    UpstreamError::RateLimited { retry_after: None }
}

fn refused() -> Result<(), UpstreamError> {
    Err(UpstreamError::TokenRefused)
}

fn renewed() -> Authorization {
    let access_token = sealed(authorization().access_token_place(), "another");
    Authorization { access_token, ..authorization() }
}

#[test]
fn a_token_that_nobody_has_asked_about_is_taken() {
    let verdicts = Verdicts::default();
    assert_eq!(verdicts.known(&authorization()), Verdict::Taken);
    assert_eq!(verdicts.recent(&authorization(), at(0)), None);
}

#[test]
fn only_a_definite_answer_changes_what_is_known() {
    let verdicts = Verdicts::default();
    let hear = |answer: Result<(), UpstreamError>| {
        verdicts.hear(&authorization(), &answer, at(0));
        verdicts.known(&authorization())
    };
    assert_eq!(hear(Err(away())), Verdict::Taken);
    assert_eq!(hear(Err(UpstreamError::TokenRefused)), Verdict::Refused);
    assert_eq!(hear(Err(away())), Verdict::Refused);
    assert_eq!(hear(Err(UpstreamError::timeout())), Verdict::Refused);
    assert_eq!(hear(Ok(())), Verdict::Taken);
}

#[test]
fn what_was_said_of_a_token_is_not_said_of_the_next() {
    let verdicts = Verdicts::default();
    verdicts.hear(&authorization(), &refused(), at(0));
    assert_eq!(verdicts.known(&renewed()), Verdict::Taken);
    assert_eq!(verdicts.recent(&renewed(), at(0)), None);
    verdicts.hear(&renewed(), &Err::<(), _>(away()), at(0));
    assert_eq!(verdicts.known(&renewed()), Verdict::Taken);
}

#[test]
fn whoever_asks_within_a_minute_knows_the_answer() {
    let verdicts = Verdicts::default();
    for (answer, verdict) in [(Ok(()), Verdict::Taken), (refused(), Verdict::Refused)] {
        verdicts.hear(&authorization(), &answer, at(100));
        assert_eq!(verdicts.recent(&authorization(), at(159)), Some(verdict.clone()));
        assert_eq!(verdicts.recent(&authorization(), at(160)), None);
        assert_eq!(verdicts.known(&authorization()), verdict, "however long ago");
    }
}

#[tokio::test]
async fn one_asks_about_a_token_at_a_time_and_another_token_is_not_kept_waiting() {
    let verdicts = Verdicts::default();
    let turn = verdicts.turn(authorization().id).await;
    let other = AuthorizationId::from_uuid(crate::fixtures::uuid(77));
    drop(verdicts.turn(other).await);
    let mut next = Box::pin(verdicts.turn(authorization().id));
    assert!(next.as_mut().now_or_never().is_none());
    drop(turn);
    drop(next.await);
}

#[test]
fn a_token_that_is_being_renewed_is_good_for_nothing_and_the_link_is_as_it_was() {
    let verdicts = Verdicts::default();
    let not_renewed = |reason: &str, holds| Verdict::NotRenewed { reason: reason.into(), holds };
    assert!(verdicts.wants_renewal(&authorization(), at(0)));
    assert_eq!(verdicts.recent(&authorization(), at(59)), Some(not_renewed("slow", true)), "whoever leaves");
    verdicts.not_renewed(&authorization(), "connection_failed", at(4));
    assert!(!verdicts.wants_renewal(&authorization(), at(59)));
    assert_eq!(verdicts.recent(&authorization(), at(63)), Some(not_renewed("connection_failed", true)));
    assert_eq!(verdicts.recent(&authorization(), at(64)), None);
    verdicts.hear(&authorization(), &Err::<(), _>(away()), at(64));
    let known = verdicts.known(&authorization());
    assert_eq!(known, not_renewed("connection_failed", true), "a rate limit does not make it any better");
    verdicts.hear(&authorization(), &refused(), at(64));
    assert!(verdicts.wants_renewal(&authorization(), at(64)));
    assert!(!verdicts.known(&authorization()).holds(), "it did not hold before");
    verdicts.hear(&authorization(), &Ok(()), at(65));
    assert_eq!(verdicts.known(&authorization()), Verdict::Taken);
    verdicts.not_renewed(&authorization(), "timeout", at(65));
    assert_eq!(verdicts.known(&renewed()), Verdict::Taken, "another token is another matter");
}

#[test]
fn what_was_said_is_remembered_of_tens_of_thousands() {
    let verdicts = Verdicts::default();
    let number = |number| Authorization {
        id: AuthorizationId::from_uuid(crate::fixtures::uuid(number)),
        ..authorization()
    };
    for link in 0..50_000 {
        verdicts.hear(&number(link), &refused(), at(0));
    }
    assert!((0..50_000).all(|link| verdicts.known(&number(link)) == Verdict::Refused));
}
