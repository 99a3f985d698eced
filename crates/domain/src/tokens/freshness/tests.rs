use super::*;
use crate::fixtures::{START, authorization};

/// A token that was issued for `life` seconds and is asked for when `left` of them are left.
fn judge(life: i64, left: i64, min_ttl: u64) -> Freshness {
    let end = START + TimeDelta::seconds(life);
    let authorization = Authorization { issued_at: START, expires_at: Some(end), ..authorization() };
    let now = end - TimeDelta::seconds(left);
    TokenSettings::default().judge(&authorization, Duration::from_secs(min_ttl), now)
}

#[test]
fn a_token_is_judged_by_what_is_left_of_its_life() {
    use Freshness::{Ageing, Expired, Fresh};
    for (life, left, min_ttl, expected) in [
        (3600, 3600, 0, Fresh),
        (3600, 60, 0, Fresh),
        (3600, 59, 0, Ageing),
        (3600, 1, 0, Ageing),
        (3600, 0, 0, Expired),
        (3600, -1, 3600, Expired),
        // A fifth of a short life is enough.
        (100, 20, 0, Fresh),
        (100, 19, 0, Ageing),
        (4, 1, 0, Fresh),
        // What the caller wants counts where it is more.
        (3600, 600, 600, Fresh),
        (3600, 599, 600, Ageing),
        (3600, 59, 10, Ageing),
        (100, 50, 3600, Ageing),
        (0, 0, 0, Expired),
        (-5, -5, 0, Expired),
    ] {
        assert_eq!(judge(life, left, min_ttl), expected, "life {life}, left {left}, wanted {min_ttl}");
    }
}

#[test]
fn a_token_of_unknown_expiry_is_fresh() {
    let authorization = Authorization { expires_at: None, ..authorization() };
    let judged = TokenSettings::default().judge(&authorization, Duration::MAX, START + TimeDelta::days(9999));
    assert_eq!(judged, Freshness::Fresh);
}

#[test]
fn when_the_clock_was_turned_back_no_token_is_taken_for_fresh() {
    let judge = |now| TokenSettings::default().judge(&authorization(), Duration::ZERO, now);
    assert_eq!(
        judge(START - TimeDelta::seconds(60)),
        Freshness::Fresh,
        "two replicas' clocks may differ that much"
    );
    assert_eq!(judge(START - TimeDelta::seconds(61)), Freshness::Ageing);
    assert_eq!(judge(START - TimeDelta::hours(1)), Freshness::Ageing);
}

#[test]
fn no_duration_is_too_long_for_a_difference_of_times() {
    assert_eq!(time_delta(Duration::MAX), TimeDelta::MAX);
    assert_eq!(time_delta(Duration::from_millis(1500)), TimeDelta::milliseconds(1500));
}
