use super::*;
use crate::fixtures::{START, authorization, offering, provider};
use crate::providers::MockProviderClient;
use crate::services::MockRandom;

/// A provider that kills refresh tokens that lie unused for so long, and jitter of these bytes.
struct Stage {
    clients: std::sync::Arc<dyn ProviderClients>,
    random: Box<dyn Random>,
    settings: TokenSettings,
    provider: Provider,
}

const LEAST: u8 = 0;
const MOST: u8 = u8::MAX;

impl Stage {
    fn new(idle_limit: Option<TimeDelta>, jitter: u8) -> Self {
        let mut client = MockProviderClient::new();
        client.expect_idle_limit().return_const(idle_limit.map(|limit| limit.to_std().unwrap()));
        let mut random = MockRandom::new();
        random.expect_fill().returning(move |bytes| bytes.fill(jitter));
        let (clients, settings) = (offering(client), TokenSettings::default());
        Self { clients, random: Box::new(random), settings, provider: provider() }
    }

    fn schedule(&self) -> Schedule<'_> {
        Schedule { clients: &*self.clients, random: &*self.random, settings: &self.settings }
    }

    fn next(&self, row: &Authorization, last_used: Option<DateTime<Utc>>) -> NextRefresh {
        self.schedule().next(row, &self.provider, last_used, START)
    }
}

/// A token that was issued for so many seconds.
fn living(seconds: i64) -> Authorization {
    Authorization { expires_at: Some(START + TimeDelta::seconds(seconds)), ..authorization() }
}

/// What nobody has used for longer than counts as being in use.
fn long_unused() -> Authorization {
    Authorization {
        grant_since: START - TimeDelta::days(8),
        used_at: START - TimeDelta::days(8),
        ..authorization()
    }
}

fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

/// How long before the end of the token, or from now on.
fn at(due: NextRefresh) -> DateTime<Utc> {
    due.at().expect("it is due some time")
}

#[test]
fn what_is_in_use_is_refreshed_ahead_of_expiry_by_twice_to_four_times_the_margin() {
    for (life, latest, earliest) in [
        (3600, 120.0, 240.0),
        (7 * 24 * 3600, 120.0, 240.0),
        // A fifth of a short life is its margin, and no token is refreshed in the first half of its life.
        (250, 100.0, 125.0),
        (10, 4.0, 5.0),
        // Never in the first two seconds.
        (4, 1.6, 2.0),
    ] {
        let row = living(life);
        let lead = |jitter| {
            let due = at(Stage::new(None, jitter).next(&row, Some(START)));
            (row.expires_at.unwrap() - due).as_seconds_f64()
        };
        assert!((lead(LEAST) - latest).abs() < 0.1, "{life}: {}", lead(LEAST));
        assert!((lead(MOST) - earliest).abs() < 0.1, "{life}: {}", lead(MOST));
    }
}

#[test]
fn tokens_that_were_issued_together_do_not_come_due_together() {
    let stage = Stage { random: Box::new(CountingBytes::default()), ..Stage::new(None, LEAST) };
    let dues: std::collections::BTreeSet<_> =
        (0..1_000).map(|_| at(stage.next(&authorization(), None))).collect();
    let (first, last) = (dues.first().unwrap(), dues.last().unwrap());
    assert!(dues.len() > 900, "{} times for a thousand", dues.len());
    assert!(*last - *first > TimeDelta::seconds(100), "over {}", *last - *first);
}

/// Two bytes that go through their whole range in big steps.
#[derive(Default)]
struct CountingBytes(std::sync::atomic::AtomicU16);

impl Random for CountingBytes {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(40_503, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        bytes.copy_from_slice(&number[..bytes.len()]);
    }
}

#[test]
fn a_token_is_in_use_for_a_week_and_an_eighth_after_a_hand_out_and_after_its_user_authorized() {
    let stage = Stage::new(None, LEAST);
    let ago = |days| START - TimeDelta::days(days);
    let long_ago = ago(7) - TimeDelta::days(7) / 8;
    for (last_used, grant_since, used_at, is_in_use) in [
        (None, START, ago(30), true),
        (None, ago(7), ago(30), true),
        (None, long_ago, ago(30), false),
        (None, ago(30), ago(7), true),
        (None, ago(30), long_ago, false),
        (Some(ago(7)), ago(30), ago(30), true),
        (Some(long_ago), ago(30), ago(30), false),
        (Some(ago(30)), ago(6), ago(30), true),
        // The clock was turned back since.
        (Some(START + TimeDelta::days(1)), ago(30), ago(30), true),
    ] {
        let row = Authorization { grant_since, used_at, ..authorization() };
        let due = stage.next(&row, last_used);
        assert_eq!(due.at().is_some(), is_in_use, "{last_used:?}, {grant_since}, {used_at}");
    }
}

#[test]
fn what_cannot_be_refreshed_is_never_due() {
    let stage = Stage::new(Some(days(30)), LEAST);
    let dead = GrantState::Dead { reason: "invalid_grant".to_owned() };
    for row in [
        Authorization { grant: dead, ..authorization() },
        Authorization { refresh_token: None, ..authorization() },
        Authorization {
            expires_at: None,
            grant_since: START - TimeDelta::days(8),
            used_at: START - TimeDelta::days(8),
            ..authorization()
        },
    ] {
        let stage = if row.expires_at.is_none() { &Stage::new(None, LEAST) } else { &stage };
        assert_eq!(stage.next(&row, Some(START)), NextRefresh::Never);
        assert_eq!(stage.schedule().ahead_of_expiry(&row), None);
        assert!(!stage.schedule().is_due(&row, &stage.provider, None, START + TimeDelta::days(900)));
    }
    assert_eq!(stage.schedule().ahead_of_expiry(&living(3600)), Some(START + TimeDelta::seconds(3480)));
}

#[test]
fn an_unused_refresh_token_is_used_after_two_thirds_of_its_life_or_a_little_later() {
    let row = long_unused();
    let begin = row.grant_since;
    let due = |jitter| at(Stage::new(Some(days(30)), jitter).next(&row, None)) - begin;
    assert!((due(LEAST) - TimeDelta::hours(540)).abs() < TimeDelta::minutes(1), "{}", due(LEAST));
    assert!((due(MOST) - TimeDelta::days(20)).abs() < TimeDelta::minutes(5), "{}", due(MOST));
    // What counts is when it was used last, and the end that the provider named where that is nearer.
    let refreshed = Authorization { last_refreshed_at: Some(START), ..row };
    let after = |row: &Authorization| at(Stage::new(Some(days(30)), LEAST).next(row, None)) - START;
    assert!((after(&refreshed) - TimeDelta::hours(540)).abs() < TimeDelta::minutes(1));
    let with_an_end =
        Authorization { refresh_token_expires_at: Some(START + TimeDelta::days(8)), ..refreshed };
    assert!((after(&with_an_end) - TimeDelta::days(6)).abs() < TimeDelta::minutes(1));
}

#[test]
fn what_dies_of_idleness_before_its_token_expires_is_refreshed_before_that() {
    let row = living(90 * 24 * 3600);
    let due = at(Stage::new(Some(days(30)), LEAST).next(&row, Some(START)));
    assert!(due < START + TimeDelta::days(30), "{due}");
}

#[test]
fn nothing_is_kept_alive_where_the_operator_does_not_want_it() {
    let mut stage = Stage::new(Some(days(30)), LEAST);
    stage.provider.keep_alive = false;
    assert_eq!(stage.next(&long_unused(), None), NextRefresh::Never);
    assert!(stage.next(&authorization(), None).at().is_some(), "what is in use is refreshed all the same");
}

#[test]
fn an_end_that_no_refresh_moves_is_not_approached_without_end() {
    let stage = Stage::new(None, LEAST);
    let end = START + TimeDelta::days(90);
    let mut row = Authorization { refresh_token_expires_at: Some(end), ..long_unused() };
    let mut refreshes = 0;
    while let Some(due) = stage.next(&row, None).at() {
        refreshes += 1;
        assert!(due < end && row.last_refreshed_at.is_none_or(|before| due > before), "{due}");
        row.last_refreshed_at = Some(due);
    }
    assert!(refreshes < 20, "{refreshes}");
    row.last_refreshed_at = Some(end + TimeDelta::days(1));
    assert_eq!(stage.next(&row, None), NextRefresh::Never, "a token that outlives its end is left alone");
}

#[test]
fn a_token_that_hardly_lives_is_not_refreshed_without_end() {
    for life in [3, 1, 0, -1] {
        assert_eq!(Stage::new(None, LEAST).next(&living(life), Some(START)), NextRefresh::Never, "{life}");
    }
}

#[test]
fn after_a_failure_nothing_is_due_before_the_provider_may_be_asked_again() {
    let stage = Stage::new(None, LEAST);
    let (soon, late) = (START + TimeDelta::minutes(1), START + TimeDelta::hours(2));
    for (next_attempt_at, expected) in [(soon, START + TimeDelta::minutes(58)), (late, late)] {
        let row = Authorization { next_attempt_at: Some(next_attempt_at), ..authorization() };
        assert_eq!(stage.next(&row, None), NextRefresh::At(expected));
        assert!(!stage.schedule().is_due(
            &row,
            &stage.provider,
            None,
            next_attempt_at - TimeDelta::seconds(1)
        ));
    }
}

#[test]
fn what_was_scheduled_is_due_when_its_time_comes_whatever_its_jitter() {
    for row in [authorization(), long_unused()] {
        for jitter in [LEAST, 1, 127, MOST] {
            let stage = Stage::new(Some(days(30)), jitter);
            let due = at(stage.next(&row, None));
            assert!(stage.schedule().is_due(&row, &stage.provider, None, due), "{jitter}");
        }
        let stage = Stage::new(Some(days(30)), MOST);
        let earliest = at(stage.next(&row, None)) - TimeDelta::minutes(10);
        assert!(!stage.schedule().is_due(&row, &stage.provider, None, earliest));
    }
}

#[test]
fn pauses_after_failures_double_from_fifteen_seconds_to_fifteen_minutes() {
    let mut failing_for = TimeDelta::zero();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let pause = rest_after_failure(failing_for, None);
        pauses.push(pause.num_seconds());
        failing_for += pause;
    }
    assert_eq!(pauses, [15, 15, 30, 60, 120, 240, 480, 900, 900]);
}

#[test]
fn a_pause_that_the_provider_asks_for_is_kept() {
    let rest = |failing_for, retry_after| {
        rest_after_failure(TimeDelta::seconds(failing_for), Some(Duration::from_secs(retry_after)))
            .num_seconds()
    };
    assert_eq!(rest(0, 120), 120);
    assert_eq!(rest(900, 20), 20);
    assert_eq!(rest(900, 86_400), 86_400);
    assert_eq!(rest(0, 0), 15, "nobody is asked at once again");
    assert_eq!(rest_after_failure(TimeDelta::zero(), Some(Duration::MAX)), TimeDelta::MAX);
    // A clock that was turned back.
    assert_eq!(rest_after_failure(TimeDelta::seconds(-3600), None), TimeDelta::seconds(15));
}
