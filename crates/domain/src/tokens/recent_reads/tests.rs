use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::Version;
use crate::accounts::{Role, TokenPurpose};
use crate::fixtures::{START, VirtualClock, account, authorization, caller, provider, unavailable, uuid};
use crate::providers::ProviderStatus;
use crate::tokens::{NextRefresh, RefreshEnd, RequestEnd};
use chrono::TimeDelta;

/// A database: what it has, and how often it was asked.
struct Database {
    linked: Mutex<Option<(Authorization, Provider)>>,
    caller: Mutex<Option<(ApiToken, Account)>>,
    reads: AtomicUsize,
    /// How long an answer is on its way after it was looked up.
    delay: Mutex<Duration>,
    is_away: std::sync::atomic::AtomicBool,
    clock: Arc<dyn Clock>,
}

/// A database and some processes over it.
struct Stage {
    database: Arc<Database>,
    clock: Arc<VirtualClock>,
}

impl Stage {
    fn new() -> Self {
        let clock = VirtualClock::adjustable();
        let database = Database {
            linked: Mutex::new(Some((authorization(), provider()))),
            caller: Mutex::new(Some((token(), account()))),
            reads: AtomicUsize::new(0),
            delay: Mutex::default(),
            is_away: false.into(),
            clock: clock.clone(),
        };
        Self { database: Arc::new(database), clock }
    }

    fn replica(&self) -> Arc<RecentReads> {
        let database = self.database.clone();
        RecentReads::of(database.clone(), database.clone(), database, self.clock.clone())
    }

    async fn wait(&self, millis: u64) {
        self.clock.sleep(Duration::from_millis(millis)).await;
    }

    fn reads(&self) -> usize {
        self.database.reads.load(Ordering::SeqCst)
    }
}

impl Database {
    async fn answer<T>(&self, found: T) -> Result<T, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let delay = *self.delay.lock().unwrap();
        if delay > Duration::ZERO {
            self.clock.sleep(delay).await;
        }
        if self.is_away.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(found) }
    }
}

#[async_trait]
impl AuthorizationStore for Database {
    async fn authorization(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        let found = self.linked.lock().unwrap().clone();
        let found = found.filter(|(row, _)| row.id == id && row.organization_id == organization);
        self.answer(found.map(|(row, provider)| (row, provider.into()))).await
    }

    async fn authorizations_of(&self, _: AccountId) -> Result<Vec<(Authorization, Provider)>, StoreError> {
        unreachable!("nothing of this is on the way of a hand-out")
    }

    async fn authorized_since(
        &self,
        _: DateTime<Utc>,
        _: u32,
    ) -> Result<Vec<(AccountId, crate::ids::ProviderId, DateTime<Utc>)>, StoreError> {
        unreachable!("nothing of this is on the way of a hand-out")
    }

    async fn authorization_for_identity<'a>(
        &self,
        _: AccountId,
        _: crate::ids::ProviderId,
        _: &'a str,
        _: &'a str,
    ) -> Result<Option<Authorization>, StoreError> {
        unreachable!("nothing of this is on the way of a hand-out")
    }

    async fn authorizations_at(
        &self,
        _: crate::ids::ProviderId,
        _: Option<AuthorizationId>,
        _: u32,
    ) -> Result<Vec<Authorization>, StoreError> {
        unreachable!("nothing of this is on the way of a hand-out")
    }
}

#[async_trait]
impl ApiTokenStore for Database {
    async fn token_by_hash(&self, hash: &SecretHash) -> Result<Option<(ApiToken, Account)>, StoreError> {
        let found = self.caller.lock().unwrap().clone();
        self.answer(found.filter(|(token, _)| token.hash == *hash)).await
    }

    async fn token(&self, _: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
        let found = self.caller.lock().unwrap().clone();
        self.answer(found.map(|(token, _)| token)).await
    }

    async fn tokens_of(&self, _: AccountId) -> Result<Vec<ApiToken>, StoreError> {
        let found = self.caller.lock().unwrap().clone();
        self.answer(found.into_iter().map(|(token, _)| token).collect()).await
    }

    async fn purge_expired_tokens(&self, _: DateTime<Utc>) -> Result<u64, StoreError> {
        self.answer(7).await
    }
}

#[async_trait]
impl UnitOfWork for Database {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        for change in changes {
            let (mut linked, mut caller) = (self.linked.lock().unwrap(), self.caller.lock().unwrap());
            match change {
                Change::Update(Row::Authorization(row)) => linked.as_mut().unwrap().0 = *row,
                Change::Update(Row::Provider(row)) => linked.as_mut().unwrap().1 = *row,
                Change::Update(Row::ApiToken(row)) => caller.as_mut().unwrap().0 = row,
                Change::Update(Row::Account(row)) => caller.as_mut().unwrap().1 = row,
                Change::Delete(Row::Authorization(_)) => *linked = None,
                Change::Delete(Row::ApiToken(_)) => *caller = None,
                _ => {}
            }
        }
        if self.is_away.load(Ordering::SeqCst) { Err(unavailable().into()) } else { Ok(()) }
    }
}

fn token() -> ApiToken {
    ApiToken {
        id: caller().token_id,
        account_id: caller().account_id,
        organization_id: caller().organization_id,
        hash: SecretHash::of("token"),
        purpose: TokenPurpose::Api,
        created_at: START,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: Version::FIRST,
    }
}

impl RecentReads {
    /// The authorization as a hand-out sees it.
    async fn see(&self) -> Option<Linked> {
        self.authorization(caller().organization_id, authorization().id).await.unwrap()
    }

    async fn see_caller(&self) -> Option<(ApiToken, Account)> {
        self.token_by_hash(&SecretHash::of("token")).await.unwrap()
    }
}

fn paused() -> Provider {
    Provider { status: ProviderStatus::Inactive, ..provider() }
}

fn revoked() -> ApiToken {
    ApiToken { revoked_at: Some(START), ..token() }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_a_moment_ago_is_not_read_again() {
    let stage = Stage::new();
    let reads = stage.replica();
    for _ in 0..10 {
        let linked = reads.see().await.unwrap();
        assert_eq!((&*linked.authorization, &*linked.provider), (&authorization(), &provider()));
        assert_eq!(reads.see_caller().await, Some((token(), account())));
        stage.wait(49).await;
    }
    assert_eq!(stage.reads(), 2);
    stage.wait(10).await;
    reads.see().await;
    reads.see_caller().await;
    assert_eq!(stage.reads(), 4, "half a second is over");
    reads.authorization_now(caller().organization_id, authorization().id).await.unwrap();
    assert_eq!(stage.reads(), 5, "now is now");
}

#[tokio::test(start_paused = true)]
async fn what_another_replica_changes_is_seen_everywhere_within_a_second_and_there_at_once() {
    for (name, change) in [
        ("deleted", Change::delete(authorization())),
        ("paused", Change::update(paused())),
        ("refreshed", Change::update(Authorization { version: Version::FIRST.next(), ..authorization() })),
        ("token revoked", Change::update(revoked())),
        ("token deleted", Change::delete(token())),
        ("account changed", Change::update(Account { role: Role::Admin, ..account() })),
    ] {
        let stage = Stage::new();
        let (here, there) = (stage.replica(), stage.replica());
        let seen = async |reads: &RecentReads| {
            let linked = reads.see().await.map(|linked| (linked.authorization, linked.provider));
            (linked, reads.see_caller().await)
        };
        let before = (seen(&here).await, seen(&there).await);
        // Each is asked all the time: being asked keeps nothing fresh.
        for _ in 0..40 {
            stage.wait(5).await;
            assert_eq!((seen(&here).await, seen(&there).await), before, "{name}");
        }
        here.commit(vec![change]).await.unwrap();
        let now = seen(&here).await;
        assert_ne!(now, before.0, "{name}: here at once");
        let mut waited = 0;
        while seen(&there).await != now {
            stage.wait(5).await;
            waited += 5;
            assert!(waited <= 500, "{name}: there");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_by_which_the_clock_is_set_does_not_make_a_row_live_longer() {
    for hours in [1, -1] {
        let stage = Stage::new();
        let reads = stage.replica();
        reads.see().await;
        reads.see_caller().await;
        stage.clock.jump(TimeDelta::hours(hours));
        stage.wait(500).await;
        reads.see().await;
        reads.see_caller().await;
        assert_eq!(stage.reads(), 4, "{hours}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_is_as_old_as_the_question_not_as_the_answer() {
    let stage = Stage::new();
    let reads = stage.replica();
    *stage.database.delay.lock().unwrap() = Duration::from_millis(300);
    reads.see().await;
    reads.see_caller().await;
    *stage.database.delay.lock().unwrap() = Duration::ZERO;
    stage.wait(200).await;
    reads.see_caller().await;
    assert_eq!(stage.reads(), 3, "its question was half a second ago, though its answer was not");
    reads.see().await;
    assert_eq!(stage.reads(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_was_overtaken_by_a_change_is_not_kept() {
    for change in [Change::delete(authorization()), Change::update(paused()), Change::update(revoked())] {
        let stage = Stage::new();
        let reads = stage.replica();
        *stage.database.delay.lock().unwrap() = Duration::from_millis(20);
        let slow = tokio::spawn({
            let reads = reads.clone();
            async move { (reads.see().await, reads.see_caller().await) }
        });
        let slow_caller = tokio::spawn({
            let reads = reads.clone();
            async move { reads.see_caller().await }
        });
        stage.wait(10).await;
        reads.commit(vec![change]).await.unwrap();
        assert!(slow_caller.await.unwrap().is_some());
        assert!(slow.await.unwrap().0.is_some(), "its answer was on its way");
        *stage.database.delay.lock().unwrap() = Duration::ZERO;
        let linked = reads.see().await;
        let now = stage.database.linked.lock().unwrap().clone();
        assert_eq!(linked.map(|linked| ((*linked.authorization).clone(), (*linked.provider).clone())), now);
        assert_eq!(reads.see_caller().await, stage.database.caller.lock().unwrap().clone());
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_failed_may_have_been_made() {
    let stage = Stage::new();
    let reads = stage.replica();
    reads.see().await;
    reads.see_caller().await;
    stage.database.is_away.store(true, Ordering::SeqCst);
    reads.commit(vec![Change::delete(authorization()), Change::update(revoked())]).await.unwrap_err();
    stage.database.is_away.store(false, Ordering::SeqCst);
    assert!(reads.see().await.is_none());
    assert_eq!(reads.see_caller().await.unwrap().0, revoked());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_there_for_another_organization_also_where_it_is_remembered() {
    let stage = Stage::new();
    let reads = stage.replica();
    reads.see().await;
    let another = OrganizationId::from_uuid(uuid(99));
    assert!(reads.authorization(another, authorization().id).await.unwrap().is_none());
    assert!(reads.authorization_now(another, authorization().id).await.unwrap().is_none());
    assert!(reads.see().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_looked_for_each_time() {
    let stage = Stage::new();
    let reads = stage.replica();
    stage.database.linked.lock().unwrap().take();
    stage.database.caller.lock().unwrap().take();
    assert!(reads.see().await.is_none());
    assert!(reads.see_caller().await.is_none());
    *stage.database.linked.lock().unwrap() = Some((authorization(), provider()));
    *stage.database.caller.lock().unwrap() = Some((token(), account()));
    assert!(reads.see().await.is_some());
    assert!(reads.see_caller().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_not_hidden_for_longer_than_a_moment() {
    let stage = Stage::new();
    let reads = stage.replica();
    reads.see().await;
    stage.database.is_away.store(true, Ordering::SeqCst);
    assert!(reads.see().await.is_some());
    stage.wait(500).await;
    let (organization, id) = (caller().organization_id, authorization().id);
    assert!(matches!(reads.authorization(organization, id).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(reads.token_by_hash(&SecretHash::of("token")).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn what_has_nothing_to_do_with_it_is_not_forgotten() {
    let stage = Stage::new();
    let reads = stage.replica();
    reads.see().await;
    reads.see_caller().await;
    let end = RefreshEnd {
        authorization_id: authorization().id,
        fence: 1,
        request: RequestEnd::Answered,
        next: NextRefresh::Never,
    };
    let changes = vec![
        Change::insert(crate::fixtures::revocation()),
        Change::update(crate::fixtures::flow()),
        Change::ScheduleRefresh(authorization().id, None),
        Change::EndRefresh(end),
    ];
    reads.commit(changes).await.unwrap();
    reads.see().await;
    reads.see_caller().await;
    assert_eq!(stage.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_else_is_read_from_the_store() {
    let stage = Stage::new();
    let reads = stage.replica();
    for _ in 0..2 {
        assert_eq!(reads.token(caller().token_id).await.unwrap(), Some(token()));
        assert_eq!(reads.tokens_of(caller().account_id).await.unwrap(), [token()]);
        assert_eq!(reads.purge_expired_tokens(START).await.unwrap(), 7);
    }
    assert_eq!(stage.reads(), 6);
}
