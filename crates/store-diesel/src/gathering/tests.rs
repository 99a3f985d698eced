//! Who is read for with whom, what a failure costs, and what is left behind by those who go away.

use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use futures_util::poll;
use tokio::sync::Semaphore;

use super::*;
use crate::failure::Failure;

type Answer = Result<Option<String>, Failure>;

/// A source that answers when it is let, and remembers what it was asked.
#[derive(Clone)]
struct Source {
    gathering: Arc<Gathering<u32, String>>,
    lets: Arc<Semaphore>,
    reads: Arc<Mutex<Vec<Vec<u32>>>>,
}

impl Source {
    fn new() -> Self {
        Self { gathering: Arc::default(), lets: Arc::new(Semaphore::new(0)), reads: Arc::default() }
    }

    async fn ask(&self, key: u32) -> Answer {
        let source = self.clone();
        self.gathering.ask(key, move |keys| source.clone().read(keys)).await
    }

    /// Every key but 404 has a value.
    async fn read(self, keys: Vec<u32>) -> Result<HashMap<u32, String>, Failure> {
        self.reads.lock().unwrap().push(keys.clone());
        self.lets.acquire().await.unwrap().forget();
        Ok(keys.into_iter().filter(|key| *key != 404).map(|key| (key, of(key))).collect())
    }

    fn let_answer(&self, reads: usize) {
        self.lets.add_permits(reads);
    }

    fn reads(&self) -> Vec<Vec<u32>> {
        self.reads.lock().unwrap().clone()
    }

    /// Lets the first of those who ask be read for, and no answer be given.
    async fn begin(&self) {
        while self.reads().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn end(&self) {
        while self.gathering.is_in_use() {
            tokio::task::yield_now().await;
        }
        assert!(self.gathering.state().waiting.is_empty());
    }
}

fn value(answer: Answer) -> String {
    answer.unwrap().expect("a value")
}

fn of(key: u32) -> String {
    format!("value {key}")
}

#[tokio::test]
async fn who_asks_during_a_read_is_read_for_together_with_all_others_who_do() {
    let source = Source::new();
    let mut first = pin!(source.ask(0));
    assert!(poll!(&mut first).is_pending());
    source.begin().await;
    source.let_answer(2);
    let answers = join_all((1..6).map(|key| source.ask(key))).await;
    assert_eq!(answers.into_iter().map(value).collect::<Vec<_>>(), (1..6).map(of).collect::<Vec<_>>());
    assert_eq!(value(first.await), of(0));
    assert_eq!(source.reads(), [vec![0], vec![1, 2, 3, 4, 5]]);
    source.end().await;
}

#[tokio::test]
async fn who_asks_during_a_read_gets_nothing_of_it() {
    let source = Source::new();
    let (mut first, mut second) = (pin!(source.ask(7)), pin!(source.ask(7)));
    assert!(poll!(&mut first).is_pending());
    source.begin().await;
    assert!(poll!(&mut second).is_pending());
    source.let_answer(1);
    assert_eq!(value(first.await), of(7));
    assert!(poll!(&mut second).is_pending());
    source.let_answer(1);
    assert_eq!(value(second.await), of(7));
    assert_eq!(source.reads(), [[7], [7]]);
}

#[tokio::test]
async fn a_key_that_many_ask_for_is_read_once() {
    let source = Source::new();
    source.let_answer(1);
    let keys = [7, 9, 7, 9, 9];
    let answers = join_all(keys.map(|key| source.ask(key))).await;
    assert_eq!(answers.into_iter().map(value).collect::<Vec<_>>(), keys.map(of));
    assert_eq!(source.reads(), [[7, 9]]);
}

#[tokio::test]
async fn what_is_not_there_is_nothing_to_everybody_who_asked_for_it() {
    let source = Source::new();
    source.let_answer(1);
    let answers = join_all([1, 2, 404, 404, 3].map(|key| source.ask(key))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [Some(of(1)), Some(of(2)), None, None, Some(of(3))]);
}

#[tokio::test]
async fn a_read_is_for_so_many_and_no_more() {
    let source = Source::new();
    source.let_answer(3);
    let count = u32::try_from(2 * LARGEST_READ + 1).unwrap();
    join_all((0..count).map(|key| source.ask(key))).await;
    let sizes: Vec<_> = source.reads().iter().map(Vec::len).collect();
    assert_eq!(sizes, [LARGEST_READ, LARGEST_READ, 1]);
}

#[tokio::test]
async fn those_who_went_away_are_not_read_for() {
    let source = Source::new();
    let mut first = pin!(source.ask(1));
    assert!(poll!(&mut first).is_pending());
    source.begin().await;
    let mut gone: Vec<_> = (10..20).map(|key| Box::pin(source.ask(key))).collect();
    for waiting in &mut gone {
        assert!(poll!(waiting).is_pending());
    }
    let mut patient = pin!(source.ask(2));
    assert!(poll!(&mut patient).is_pending());
    drop(gone);
    source.let_answer(2);
    assert_eq!([value(first.await), value(patient.await)], [of(1), of(2)]);
    assert_eq!(source.reads(), [[1], [2]]);
}

#[tokio::test]
async fn nobody_waits_for_one_who_went_away_or_is_not_polled_any_more() {
    let source = Source::new();
    let (mut gone, mut left_alone) = (Box::pin(source.ask(1)), Box::pin(source.ask(2)));
    assert!(poll!(&mut gone).is_pending() && poll!(&mut left_alone).is_pending());
    source.begin().await;
    drop(gone);
    source.let_answer(2);
    assert_eq!(value(source.ask(3).await), of(3));
    source.end().await;
    assert_eq!(value(left_alone.await), of(2));
}

/// A source that fails, and counts how often it was asked.
async fn fail(gathering: &Arc<Gathering<u32, String>>, asked: u32, failure: fn() -> Failure) -> usize {
    let reads = Arc::new(AtomicUsize::new(0));
    let ask = |key| {
        let reads = Arc::clone(&reads);
        gathering.ask(key, move |_| {
            reads.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::task::yield_now().await;
                Err(failure())
            }
        })
    };
    for failed in join_all((0..asked).map(ask)).await {
        let told = failed.unwrap_err();
        assert_eq!(told.to_string(), failure().to_string());
        assert_eq!(told.is_passing(), failure().is_passing());
    }
    assert!(!gathering.is_in_use());
    reads.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_failure_is_everybodys_who_is_read_for() {
    let three_times = u32::try_from(3 * LARGEST_READ).unwrap();
    assert_eq!(fail(&Arc::default(), three_times, || Failure::OtherSchema).await, 3);
}

#[tokio::test]
async fn nobody_waits_twice_for_a_database_that_is_away() {
    assert_eq!(fail(&Arc::default(), 1_000, || Failure::NoAnswer).await, 1);
}

#[tokio::test]
async fn a_panic_costs_those_an_error_who_are_read_for() {
    let gathering = Arc::new(Gathering::<u32, String>::default());
    let bug = gathering.ask(1, |_| async { panic!("a bug") }).await;
    assert!(!bug.unwrap_err().is_passing());
    let read = |keys: Vec<u32>| ready(Ok(keys.into_iter().map(|key| (key, of(key))).collect()));
    assert_eq!(value(gathering.ask(2, read).await), of(2));
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let source = Source::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ended = runtime();
    let mut waiting = pin!(source.ask(1));
    ended.block_on(async {
        assert!(poll!(&mut waiting).is_pending());
        source.begin().await;
    });
    drop(ended);
    assert!(matches!(runtime().block_on(waiting), Err(Failure::Stopped)));
    assert!(!source.gathering.is_in_use());
}
