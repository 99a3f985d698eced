use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::fixtures::{START, UseRecord, VirtualClock, caller, provider, uuid};
use crate::tokens::{MockUseLog, Uses};

use HandOutRecord::{BeforeRelease, Within100Ms};

/// A record, where it is kept, and the time.
struct Stage {
    uses: Arc<RecordUses>,
    record: UseRecord,
    clock: Arc<VirtualClock>,
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn id(number: u128) -> AuthorizationId {
    AuthorizationId::from_uuid(uuid(number))
}

impl Stage {
    fn keeping(promise: HandOutRecord) -> Self {
        let (record, clock) = (UseRecord::default(), VirtualClock::adjustable());
        let port: Arc<dyn Clock> = clock.clone();
        Self { uses: record.kept_by(&port, promise), record, clock }
    }

    /// The caller gets a token of that authorization; its fingerprint is what is told of it.
    async fn hand_out(&self, authorization: u128, token: &str) -> Result<(), StoreError> {
        self.hand_out_refreshed(authorization, token, None).await
    }

    /// The same of a token that was refreshed then.
    async fn hand_out_refreshed(
        &self,
        authorization: u128,
        token: &str,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let token = Fingerprint::from_stored(token.to_owned());
        let end = HandOutEnd::Done(HandedOut {
            provider_id: provider().id,
            token: &token,
            refreshed_at,
            is_known_in_use: false,
        });
        let hand_out = HandOut { caller: &caller(), authorization_id: id(authorization), end };
        self.uses.hand_out(hand_out, || Some(START + TimeDelta::hours(1))).await
    }

    async fn refuse(&self, authorization: u128, reason: &str) {
        let end = HandOutEnd::Refused(reason);
        let hand_out = HandOut { caller: &caller(), authorization_id: id(authorization), end };
        self.uses.hand_out(hand_out, || panic!("nothing was used")).await.unwrap();
    }

    async fn wait(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// What the store has when everything is written: whose, how often, first and last.
    async fn written(&self) -> Vec<(AuthorizationId, u32, Duration, Option<Duration>)> {
        self.record.tasks().drain().await;
        let since = |at: DateTime<Utc>| (at - START).to_std().unwrap();
        let entries = self.record.hand_outs().into_iter();
        entries
            .map(|entry| {
                (entry.authorization_id.unwrap(), entry.count, since(entry.at), entry.last_at.map(since))
            })
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_in_a_moment_is_written_together_and_within_100_milliseconds() {
    let stage = Stage::keeping(Within100Ms);
    for authorization in 0..30 {
        stage.hand_out(authorization, "token").await.unwrap();
        stage.uses.api_token(caller().token_id, None);
        stage.wait(millis(1)).await;
    }
    assert!(stage.record.pages().is_empty(), "nobody waits for it");
    stage.wait(millis(70)).await;
    let pages = stage.record.pages();
    let [page] = pages.as_slice() else { panic!("{} pages", pages.len()) };
    assert_eq!((page.hand_outs.len(), page.authorizations.len(), page.api_tokens.len()), (30, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn when_something_was_used_is_held_back_and_written_together() {
    let stage = Stage::keeping(BeforeRelease);
    for authorization in 0..30 {
        stage.hand_out(authorization, "token").await.unwrap();
        stage.uses.api_token(caller().token_id, None);
        stage.wait(millis(1)).await;
    }
    stage.wait(millis(900)).await;
    assert!(stage.record.pages().iter().all(|page| page.authorizations.is_empty()), "nobody waits for it");
    stage.wait(millis(100)).await;
    let pages = stage.record.pages();
    let page = pages.last().unwrap();
    assert_eq!((page.hand_outs.len(), page.authorizations.len(), page.api_tokens.len()), (0, 30, 1));
    assert_eq!(page.api_tokens[0], (caller().token_id, START));
    let used = page.authorizations.iter().find(|used| used.id == id(3)).unwrap();
    assert_eq!((used.at, used.due_at), (START + millis(3), Some(START + TimeDelta::hours(1))));
}

#[tokio::test(start_paused = true)]
async fn equal_hand_outs_of_one_second_are_one_entry_with_its_count_and_its_first_and_last_time() {
    let stage = Stage::keeping(Within100Ms);
    for _ in 0..10 {
        stage.hand_out(1, "token").await.unwrap();
        stage.wait(millis(100)).await;
    }
    stage.hand_out(1, "token").await.unwrap();
    let last = Some(millis(900));
    assert_eq!(stage.written().await, [(id(1), 10, millis(0), last), (id(1), 1, millis(1_000), None)]);
    let counts: Vec<_> =
        stage.record.pages().iter().flat_map(|page| &page.hand_outs).map(|entry| entry.count).collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1], "an entry is written as soon as it has changed");
}

#[tokio::test(start_paused = true)]
async fn others_are_entries_of_their_own() {
    let stage = Stage::keeping(Within100Ms);
    let another = Caller { token_id: ApiTokenId::from_uuid(uuid(99)), ..caller() };
    let token = Fingerprint::from_stored("token".to_owned());
    let end = HandOutEnd::Done(HandedOut {
        provider_id: provider().id,
        token: &token,
        refreshed_at: None,
        is_known_in_use: false,
    });
    let by_another = HandOut { caller: &another, authorization_id: id(1), end };
    stage.hand_out(1, "token").await.unwrap();
    stage.uses.hand_out(by_another, || None).await.unwrap();
    stage.hand_out(1, "another token").await.unwrap();
    stage.hand_out(2, "token").await.unwrap();
    stage.refuse(1, "invalid_grant").await;
    stage.refuse(1, "slow").await;
    stage.refuse(1, "token").await;
    stage.hand_out(1, "token").await.unwrap();
    stage.refuse(1, "slow").await;
    let counts: Vec<_> = stage.written().await.into_iter().map(|(_, count, ..)| count).collect();
    assert_eq!(counts, [2, 1, 1, 1, 1, 2, 1]);
    let outcome = |reason: Option<&str>| {
        let entries = stage.record.hand_outs().into_iter();
        entries
            .filter(|entry| entry.reason.as_deref() == reason)
            .map(|entry| entry.outcome)
            .collect::<Vec<_>>()
    };
    assert_eq!(outcome(None), [AuditOutcome::Done; 4]);
    assert_eq!(outcome(Some("slow")), [AuditOutcome::Refused]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_tells_of_the_first_request_and_of_nothing_secret() {
    let stage = Stage::keeping(Within100Ms);
    stage.hand_out(1, "fingerprint").await.unwrap();
    stage.written().await;
    let entry = stage.record.hand_outs().pop().unwrap();
    assert_eq!((entry.action, entry.at), (AuditAction::TokenHandedOut, START));
    assert_eq!((entry.provider_id, entry.request_id), (Some(provider().id), caller().request_id));
    assert_eq!(entry.token.unwrap().as_str(), "fingerprint");
}

#[tokio::test(start_paused = true)]
async fn where_the_record_comes_first_the_caller_waits_for_its_own_page_and_no_longer() {
    let stage = Stage::keeping(BeforeRelease);
    stage.hand_out(1, "token").await.unwrap();
    assert_eq!(stage.clock.monotonic(), Duration::ZERO, "nothing is waited for but the store");
    assert_eq!(stage.record.pages().len(), 1);
    stage.hand_out(1, "token").await.unwrap();
    assert_eq!(stage.record.pages().len(), 2);
    assert_eq!(stage.written().await, [(id(1), 2, Duration::ZERO, Some(Duration::ZERO))]);
}

#[tokio::test(start_paused = true)]
async fn where_the_record_comes_first_and_cannot_be_written_no_token_leaves() {
    let stage = Stage::keeping(BeforeRelease);
    stage.record.fail(1);
    let refused = stage.hand_out(1, "token").await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    stage.hand_out(2, "token").await.unwrap();
    let written: Vec<_> = stage.written().await.into_iter().map(|(id, count, ..)| (id, count)).collect();
    assert_eq!(written, [(id(1), 1), (id(2), 1)], "the record may say more than was handed out, never less");
}

#[tokio::test(start_paused = true)]
async fn while_one_page_is_written_the_next_one_fills() {
    let clock = VirtualClock::start();
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let log = SlowLog { clock: Arc::clone(&clock), sizes: Arc::clone(&sizes) };
    let tasks = BackgroundTasks::on_current_runtime();
    let random = crate::fixtures::CountingRandom::shared();
    let uses = RecordUses::new(Arc::new(log), tasks, Arc::clone(&clock), random, BeforeRelease);
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (uses, clock) = (Arc::clone(&uses), Arc::clone(&clock));
        callers.spawn(async move {
            clock.sleep(millis(number)).await;
            let end = HandOutEnd::Refused("slow");
            let caller = caller();
            let hand_out = HandOut { caller: &caller, authorization_id: id(number.into()), end };
            uses.hand_out(hand_out, || None).await.unwrap();
            clock.monotonic().saturating_sub(millis(number))
        });
    }
    let longest = callers.join_all().await.into_iter().max().unwrap();
    assert!(longest <= SlowLog::TAKES * 2, "the page before, and their own: {longest:?}");
    assert_eq!(sizes.lock().unwrap().as_slice(), [1, 10, 10, 10, 10, 9]);
}

/// A store that takes its time.
struct SlowLog {
    clock: Arc<dyn Clock>,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl SlowLog {
    const TAKES: Duration = millis(10);
}

#[async_trait::async_trait]
impl UseLog for SlowLog {
    async fn note_uses(&self, uses: &Uses) -> Result<(), StoreError> {
        self.clock.sleep(Self::TAKES).await;
        self.sizes.lock().unwrap().push(uses.hand_outs.len());
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_loses_nothing() {
    let stage = Stage::keeping(Within100Ms);
    stage.record.fail(5);
    stage.uses.api_token(caller().token_id, None);
    for second in 0..10 {
        for _ in 0..3 {
            stage.hand_out(second, "token").await.unwrap();
            stage.wait(millis(200)).await;
        }
        stage.wait(millis(400)).await;
    }
    let expected: Vec<_> = (0..10)
        .map(|second| {
            let begin = Duration::from_secs(u64::try_from(second).unwrap());
            (id(second), 3, begin, Some(begin + millis(400)))
        })
        .collect();
    assert_eq!(stage.written().await, expected);
    let pages = stage.record.pages();
    let used: Vec<_> = pages.iter().flat_map(|page| &page.authorizations).map(|used| used.id).collect();
    assert_eq!(used.len(), 10);
    assert_eq!(BTreeSet::from_iter(used), (0..10).map(id).collect());
    assert_eq!(pages.iter().flat_map(|page| &page.api_tokens).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_count_never_goes_back() {
    let stage = Stage::keeping(Within100Ms);
    // The first page cannot be written, and while it waits the same entry is counted up.
    stage.record.fail(1);
    for _ in 0..8 {
        stage.hand_out(1, "token").await.unwrap();
        stage.wait(millis(100)).await;
    }
    assert_eq!(stage.written().await, [(id(1), 8, Duration::ZERO, Some(millis(700)))]);
    let pages = stage.record.pages();
    assert_eq!(pages.iter().map(|page| page.hand_outs.len()).sum::<usize>(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_too_many_wait_for_a_store_that_is_away_no_more_tokens_are_handed_out() {
    let stage = Stage::keeping(Within100Ms);
    stage.record.fail(u64::MAX);
    let most = u128::try_from(MOST_WAITING).unwrap();
    for authorization in 0..most {
        stage.hand_out(authorization, "token").await.unwrap();
        if authorization == most / 2 {
            stage.wait(Duration::from_secs(2)).await;
        }
    }
    assert!(matches!(stage.hand_out(most, "token").await, Err(StoreError::Unavailable(_))));
    stage.wait(Duration::from_secs(2)).await;
    assert!(stage.hand_out(most, "token").await.is_err(), "also while they wait for the next try");
    stage.record.fail(0);
    stage.wait(Duration::from_secs(2)).await;
    stage.hand_out(most, "token").await.unwrap();
    assert_eq!(stage.written().await.len(), MOST_WAITING + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_last_page() {
    let stage = Stage::keeping(Within100Ms);
    stage.record.fail(1);
    stage.hand_out(1, "token").await.unwrap();
    stage.record.tasks().drain().await;
    assert_eq!(stage.record.hand_outs().len(), 1);
    assert!(stage.clock.monotonic() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_stop_releases_what_is_held_back() {
    let stage = Stage::keeping(Within100Ms);
    stage.hand_out(1, "token").await.unwrap();
    stage.record.tasks().drain().await;
    assert_eq!(stage.record.pages().iter().flat_map(|page| &page.authorizations).count(), 1);
    assert!(stage.clock.monotonic() < millis(100), "{:?}", stage.clock.monotonic());
}

#[tokio::test(start_paused = true)]
async fn no_row_is_held_for_long_however_much_was_used() {
    let stage = Stage::keeping(Within100Ms);
    let most = u128::try_from(page::MOST_AT_ONCE).unwrap();
    for authorization in 0..=2 * most {
        stage.hand_out(authorization, "token").await.unwrap();
    }
    stage.written().await;
    let sizes: Vec<_> = stage.record.pages().iter().map(|page| page.authorizations.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 2 * page::MOST_AT_ONCE + 1);
    assert_eq!(sizes.iter().max(), Some(&page::MOST_AT_ONCE));
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_panics_leaves_its_place_to_another() {
    let mut log = MockUseLog::new();
    let mut order = mockall::Sequence::new();
    log.expect_note_uses().times(1).in_sequence(&mut order).returning(|_| panic!("a fault of the store"));
    log.expect_note_uses().times(1).in_sequence(&mut order).returning(|_| Ok(()));
    let clock = VirtualClock::adjustable();
    let tasks = BackgroundTasks::on_current_runtime();
    let random = crate::fixtures::CountingRandom::shared();
    let uses = RecordUses::new(Arc::new(log), tasks, clock.clone(), random, BeforeRelease);
    let stage = Stage { uses, record: UseRecord::default(), clock };
    assert!(stage.hand_out(1, "token").await.is_err());
    stage.hand_out(1, "token").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn uses_are_noted_to_the_minute_and_to_the_hour() {
    let stage = Stage::keeping(Within100Ms);
    for _ in 0..12 {
        stage.hand_out(1, "token").await.unwrap();
        stage.uses.api_token(caller().token_id, None);
        stage.wait(Duration::from_secs(20 * 60)).await;
    }
    for _ in 0..6 {
        stage.uses.api_token(caller().token_id, None);
        stage.wait(Duration::from_secs(20)).await;
    }
    stage.uses.api_token(caller().token_id, Some(stage.clock.now() - TimeDelta::seconds(59)));
    stage.refuse(2, "invalid_grant").await;
    stage.written().await;
    let pages = stage.record.pages();
    assert_eq!(
        pages.iter().flat_map(|page| &page.authorizations).count(),
        4,
        "of one authorization in four hours"
    );
    assert_eq!(pages.iter().flat_map(|page| &page.api_tokens).count(), 12 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_stops_no_record() {
    let stage = Stage::keeping(Within100Ms);
    stage.hand_out(1, "token").await.unwrap();
    for hours in [1, -2] {
        stage.wait(millis(1_100)).await;
        stage.clock.jump(TimeDelta::hours(hours));
        stage.hand_out(1, "token").await.unwrap();
        stage.uses.api_token(caller().token_id, None);
    }
    stage.record.tasks().drain().await;
    assert_eq!(stage.record.hand_outs().len(), 3);
    assert_eq!(stage.record.pages().iter().flat_map(|page| &page.authorizations).count(), 3);
    assert_eq!(stage.record.pages().iter().flat_map(|page| &page.api_tokens).count(), 2);
}

/// Refuses every page with a hand-out, or a use, of one authorization.
struct Picky {
    record: UseRecord,
    refused: AuthorizationId,
}

#[async_trait::async_trait]
impl UseLog for Picky {
    async fn note_uses(&self, uses: &Uses) -> Result<(), StoreError> {
        let is_refused = uses.hand_outs.iter().any(|entry| entry.authorization_id == Some(self.refused))
            || uses.authorizations.iter().any(|used| used.id == self.refused);
        if is_refused {
            return Err(StoreError::Unavailable("the audit log is append-only".into()));
        }
        self.record.note_uses(uses).await
    }
}

impl Stage {
    fn refusing(refused: AuthorizationId, promise: HandOutRecord) -> Self {
        let (record, clock) = (UseRecord::default(), VirtualClock::adjustable());
        let log = Arc::new(Picky { record: record.clone(), refused });
        let random = crate::fixtures::CountingRandom::shared();
        let uses = RecordUses::new(log, record.tasks(), clock.clone(), random, promise);
        Self { uses, record, clock }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_refuses_alone_is_left_out_and_the_rest_is_written() {
    for refused in [0, 9, 19] {
        let stage = Stage::refusing(id(refused), Within100Ms);
        for authorization in 0..20 {
            stage.hand_out(authorization, "token").await.unwrap();
        }
        stage.wait(Duration::from_secs(10)).await;
        // Now it shows that the store is there.
        stage.hand_out(20, "token").await.unwrap();
        let written: BTreeSet<_> = stage.written().await.into_iter().map(|(id, ..)| id).collect();
        assert_eq!(written, (0..=20).filter(|number| *number != refused).map(id).collect());
        let pages = stage.record.pages();
        assert_eq!(pages.iter().flat_map(|page| &page.authorizations).count(), 20, "each was used once");
    }
}

#[tokio::test(start_paused = true)]
async fn while_something_is_refused_callers_get_their_tokens_again_after_a_few_tries() {
    let stage = Stage::refusing(id(1), BeforeRelease);
    assert!(stage.hand_out(1, "token").await.is_err());
    let mut failures = 0;
    while stage.hand_out(2, "token").await.is_err() {
        failures += 1;
    }
    assert!(failures < 3, "{failures}");
    stage.hand_out(3, "token").await.unwrap();
    stage.record.tasks().drain().await;
    assert!(stage.clock.monotonic() < Duration::from_secs(10), "nobody writes any more");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_nothing_is_given_up_however_long_that_is() {
    for others in [0, 1, 40] {
        let stage = Stage::keeping(Within100Ms);
        stage.record.fail(500);
        for authorization in 0..=others {
            stage.hand_out(authorization, "token").await.unwrap();
            stage.uses.api_token(caller().token_id, None);
            stage.wait(Duration::from_secs(5)).await;
        }
        let written: BTreeSet<_> = stage.written().await.into_iter().map(|(id, ..)| id).collect();
        assert_eq!(written, (0..=others).map(id).collect());
    }
}

#[tokio::test(start_paused = true)]
async fn uses_that_wait_for_a_store_that_is_away_are_kept_once_each() {
    let stage = Stage::keeping(Within100Ms);
    stage.record.fail(u64::MAX);
    for _ in 0..5 {
        stage.hand_out(1, "token").await.unwrap();
        stage.uses.api_token(caller().token_id, None);
        stage.wait(Duration::from_secs(3600)).await;
    }
    stage.record.fail(0);
    stage.written().await;
    let pages = stage.record.pages();
    let used: Vec<_> = pages.iter().flat_map(|page| &page.authorizations).collect();
    let [used] = used.as_slice() else { panic!("{} uses", used.len()) };
    assert_eq!((used.id, used.at), (id(1), START + TimeDelta::hours(4)));
    let tokens: Vec<_> = pages.iter().flat_map(|page| &page.api_tokens).collect();
    assert_eq!(tokens, [&(caller().token_id, START + TimeDelta::hours(4))]);
}

#[tokio::test(start_paused = true)]
async fn a_use_right_before_a_refresh_ended_is_noted_again_after_it() {
    let stage = Stage::keeping(Within100Ms);
    stage.hand_out(1, "old token").await.unwrap();
    stage.wait(Duration::from_secs(8)).await;
    // What this one said of its next refresh took the place of what the use had said.
    let refreshed_at = Some(stage.clock.now());
    for _ in 0..5 {
        stage.wait(Duration::from_secs(1)).await;
        stage.hand_out_refreshed(1, "new token", refreshed_at).await.unwrap();
    }
    stage.written().await;
    let pages = stage.record.pages();
    let used: Vec<_> =
        pages.iter().flat_map(|page| &page.authorizations).map(|used| used.at - START).collect();
    assert_eq!(used, [TimeDelta::zero(), TimeDelta::seconds(9)]);
}

#[tokio::test(start_paused = true)]
async fn a_use_that_makes_no_difference_is_not_noted() {
    let stage = Stage::keeping(Within100Ms);
    let token = Fingerprint::from_stored("token".to_owned());
    for (number, is_known_in_use, due_at) in
        [(1, true, Some(START)), (2, false, None), (3, false, Some(START))]
    {
        let handed_out =
            HandedOut { provider_id: provider().id, token: &token, refreshed_at: None, is_known_in_use };
        let end = HandOutEnd::Done(handed_out);
        let hand_out = HandOut { caller: &caller(), authorization_id: id(number), end };
        stage.uses.hand_out(hand_out, || due_at).await.unwrap();
    }
    assert_eq!(stage.written().await.len(), 3, "that it was handed out is always recorded");
    let pages = stage.record.pages();
    let noted: Vec<_> = pages.iter().flat_map(|page| &page.authorizations).map(|used| used.id).collect();
    assert_eq!(noted, [id(3)], "the others are known to be in use, or are not refreshed for it");
}

#[test]
fn on_a_runtime_that_has_ended_nobody_waits_for_ever() {
    let ended = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tasks = ended.block_on(async { BackgroundTasks::on_current_runtime() });
    drop(ended);
    let record = {
        let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
        other.block_on(async { UseRecord::default() })
    };
    let clock: Arc<dyn Clock> = VirtualClock::adjustable();
    let random = crate::fixtures::CountingRandom::shared();
    let uses = RecordUses::new(Arc::new(record.clone()), tasks, clock.clone(), random, Within100Ms);
    let stage = Stage { uses, record, clock: VirtualClock::adjustable() };
    // What is started there is dropped at once, and lets go of the page.
    for _ in 0..2 {
        stage.uses.api_token(caller().token_id, None);
        let handed_out = futures_util::FutureExt::now_or_never(stage.hand_out(1, "token"));
        assert!(matches!(handed_out, Some(Ok(()))));
    }
    assert!(stage.uses.page().wants_writer() && stage.uses.page().wants_holder(), "nobody has these places");
}
