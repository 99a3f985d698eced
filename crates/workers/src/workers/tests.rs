//! The loops over the domain's own store, in virtual time.

use chrono::TimeDelta;
use grantkeeper_domain::accounts::{
    Account, AccountStore as _, ApiToken, Caller, Organization, Role, TokenPurpose,
};
use grantkeeper_domain::authorizations::{AuthorizationStore as _, BegunDeviceFlow, Flow, FlowStore as _};
use grantkeeper_domain::ids::{JobId, ProviderId};
use grantkeeper_domain::jobs::{JobQueue as _, JobStatus};
use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::providers::{GitHosts, NewProvider, ProviderClient, ProviderClients, ProviderKind};
use grantkeeper_domain::revocations::{RevocationQueue as _, RevocationStatus};
use grantkeeper_domain::tokens::{HandOutRecord, TokenSettings};
use grantkeeper_domain::{BackgroundTasks, Change, Ports, Secret, Settings, UnitOfWork as _};
use grantkeeper_testkit::scripted_provider::{Call, Decision, ScriptedProvider};
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
    ports: Ports,
    use_cases: UseCases,
    organization: Organization,
    admin: Account,
    token: ApiToken,
}

impl Installation {
    async fn new() -> Self {
        Self::with(Arc::new(NoClients)).await
    }

    async fn with(clients: Arc<dyn ProviderClients>) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = FixedClock::new();
        let ports = Ports {
            store: store.clone(),
            clients,
            sealer: Arc::new(TestSealer::new()),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::default()),
            tasks: BackgroundTasks::on_current_runtime(),
        };
        let organization = entities::organization();
        let admin = Account { role: Role::Admin, ..entities::account(&organization) };
        let token = entities::api_token(&admin);
        let rows = vec![
            Change::insert(organization.clone()),
            Change::insert(admin.clone()),
            Change::insert(token.clone()),
        ];
        store.commit(rows).await.expect("an empty store takes them");
        let use_cases = UseCases::over(&ports, &settings("one process"));
        Self { store, clock, ports, use_cases, organization, admin, token }
    }

    /// Another process over the same store, which hears nothing of what this one knows by itself.
    fn another_process(&self) -> UseCases {
        UseCases::over(&self.ports, &settings("another process"))
    }

    /// Starts the loops, and lets them begin.
    async fn start(&self) -> Workers {
        let settings = WorkerSettings { poll_interval: Duration::from_secs(1) };
        let workers = Workers::start(&self.use_cases, self.clock.clone(), settings);
        self.clock.until_sleeping(LOOPS).await;
        self.clock.advance(FIRST_REST);
        workers
    }

    async fn insert(&self, rows: Vec<Change>) {
        self.store.commit(rows).await.expect("these rows fit");
    }

    async fn queue_a_count(&self) -> JobId {
        self.use_cases.queue_stats.run(&self.caller()).await.expect("an administrator may").id
    }

    fn caller(&self) -> Caller {
        Caller {
            account_id: self.admin.id,
            organization_id: self.organization.id,
            role: Role::Admin,
            token_id: self.token.id,
            purpose: TokenPurpose::Api,
            request_id: None,
        }
    }

    /// Registers a provider with a device flow.
    async fn register(&self) -> ProviderId {
        let new = NewProvider {
            kind: ProviderKind::Oidc,
            name: "Acme".to_owned(),
            client_id: "client".to_owned(),
            client_secret: Secret::new("secret".to_owned()),
            slug: None,
            host: None,
            scopes: None,
            device_flow: true,
            app_slug: None,
            git_hosts: GitHosts::default(),
            skip_consent: None,
            keep_alive: None,
        };
        self.use_cases
            .register_provider
            .run(&self.caller(), new)
            .await
            .expect("an administrator may")
            .provider
            .id
    }

    async fn begin_device_flow(&self, provider: ProviderId) -> BegunDeviceFlow {
        self.use_cases.begin_device_flow.run(&self.caller(), provider).await.expect("it is switched on")
    }

    async fn status_of(&self, job: JobId) -> JobStatus {
        let found = self.store.job(self.organization.id, job).await.expect("memory never fails");
        found.expect("jobs stay").status
    }
}

fn settings(holder: &str) -> Settings {
    Settings {
        public_url: "https://auth.example".to_owned(),
        tokens: TokenSettings::default(),
        hand_out_record: HandOutRecord::default(),
        asks_people: true,
        link_wait: Duration::from_secs(300),
        login: grantkeeper_domain::login::LoginSettings::default(),
        holder: holder.to_owned(),
    }
}

/// A provider with a device flow.
fn provider_with_device_flow() -> ScriptedProvider {
    let provider = ScriptedProvider::new();
    provider.change(|state| state.endpoints = entities::endpoints("issuer.example"));
    provider
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

/// How many loops there are.
const LOOPS: usize = 6;

/// Longer than anything here takes in virtual time, which stands still while the loops stop.
const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn jobs_are_run_those_that_wait_and_those_that_come() {
    let here = Installation::new().await;
    let (first, second) = (here.queue_a_count().await, here.queue_a_count().await);
    let workers = here.start().await;
    eventually(async || here.status_of(first).await == JobStatus::Completed).await;
    eventually(async || here.status_of(second).await == JobStatus::Completed).await;
    here.clock.until_sleeping(LOOPS).await;

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
    let workers = here.start().await;
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

    let workers = here.start().await;
    eventually(async || !kept(&gone).await).await;
    assert!(kept(&going).await);
    here.clock.until_sleeping(LOOPS).await;
    here.clock.advance(CLEANING_INTERVAL);
    eventually(async || !kept(&going).await).await;
    assert!(workers.stop(LIMIT).await);
}

/// A terminal that was closed does not cost the person what they grant afterwards.
#[tokio::test]
async fn a_device_flow_whose_caller_has_left_is_finished() {
    let upstream = provider_with_device_flow();
    let here = Installation::with(Arc::new(upstream.clone())).await;
    let begun = here.begin_device_flow(here.register().await).await;
    let linked = async || {
        let found = here.store.authorizations_of(here.admin.id).await.expect("memory never fails");
        !found.is_empty()
    };
    let workers = here.start().await;
    here.clock.until_sleeping(LOOPS).await;
    assert_eq!(upstream.calls(Call::PollDevice), 0, "a caller who may still come is not forestalled");

    upstream.decide(&begun.user_code, Decision::Approved("1001".to_owned()));
    here.clock.advance(Duration::from_secs(60));
    eventually(linked).await;
    assert_eq!(upstream.calls(Call::PollDevice), 1);
    assert!(workers.stop(LIMIT).await);
}

#[tokio::test]
async fn who_waits_for_a_link_hears_within_seconds_that_another_process_has_made_it() {
    let upstream = provider_with_device_flow();
    let here = Installation::with(Arc::new(upstream.clone())).await;
    let provider = here.register().await;
    let begun = here.begin_device_flow(provider).await;
    upstream.decide(&begun.user_code, Decision::Approved("1001".to_owned()));
    here.clock.advance(begun.interval);
    let workers = here.start().await;
    let (await_link, caller) = (here.use_cases.await_link.clone(), here.caller());
    let waiting = tokio::spawn(async move { await_link.run(&caller, provider).await });
    // The time that the call waits at most, and the time after which it looks again by itself.
    here.clock.until_sleeping(LOOPS + 2).await;

    let poll = here.another_process().poll_device_flow;
    poll.run(&here.caller(), provider, &begun.handle).await.expect("the provider is there");
    assert!(!waiting.is_finished(), "nobody has told this process");
    here.clock.advance(LINK_NEWS_INTERVAL);
    eventually(async || waiting.is_finished()).await;
    let lent = waiting.await.expect("it does not panic").expect("it is linked");
    assert_eq!(lent.access_token.expose(), "access-1");
    assert!(workers.stop(LIMIT).await);
}

#[tokio::test]
async fn a_stopped_loop_takes_no_more_work() {
    let here = Installation::new().await;
    let workers = here.start().await;
    here.clock.until_sleeping(LOOPS).await;
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
