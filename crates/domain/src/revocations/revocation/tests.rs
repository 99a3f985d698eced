use super::*;
use crate::fixtures::{START, revocation};

#[test]
fn waits_double_up_to_an_hour() {
    let waits: Vec<i64> = (0..12).map(|attempts| back_off(attempts).num_seconds()).collect();
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
    assert_eq!(back_off(u32::MAX), TimeDelta::hours(1));
}

#[test]
fn a_failure_puts_off_until_the_period_is_over() {
    let end = START + REVOCATION_PERIOD;
    let put_off = |retry_after, now| revocation().put_off("connect".to_owned(), retry_after, now);
    for (retry_after, now, next) in [
        (None, START, START + TimeDelta::seconds(10)),
        (Some(TimeDelta::zero()), START, START + TimeDelta::seconds(10)),
        (Some(TimeDelta::seconds(77)), START, START + TimeDelta::seconds(77)),
        (Some(TimeDelta::days(8)), START, end),
        (Some(TimeDelta::MAX), START, end),
        (None, end - TimeDelta::seconds(3), end),
    ] {
        let after = put_off(retry_after, now);
        assert_eq!(
            (after.status, after.next_attempt_at, after.attempts),
            (RevocationStatus::Pending, next, 1)
        );
        assert!(after.access_token.is_some() && after.lease.is_none());
    }
    let over = put_off(None, end);
    assert_eq!((over.status, over.finished_at), (RevocationStatus::Failed, Some(end)));
    assert_eq!((over.access_token, over.refresh_token), (None, None));
    assert_eq!(over.last_error.as_deref(), Some("connect"));
}

#[test]
fn an_end_destroys_the_tokens_whatever_it_is() {
    for status in [RevocationStatus::Revoked, RevocationStatus::NotSupported, RevocationStatus::Failed] {
        let ended = revocation().finished(status, None, START);
        assert_eq!((ended.status, ended.access_token, ended.refresh_token), (status, None, None));
        assert!(
            !Revocation {
                access_token: None,
                refresh_token: None,
                ..revocation().finished(status, None, START)
            }
            .is_claimable(true, START + TimeDelta::days(99))
        );
    }
}

#[test]
fn what_is_due_and_free_may_be_claimed() {
    let later = START + TimeDelta::seconds(10);
    let lease = |until| Some(Lease { holder: "other".to_owned(), until });
    let put_off = Revocation { next_attempt_at: later, ..revocation() };
    for (name, one, hurry, expected) in [
        ("due", revocation(), false, true),
        ("put off", put_off.clone(), false, false),
        ("put off, in a hurry", put_off, true, true),
        ("in hand", Revocation { lease: lease(later), ..revocation() }, true, false),
        ("left", Revocation { lease: lease(START), ..revocation() }, false, true),
    ] {
        assert_eq!(one.is_claimable(hurry, START), expected, "{name}");
    }
    let claimed = revocation().claimed(Lease { holder: "me".to_owned(), until: later });
    assert_eq!(claimed.version, revocation().version.next());
}

#[test]
fn what_could_not_be_revoked_is_left_to_the_person_but_not_what_others_share() {
    use RevocationStatus::{Failed, NotSupported, Revoked};
    let shared = Some(SHARED_GRANT.to_owned());
    for (status, reason, expected) in [
        (Revoked, None, false),
        (NotSupported, None, true),
        (NotSupported, shared, false),
        (Failed, Some("connect".to_owned()), true),
    ] {
        let ended = revocation().finished(status, reason, START);
        assert_eq!(ended.is_left_to_the_person(), expected, "{status:?} {:?}", ended.last_error);
    }
    assert!(!revocation().is_left_to_the_person());
}
