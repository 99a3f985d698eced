use grantkeeper_domain::services::Clock as _;
use grantkeeper_testkit::FixedClock;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn limiter(requests: u32) -> Limiter<u32> {
    Limiter::per_minute(requests).unwrap()
}

/// How many keys are held, and in how much room at most.
fn held(limiter: &Limiter<u32>) -> (usize, usize) {
    let shards = limiter.shards.iter().map(|shard| shard.lock().unwrap());
    let sizes = shards.map(|shard| {
        let tables = [&shard.young, &shard.old];
        (tables.map(HashMap::len), tables.map(HashMap::capacity))
    });
    sizes.fold((0, 0), |(keys, room), ([young, old], [young_room, old_room])| {
        (keys + young + old, room.max(young_room).max(old_room))
    })
}

/// Counts requests until one is refused.
fn until_refused(limiter: &Limiter<u32>, key: u32, clock: &FixedClock) -> (usize, Over) {
    for count in 0.. {
        if let Err(over) = limiter.take(key, clock.now()) {
            return (count, over);
        }
    }
    unreachable!("there is an end to every limit");
}

#[test]
fn every_key_has_a_bucket_of_its_own() {
    let (limiter, clock) = (limiter(6), FixedClock::new());
    for key in [1, 2] {
        let (count, over) = until_refused(&limiter, key, &clock);
        assert_eq!((count, over.wait), (6, 10 * SECOND));
    }
}

#[test]
fn a_bucket_fills_while_its_key_rests() {
    let (limiter, clock) = (limiter(6), FixedClock::new());
    for (rest, admitted) in [(0, 6), (10, 1), (25, 2), (5, 1), (3_600, 6)] {
        clock.advance(rest * SECOND);
        assert_eq!(until_refused(&limiter, 1, &clock).0, admitted, "after {rest} s");
    }
}

#[test]
fn a_look_counts_nothing_and_keeps_no_key() {
    let (limiter, clock) = (limiter(1), FixedClock::new());
    for _ in 0..10 {
        assert_eq!(limiter.look(1, clock.now()), Ok(()));
    }
    assert_eq!((held(&limiter).0, limiter.knows(1)), (0, false));
    limiter.take(1, clock.now()).unwrap();
    assert!(limiter.knows(1));
    assert_eq!(limiter.look(1, clock.now()).unwrap_err().wait, 60 * SECOND);
    clock.advance(60 * SECOND);
    assert_eq!(limiter.look(1, clock.now()), Ok(()));
}

#[test]
fn a_key_makes_news_once_a_minute() {
    let (limiter, clock) = (limiter(60), FixedClock::new());
    let mut news = 0;
    for _ in 0..600 {
        clock.advance(SECOND / 2);
        for _ in 0..10 {
            let refused = [limiter.take(1, clock.now()), limiter.look(1, clock.now())];
            news += refused.iter().filter(|refused| refused.as_ref().is_err_and(|over| over.is_news)).count();
        }
    }
    assert_eq!(news, 5, "in five minutes of being over all the time");
    until_refused(&limiter, 2, &clock);
    clock.advance(3_600 * SECOND);
    assert!(until_refused(&limiter, 2, &clock).1.is_news, "another key, and another time");
}

#[test]
fn a_scan_does_not_fill_the_memory() {
    let (limiter, clock) = (limiter(1), FixedClock::new());
    for key in 0..300_000 {
        limiter.take(key, clock.now()).unwrap();
    }
    let (keys, room) = held(&limiter);
    assert!(keys <= 57_344, "{keys}");
    assert!(keys > 28_000, "and the room there is is used: {keys}");
    assert_eq!(room, GENERATION, "no table has grown beyond");
    assert!(limiter.take(299_999, clock.now()).is_err(), "the last one is remembered");
    assert!(limiter.take(0, clock.now()).is_ok(), "the first one is forgotten");
}

#[test]
fn a_generation_that_ends_early_does_not_shorten_the_next_one() {
    let (limiter, clock) = (limiter(1), FixedClock::new());
    let touch_all_shards = || {
        for key in 1_000_000..1_001_000 {
            limiter.look(key, clock.now()).unwrap();
        }
    };
    touch_all_shards();
    clock.advance(59 * SECOND);
    for key in 0..32_000 {
        limiter.take(key, clock.now()).unwrap();
    }
    clock.advance(SECOND);
    touch_all_shards();
    assert_eq!(held(&limiter).0, 32_000, "a second old, and not forgotten");
    clock.advance(120 * SECOND);
    touch_all_shards();
    clock.advance(120 * SECOND);
    touch_all_shards();
    assert_eq!(held(&limiter).0, 0);
}

#[test]
fn what_is_used_meanwhile_outlives_a_scan() {
    let (limiter, clock) = (limiter(1), FixedClock::new());
    limiter.take(1, clock.now()).unwrap();
    for key in 1_000..300_000 {
        limiter.take(key, clock.now()).unwrap();
        if key % 10_000 == 0 {
            assert!(limiter.take(1, clock.now()).is_err(), "after {key}");
        }
    }
}

#[test]
fn keys_at_rest_are_dropped_and_not_before_their_bucket_is_full() {
    let (limiter, clock) = (limiter(2), FixedClock::new());
    for key in 0..10_000 {
        until_refused(&limiter, key, &clock);
    }
    for _ in 0..5 {
        clock.advance(5 * SECOND);
        assert!(limiter.look(0, clock.now()).is_err());
    }
    clock.advance(5 * SECOND);
    for key in 0..10_000 {
        assert_eq!(until_refused(&limiter, key, &clock).0, 1, "half a minute fills half a bucket");
    }
    // Others come, and after two generations nothing is left of these.
    for _ in 0..2 {
        clock.advance(60 * SECOND);
        for key in 1_000_000..1_001_000 {
            limiter.take(key, clock.now()).unwrap();
        }
    }
    assert!(held(&limiter).0 <= 1_000, "{}", held(&limiter).0);
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out_and_forgets_nobody() {
    let (limiter, clock) = (limiter(6), FixedClock::new());
    let (_, over) = until_refused(&limiter, 1, &clock);
    clock.jump(-chrono::TimeDelta::days(1));
    assert_eq!(until_refused(&limiter, 1, &clock).1.wait, over.wait);
    clock.advance(over.wait);
    assert_eq!(until_refused(&limiter, 1, &clock).0, 1);
}

#[test]
fn threads_share_a_bucket() {
    let (limiter, clock) = (limiter(1_000), FixedClock::new());
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| until_refused(&limiter, 1, &clock).0)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 1_000);
}
