use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::fixtures::{VirtualClock, provider, uuid};

/// At most so many at once and per second.
fn gates(at_once: usize, per_second: u32) -> Arc<ProviderGates> {
    ProviderGates::new(VirtualClock::start(), at_once, per_second)
}

fn id() -> ProviderId {
    provider().id
}

/// An authorization that has not been here before.
fn another() -> AuthorizationId {
    static LAST: AtomicU64 = AtomicU64::new(1_000);
    AuthorizationId::from_uuid(uuid(LAST.fetch_add(1, Ordering::SeqCst).into()))
}

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "timeout", retry_after: None }
}

fn limited(retry_after: Option<u64>) -> UpstreamError {
    UpstreamError::RateLimited { retry_after: retry_after.map(Duration::from_secs) }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl ProviderGates {
    /// Finds out that a provider is away.
    pub(in crate::tokens) fn find_away(self: &Arc<Self>, provider: ProviderId) {
        for _ in 0..FAILURES {
            self.enter(provider, another()).expect("it is let through").answered(Some(&down()));
        }
    }

    /// A caller's refresh comes to that.
    fn call(self: &Arc<Self>, error: Option<&UpstreamError>) {
        self.call_for(another(), error);
    }

    fn call_for(self: &Arc<Self>, authorization: AuthorizationId, error: Option<&UpstreamError>) {
        self.enter(id(), authorization).expect("it is let through").answered(error);
    }

    fn fail(self: &Arc<Self>, times: u32) {
        (0..times).for_each(|_| self.call(Some(&down())));
    }

    async fn wait(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// How many of the background are let through in the next while, at a try each millisecond.
    async fn let_through(self: &Arc<Self>, during: Duration) -> Vec<Duration> {
        let end = self.clock.monotonic() + during;
        let mut through = Vec::new();
        while self.clock.monotonic() < end {
            if let Ok(pass) = self.enter_in_background(id(), another()) {
                through.push(self.clock.monotonic());
                pass.answered(None);
            }
            self.wait(millis(1)).await;
        }
        through
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_away_after_five_failures_in_a_row_and_no_other_one_is() {
    let gates = gates(9, 100);
    gates.fail(4);
    gates.call(None);
    gates.fail(4);
    gates.call(Some(&UpstreamError::ClientRefused { code: "invalid_client".to_owned() }));
    gates.fail(4);
    assert!(gates.enter(id(), another()).is_some(), "it is there, whatever it says");
    gates.fail(1);
    assert!(gates.enter(id(), another()).is_none());
    assert!(gates.enter_in_background(id(), another()).is_err());
    assert!(gates.enter(ProviderId::from_uuid(uuid(99)), another()).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_authorization_that_always_fails_closes_the_gate_for_nobody_else() {
    let gates = gates(9, 100);
    let [broken, another_broken] = [another(), another()];
    gates.fail(3);
    for _ in 0..50 {
        gates.call_for(broken, Some(&down()));
    }
    assert!(gates.enter(id(), another()).is_some());
    gates.call(None);
    for _ in 0..50 {
        gates.call_for(broken, Some(&down()));
        gates.call_for(another_broken, Some(&down()));
    }
    assert!(gates.enter(id(), another()).is_some());
    gates.fail(3);
    assert!(gates.enter(id(), another()).is_none(), "with three others it is the provider");
}

#[tokio::test(start_paused = true)]
async fn whose_probe_failed_lets_others_try_first() {
    let gates = gates(9, 100);
    let eager = another();
    gates.fail(5);
    gates.wait(seconds(1)).await;
    gates.call_for(eager, Some(&down()));
    gates.wait(seconds(2)).await;
    assert!(gates.enter(id(), eager).is_none());
    let Err(later) = gates.enter_in_background(id(), eager) else { panic!("it is let through") };
    assert_eq!(later.after, seconds(2), "the background does not come back before that");
    drop(gates.enter(id(), another()).expect("another is let through"));
    gates.wait(seconds(2)).await;
    gates.call_for(eager, None);
    assert!(
        gates.enter(id(), eager).is_some(),
        "where nobody else comes it finds out that the provider is back"
    );
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_each_break_one_probe_is_let_through_and_breaks_double_up_to_a_minute() {
    let gates = gates(9, 100);
    gates.fail(5);
    for length in [1, 2, 4, 8, 16, 32, 60, 60] {
        gates.wait(seconds(length).saturating_sub(millis(1))).await;
        assert!(gates.enter(id(), another()).is_none(), "after {length} s");
        gates.wait(millis(1)).await;
        let probe = gates.enter(id(), another()).expect("a probe");
        gates.wait(seconds(30)).await;
        assert!(gates.enter(id(), another()).is_none(), "one at a time, however long it takes");
        probe.answered(Some(&down()));
    }
    gates.wait(seconds(60)).await;
    gates.call(None);
    let all: Vec<_> = (0..9).map(|_| gates.enter(id(), another())).collect();
    assert!(all.iter().all(Option::is_some), "it is back");
    drop(all);
    gates.fail(5);
    gates.wait(seconds(1)).await;
    assert!(gates.enter(id(), another()).is_some(), "the next break is a short one again");
}

#[tokio::test(start_paused = true)]
async fn those_who_were_under_way_when_the_break_began_do_not_make_it_longer() {
    let gates = gates(99, 100);
    let under_way: Vec<_> = (0..40).map(|_| gates.enter(id(), another()).unwrap()).collect();
    for pass in under_way {
        pass.answered(Some(&down()));
    }
    gates.wait(seconds(1)).await;
    assert!(gates.enter(id(), another()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_makes_room_for_another() {
    let gates = gates(9, 100);
    gates.fail(5);
    gates.wait(seconds(1)).await;
    drop(gates.enter(id(), another()).unwrap());
    assert!(gates.enter(id(), another()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_limits_us_is_left_alone_by_the_background_and_not_by_callers() {
    for (retry_after, rest) in [(Some(120), 120), (None, 30), (Some(1), 1), (Some(86_400), 3600)] {
        let gates = gates(9, 100);
        gates.call(Some(&limited(retry_after)));
        assert!(gates.enter(id(), another()).is_some(), "a caller who waits is let through");
        gates.wait(seconds(rest).saturating_sub(millis(1))).await;
        let Err(later) = gates.enter_in_background(id(), another()) else { panic!("{retry_after:?}") };
        assert_eq!(later, Later { after: BURST, spread: Duration::ZERO });
        gates.wait(millis(1)).await;
        assert!(gates.enter_in_background(id(), another()).is_ok(), "{retry_after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_names_a_time_wants_rest_until_then() {
    let unavailable = UpstreamError::Unavailable { reason: "http_503", retry_after: Some(seconds(20)) };
    for error in [limited(Some(20)), unavailable] {
        let gates = gates(9, 100);
        gates.call(Some(&down()));
        assert!(!gates.wants_rest(id()));
        gates.call(Some(&error));
        gates.wait(seconds(20).saturating_sub(millis(1))).await;
        assert!(gates.wants_rest(id()));
        gates.wait(millis(1)).await;
        assert!(!gates.wants_rest(id()));
    }
}

#[tokio::test(start_paused = true)]
async fn one_provider_has_half_of_the_slots_whatever_the_settings_say() {
    let gates = gates(1_000, 10_000);
    let mut under_way = Vec::new();
    for _ in 0..1_000 {
        under_way.extend(gates.enter_in_background(id(), another()));
        gates.wait(millis(1)).await;
    }
    assert_eq!(under_way.len(), SLOTS / 2);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_rest_does_not_end_a_longer_one() {
    let gates = gates(9, 100);
    gates.call(Some(&limited(Some(60))));
    gates.call(Some(&limited(Some(1))));
    gates.call(Some(&down()));
    gates.wait(seconds(59)).await;
    assert!(gates.enter_in_background(id(), another()).is_err());
    gates.wait(seconds(1)).await;
    assert!(gates.enter_in_background(id(), another()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_provider_that_names_a_time_gets_its_rest() {
    let gates = gates(9, 100);
    gates.call(Some(&UpstreamError::Unavailable { reason: "http_503", retry_after: Some(seconds(20)) }));
    gates.wait(seconds(20).saturating_sub(millis(1))).await;
    assert!(gates.enter_in_background(id(), another()).is_err());
    gates.wait(millis(1)).await;
    assert!(gates.enter_in_background(id(), another()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn no_second_sees_more_than_the_pace_and_little_of_it_is_lost() {
    for per_second in [1, 7, 100] {
        let gates = gates(9, per_second);
        let through = gates.let_through(seconds(10)).await;
        let most = usize::try_from(per_second).unwrap();
        for (at, begin) in through.iter().enumerate() {
            let in_a_second =
                through[at..].iter().take_while(|time| time.saturating_sub(*begin) < seconds(1)).count();
            assert!(in_a_second <= most, "{in_a_second} of {per_second}");
        }
        assert!(through.len() >= most * 9, "{} of {per_second} a second", through.len());
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_limit_the_pace_is_half_and_recovers() {
    let gates = gates(9, 100);
    // Ten that were under way together are told together.
    let under_way: Vec<_> = (0..10).map(|_| gates.enter(id(), another()).unwrap()).collect();
    for pass in under_way {
        pass.answered(Some(&limited(Some(1))));
    }
    gates.wait(seconds(1)).await;
    let first = gates.let_through(seconds(1)).await.len();
    assert!((45..=55).contains(&first), "{first}");
    let later = gates.let_through(seconds(10)).await.len();
    assert!(later > 600, "{later}");
    for _ in 0..40 {
        gates.call(Some(&limited(Some(0))));
    }
    assert!(!gates.let_through(seconds(6)).await.is_empty(), "but never nothing");
}

#[tokio::test(start_paused = true)]
async fn the_background_has_so_many_under_way_at_once_and_no_more() {
    let gates = gates(2, 1_000);
    let first = gates.enter_in_background(id(), another()).ok().unwrap();
    let callers = gates.enter(id(), another()).unwrap();
    assert!(gates.enter_in_background(id(), another()).is_err(), "a caller's refresh counts");
    assert!(gates.enter(id(), another()).is_some(), "and is not held up");
    drop(first);
    drop(callers);
    assert!(gates.enter_in_background(id(), another()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn those_who_are_put_off_stand_in_line_and_come_back_at_the_pace() {
    let gates = gates(99, 100);
    let mut turns = Vec::new();
    for _ in 0..1_010 {
        if let Err(later) = gates.enter_in_background(id(), another()) {
            assert_eq!(later.spread, Duration::ZERO);
            turns.push(later.after);
        }
    }
    assert!(turns.is_sorted() && turns[0] == BURST);
    assert!((seconds(10)..seconds(12)).contains(turns.last().unwrap()), "{:?}", turns.last());
    assert!((900..1_100).contains(&gates.in_line()), "{}", gates.in_line());
    // They come, and almost all of them are let through at the first time.
    let begin = gates.clock.monotonic();
    let mut again = 0;
    for turn in turns {
        gates.wait((begin + turn).saturating_sub(gates.clock.monotonic())).await;
        again +=
            u32::from(gates.enter_in_background(id(), another()).map(|pass| pass.answered(None)).is_err());
    }
    assert!(again < 10, "{again} had to go to the end of the line again");
    gates.wait(seconds(1)).await;
    assert_eq!(gates.in_line(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_line_at_a_provider_that_is_away_is_as_long_as_there_are_who_stand_in_it() {
    let gates = gates(99, 100);
    gates.fail(5);
    let mut longest = Duration::ZERO;
    let mut turns: std::collections::BTreeSet<_> =
        (0..1_000).map(|number| (Duration::ZERO, number)).collect();
    while gates.clock.monotonic() < seconds(3600) {
        let (turn, number) = turns.pop_first().unwrap();
        gates.wait(turn.saturating_sub(gates.clock.monotonic())).await;
        let later = match gates.enter_in_background(id(), another()) {
            Ok(probe) => {
                probe.answered(Some(&down()));
                continue;
            }
            Err(later) => later,
        };
        assert_eq!(gates.in_line(), 0, "nobody looks for them while it is away");
        longest = longest.max(later.after);
        turns.insert((gates.clock.monotonic() + later.after, number));
    }
    assert!(longest < seconds(60 + 12), "{longest:?}");
    assert!(turns.len() > 900, "it was probed {} times in an hour", 1_000 - turns.len());
}

#[tokio::test(start_paused = true)]
async fn a_line_of_more_than_an_hour_is_none() {
    let gates = gates(1, 1);
    let mut last = None;
    for _ in 0..4_000 {
        last = gates.enter_in_background(id(), another()).err();
    }
    assert_eq!(last, Some(Later { after: millis(1_000), spread: LONGEST_REST }));
}
