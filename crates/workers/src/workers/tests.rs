//! The loops over the domain's own store, in virtual time.

use chrono::TimeDelta;
use grantkeeper_domain::accounts::{Account, AccountStore as _, Caller, Organization, Role, TokenPurpose};
use grantkeeper_domain::authorizations::{Flow, FlowStore as _};
use grantkeeper_domain::ids::{ApiTokenId, JobId};
use grantkeeper_domain::jobs::{JobQueue as _, JobStatus};
use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::providers::{ProviderClient, ProviderClients, ProviderKind};
use grantkeeper_domain::revocations::{RevocationQueue as _, RevocationStatus};
use grantkeeper_domain::tokens::{HandOutRecord, TokenSettings};
use grantkeeper_domain::{BackgroundTasks, Change, Ports, Settings, UnitOfWork as _};
use grantkeeper_testkit::{FixedClock, SeededRandom, TestSealer, entities};

use super::*;

/// An installation without any provider: nothing can be revoked anywhere.
struct NoClients;

impl ProviderClients for NoClients {
    fn client(&self, _: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        None
    }
}

struct Installation {
    store: Arc<MemoryStore>,
    clock: Arc<FixedClock>,
    use_cases: UseCases,
    organization: Organization,
    admin: Account,
}

impl Installation {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = FixedClock::new();
        let ports = Ports {
            store: store.clone(),
            clients: Arc::new(NoClients),
            sealer: Arc::new(TestSealer::new()),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::default()),
            tasks: BackgroundTasks::on_current_runtime(),
        };
        let settings = Settings {
            public_url: "https://auth.example".to_owned(),
            tokens: TokenSettings::default(),
            hand_out_record: HandOutRecord::default(),
            asks_people: true,
            login: grantkeeper_domain::login::LoginSettings::default(),
            holder: "the only one".to_owned(),
        };
        let organization = entities::organization();
        let admin = Account { role: Role::Admin, ..entities::account(&organization) };
        let rows = vec![Change::insert(organization.clone()), Change::insert(admin.clone())];
        store.commit(rows).await.expect("an empty store takes them");
        let use_cases = UseCases::over(&ports, &settings);
        Self { store, clock, use_cases, organization, admin }
    }

    fn start(&self) -> Workers {
        let settings = WorkerSettings { poll_interval: Duration::from_secs(1) };
        Workers::start(&self.use_cases, self.clock.clone(), settings)
    }

    async fn insert(&self, rows: Vec<Change>) {
        self.store.commit(rows).await.expect("these rows fit");
    }

    async fn queue_a_count(&self) -> JobId {
        let caller = Caller {
            account_id: self.admin.id,
            organization_id: self.organization.id,
            role: Role::Admin,
            token_id: ApiTokenId::generate(&entities::FRESH, entities::START),
            purpose: TokenPurpose::Api,
            request_id: None,
        };
        self.use_cases.queue_stats.run(&caller).await.expect("an administrator may").id
    }

    async fn status_of(&self, job: JobId) -> JobStatus {
        let found = self.store.job(self.organization.id, job).await.expect("memory never fails");
        found.expect("jobs stay").status
    }
}

/// Lets the loops run until `reached`, without real waiting.
async fn eventually(mut reached: impl AsyncFnMut() -> bool) {
    for _ in 0..10_000 {
        if reached().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the loops do not get there");
}

/// Longer than anything here takes in virtual time, which stands still while the loops stop.
const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn jobs_are_run_those_that_wait_and_those_that_come() {
    let here = Installation::new().await;
    let (first, second) = (here.queue_a_count().await, here.queue_a_count().await);
    let workers = here.start();
    eventually(async || here.status_of(first).await == JobStatus::Completed).await;
    eventually(async || here.status_of(second).await == JobStatus::Completed).await;
    here.clock.until_sleeping(3).await;

    let third = here.queue_a_count().await;
    here.clock.advance(Duration::from_secs(1));
    eventually(async || here.status_of(third).await == JobStatus::Completed).await;
    assert!(workers.stop(LIMIT).await);
}

#[tokio::test]
async fn due_revocations_are_tried() {
    let here = Installation::new().await;
    let provider = entities::provider(&here.organization);
    let authorization = entities::authorization(&here.admin, &provider);
    let revocation = entities::revocation(&authorization);
    here.insert(vec![Change::insert(provider.clone()), Change::insert(revocation)]).await;
    let workers = here.start();
    let status = async || here.store.revocations_of(provider.id).await.expect("memory never fails")[0].status;
    eventually(async || status().await == RevocationStatus::NotSupported).await;
    assert!(workers.stop(LIMIT).await);
}

#[tokio::test]
async fn what_has_had_its_time_goes_at_the_start_and_every_five_minutes() {
    let here = Installation::new().await;
    let provider = entities::provider(&here.organization);
    let old = |seconds| {
        let flow = entities::flow(&here.admin, &provider);
        Flow { expires_at: entities::START - TimeDelta::hours(1) + TimeDelta::seconds(seconds), ..flow }
    };
    let (gone, going) = (old(-1), old(299));
    let rows = [gone.clone(), going.clone()].map(Change::insert);
    here.insert([Change::insert(provider)].into_iter().chain(rows).collect()).await;
    let kept = async |flow: &Flow| here.store.flow(flow.id).await.expect("memory never fails").is_some();

    let workers = here.start();
    eventually(async || !kept(&gone).await).await;
    assert!(kept(&going).await);
    here.clock.until_sleeping(3).await;
    here.clock.advance(CLEANING_INTERVAL);
    eventually(async || !kept(&going).await).await;
    assert!(workers.stop(LIMIT).await);
}

#[tokio::test]
async fn a_stopped_loop_takes_no_more_work() {
    let here = Installation::new().await;
    let workers = here.start();
    here.clock.until_sleeping(3).await;
    assert!(workers.stop(LIMIT).await);
    let job = here.queue_a_count().await;
    here.clock.advance(CLEANING_INTERVAL);
    tokio::task::yield_now().await;
    assert_eq!(here.status_of(job).await, JobStatus::Pending);
    assert!(here.store.organization(here.organization.id).await.is_ok_and(|found| found.is_some()));
}

/// Work that never ends.
struct Endless;

#[async_trait::async_trait]
impl Chore for Endless {
    async fn run(&self) -> Result<crate::chore::Progress, grantkeeper_domain::StoreError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn stopping_has_a_bound() {
    let clock = FixedClock::new();
    let stop = CancellationToken::new();
    let rounds = Rounds {
        name: "endless",
        chore: Arc::new(Endless),
        rest: LIMIT,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    let loops = vec![tokio::spawn(rounds.go())];
    let workers = Workers { clock: clock.clone(), stop, loops };
    let stopping = tokio::spawn(workers.stop(LIMIT));
    clock.until_sleeping(1).await;
    clock.advance(LIMIT);
    assert!(!stopping.await.expect("stopping does not panic"));
}
