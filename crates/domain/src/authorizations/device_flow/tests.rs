use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::fixtures::{START, device_flow};

fn at(millis: i64) -> DateTime<Utc> {
    START + TimeDelta::milliseconds(millis)
}

#[test]
fn a_quarter_of_a_second_too_early_is_early_enough() {
    let flow = device_flow();
    assert!(flow.is_too_early(at(4749)));
    assert!(!flow.is_too_early(at(4750)) && !flow.is_too_early(at(5000)));
}

#[test]
fn the_interval_counts_from_when_the_provider_was_asked() {
    let flow = device_flow().polling(Poller::Caller, at(7000));
    assert_eq!(flow.stage, DeviceStage::Polling { since: at(7000) });
    assert_eq!((flow.next_poll_at, flow.interval), (at(12_000), TimeDelta::seconds(5)));
}

#[test]
fn a_poll_that_takes_longer_than_any_may_died_with_its_process() {
    let flow = device_flow().polling(Poller::Caller, START);
    assert!(flow.is_being_polled(START + EXCHANGE_LIMIT - TimeDelta::microseconds(1)));
    assert!(!flow.is_being_polled(START + EXCHANGE_LIMIT));
    assert!(!device_flow().is_being_polled(START));
    let denied = FlowOutcome::Refused("access_denied".to_owned());
    assert!(!flow.finished(denied, START).is_being_polled(START));
}

#[test]
fn a_wait_is_never_cut_short_by_a_shorter_one() {
    let polled = device_flow().polling(Poller::Caller, START);
    let end = polled.expires_at;
    let waiting = |seconds| polled.pace().after_waiting(TimeDelta::seconds(seconds), at(1000), end);
    assert_eq!(waiting(0).next_poll_at, at(5000));
    assert_eq!(waiting(60).next_poll_at, at(61_000));
    assert_eq!(waiting(60).interval, TimeDelta::seconds(5), "for this once");
    let endless = polled.pace().after_waiting(TimeDelta::MAX, at(1000), end);
    assert_eq!(endless.next_poll_at, end, "after that there is nothing to ask for");
}

#[test]
fn slow_down_lengthens_the_interval_for_good() {
    let seconds = TimeDelta::seconds;
    for (named, interval) in [
        (None, seconds(10)),
        (Some(seconds(30)), seconds(30)),
        // RFC 8628, 3.5: by five seconds at least, whatever is named.
        (Some(seconds(7)), seconds(10)),
        (Some(seconds(0)), seconds(10)),
        (Some(TimeDelta::MAX), seconds(300)),
    ] {
        let polled = device_flow().polling(Poller::Caller, START);
        let flow = polled.clone().pending(polled.pace().slowed_down(named, at(1000)));
        assert_eq!((flow.interval, &flow.stage), (interval, &DeviceStage::Pending), "{named:?}");
        assert_eq!(flow.next_poll_at, at(1000) + interval, "{named:?}");
        assert_eq!(
            flow.polling(Poller::Caller, at(400_000)).next_poll_at,
            at(400_000) + interval,
            "{named:?}"
        );
    }
}

#[test]
fn a_provider_that_cannot_be_reached_is_asked_half_as_often() {
    let pace = device_flow().pace().after_asking(START).backed_off(at(1000));
    assert_eq!((pace.interval, pace.next_poll_at), (TimeDelta::seconds(10), at(11_000)));
    let pace = pace.after_asking(at(11_000)).backed_off(at(12_000));
    assert_eq!((pace.interval, pace.next_poll_at), (TimeDelta::seconds(20), at(32_000)));
    let pace = (0..9).fold(pace, |pace, _| pace.backed_off(at(40_000)));
    assert_eq!((pace.interval, pace.next_poll_at), (TimeDelta::seconds(60), at(100_000)));
}

#[test]
fn an_end_keeps_how_and_when() {
    let outcome = FlowOutcome::Refused("access_denied".to_owned());
    let flow = device_flow().polling(Poller::Caller, START).finished(outcome.clone(), at(2000));
    assert_eq!(flow.stage, DeviceStage::Finished { outcome, at: at(2000) });
}

/// What the provider answers to a poll that leaves everything open.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Pending,
    Rest(TimeDelta),
    SlowDown(Option<TimeDelta>),
}

fn up_to(seconds: i64) -> impl Strategy<Value = TimeDelta> {
    (0..seconds * 1000).prop_map(TimeDelta::milliseconds)
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Pending),
        up_to(900).prop_map(Answer::Rest),
        proptest::option::of(up_to(900)).prop_map(Answer::SlowDown),
    ]
}

proptest! {
    /// Callers poll whenever they like; the provider answers in any way and takes its time for it.
    #[test]
    fn the_provider_is_never_asked_sooner_than_it_wants(
        steps in vec((up_to(20), answer(), up_to(30)), 1..60),
    ) {
        let mut flow = device_flow();
        let mut now = START;
        let mut not_before = flow.next_poll_at;
        for (idle, answer, takes) in steps {
            now += idle;
            if flow.is_too_early(now) {
                prop_assert!(now < not_before);
                continue;
            }
            prop_assert!(now >= not_before - TOLERANCE);
            now += TimeDelta::from_std(flow.time_to_wait(now)).expect("short");
            prop_assert!(now >= not_before);
            let interval = flow.interval;
            let asked = now;
            flow = flow.polling(Poller::Caller, asked);
            now += takes;
            prop_assert!(flow.is_being_polled(now));
            let (pace, end) = (flow.pace(), flow.expires_at);
            flow = flow.pending(match answer {
                Answer::Pending => pace.after_waiting(TimeDelta::zero(), now, end),
                Answer::Rest(rest) => pace.after_waiting(rest, now, end),
                Answer::SlowDown(named) => pace.slowed_down(named, now),
            });
            prop_assert_eq!(&flow.stage, &DeviceStage::Pending);
            not_before = match answer {
                Answer::Pending => asked + interval,
                Answer::Rest(rest) => (asked + interval).max((now + rest).min(flow.expires_at)),
                Answer::SlowDown(_) => now + flow.interval,
            };
            prop_assert!(flow.interval >= interval && flow.interval <= LONGEST_INTERVAL);
            if let Answer::SlowDown(named) = answer {
                let wanted = (interval + SLOW_DOWN).max(named.unwrap_or_default());
                prop_assert_eq!(flow.interval, wanted.min(LONGEST_INTERVAL));
            }
        }
    }
}

#[test]
fn a_flow_is_unattended_when_its_caller_might_have_polled_and_has_not() {
    let now = at(60_000);
    let overdue = at(50_000);
    let due_at = |milliseconds| DeviceFlow { next_poll_at: at(milliseconds), ..device_flow() };
    let outcome = FlowOutcome::Refused("access_denied".to_owned());
    let polled = |since| DeviceFlow { stage: DeviceStage::Polling { since }, ..due_at(50_000) };
    let minute_ago = now - EXCHANGE_LIMIT;
    for (name, flow, expected) in [
        ("overdue", due_at(50_000), true),
        ("not overdue", due_at(50_001), false),
        ("finished", due_at(50_000).finished(outcome, START), false),
        ("expired", DeviceFlow { expires_at: now, ..due_at(50_000) }, false),
        ("in its last moment", DeviceFlow { expires_at: at(60_001), ..due_at(50_000) }, true),
        ("being polled", polled(minute_ago + TimeDelta::microseconds(1)), false),
        ("polled by one that died", polled(minute_ago), true),
    ] {
        assert_eq!(flow.is_unattended(overdue, now), expected, "{name}");
    }
}

#[test]
fn it_is_kept_who_has_polled_last() {
    let polled = device_flow().polling(Poller::Service, START);
    assert!(polled.unattended);
    let pace = polled.pace();
    assert!(polled.clone().pending(pace).unattended);
    assert!(!polled.polling(Poller::Caller, START).unattended);
}

#[test]
fn a_provider_never_sees_two_polls_closer_than_its_interval_and_a_caller_who_counts_from_the_question_is_not_slowed()
 {
    for (answer_after, expected) in [(0, 5000), (80, 5080), (250, 5250), (4000, 5250)] {
        let asked = device_flow().polling(Poller::Caller, START).pace();
        let pace = asked.after_answer(at(answer_after));
        assert_eq!(pace.next_poll_at, at(expected), "{answer_after}");
        assert!(!pace.is_too_early(START + asked.interval), "{answer_after}");
    }
}
