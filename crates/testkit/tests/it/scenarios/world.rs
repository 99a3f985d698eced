//! The whole domain over the in-memory store, a fixed clock and a provider inside the test.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::accounts::{Account, Caller, Organization, Role, TokenPurpose};
use grantkeeper_domain::audit::{AuditAction, AuditEntry, AuditLog as _};
use grantkeeper_domain::authorizations::{
    Authorization, AuthorizationStore as _, BegunDeviceFlow, Callback, CompleteFlowError, CompletedFlow,
    DeviceFlowStatus, PollDeviceFlowError, StartFlowRequest, StartedFlow,
};
use grantkeeper_domain::ids::{AccountId, AuthorizationId, ProviderId};
use grantkeeper_domain::login::LoginSettings;
use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::providers::{GitHosts, NewProvider, Provider, ProviderCatalog as _, ProviderKind};
use grantkeeper_domain::sealing::TokenSealer;
use grantkeeper_domain::services::{Clock as _, Random};
use grantkeeper_domain::tokens::{HandOutRecord, LendError, LentToken, TokenSettings};
use grantkeeper_domain::{BackgroundTasks, Change, Ports, Secret, Settings, UnitOfWork as _, UseCases};
use grantkeeper_testkit::scripted_provider::ScriptedProvider;
use grantkeeper_testkit::{FixedClock, SeededRandom, TestSealer, entities};

use tokio::task::JoinHandle;

/// Where the service of these tests is reached.
pub(crate) const PUBLIC_URL: &str = "https://broker.example";
/// A page of a caller's own.
pub(crate) const CALLERS_PAGE: &str = "http://127.0.0.1:9/done";

/// One organization with an administrator and a member, and one process of the service.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) provider: ScriptedProvider,
    pub(crate) sealer: Arc<TestSealer>,
    pub(crate) tasks: BackgroundTasks,
    pub(crate) app: UseCases,
    pub(crate) organization: Organization,
    pub(crate) admin: Caller,
    pub(crate) member: Caller,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_clock(FixedClock::new()).await
    }

    pub(crate) async fn with_clock(clock: Arc<FixedClock>) -> Self {
        let store = Arc::new(MemoryStore::new());
        let provider = ScriptedProvider::new();
        provider.change(|state| state.endpoints = entities::endpoints("provider.example"));
        let sealer = Arc::new(TestSealer::new());
        let tasks = BackgroundTasks::on_current_runtime();
        let ports = Ports {
            store: store.clone(),
            clients: Arc::new(provider.clone()),
            sealer: sealer.clone(),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            tasks: tasks.clone(),
        };
        let app = UseCases::over(&ports, &settings("first"));
        let organization = app.create_organization.run("Observatory").await.unwrap();
        let admin = app.create_account.run(organization.id, "ada@example.com", Role::Admin).await.unwrap();
        let member = app.create_account.run(organization.id, "mo@example.com", Role::Member).await.unwrap();
        let (admin, member) = (caller(&admin), caller(&member));
        Self { store, clock, provider, sealer, tasks, app, organization, admin, member }
    }

    /// Another process over the same store and provider.
    pub(crate) fn process(&self, holder: &str, random: Arc<dyn Random>) -> UseCases {
        let ports = Ports {
            store: self.store.clone(),
            clients: Arc::new(self.provider.clone()),
            sealer: self.sealer.clone(),
            clock: self.clock.clone(),
            random,
            tasks: self.tasks.clone(),
        };
        UseCases::over(&ports, &settings(holder))
    }

    pub(crate) async fn another_member(&self, email: &str) -> Caller {
        caller(&self.app.create_account.run(self.organization.id, email, Role::Member).await.unwrap())
    }

    /// An administrator of another organization.
    pub(crate) async fn stranger(&self) -> Caller {
        let organization = self.app.create_organization.run("Elsewhere").await.unwrap();
        caller(&self.app.create_account.run(organization.id, "eve@example.com", Role::Admin).await.unwrap())
    }

    pub(crate) async fn register(&self, name: &str) -> Provider {
        self.app.register_provider.run(&self.admin, new_provider(name)).await.unwrap().provider
    }

    /// Starts a flow by the caller's route.
    pub(crate) async fn start(&self, caller: &Caller, provider: ProviderId) -> StartedFlow {
        let request = StartFlowRequest {
            provider_id: provider,
            redirect_uri: Some(CALLERS_PAGE.to_owned()),
            state: None,
            skip_consent: None,
            return_to: None,
        };
        self.app.start_flow.run(caller, request).await.unwrap()
    }

    /// Brings a code back for a flow.
    pub(crate) async fn complete(
        &self,
        caller: &Caller,
        provider: ProviderId,
        state: &Secret,
        code: &str,
    ) -> Result<CompletedFlow, CompleteFlowError> {
        self.app.complete_flow.for_caller(caller, callback(provider, state, code)).await
    }

    /// A whole flow: that person at the provider authorizes the caller.
    pub(crate) async fn connect(
        &self,
        caller: &Caller,
        provider: ProviderId,
        person: &str,
    ) -> AuthorizationId {
        let started = self.start(caller, provider).await;
        let number = u32::try_from(self.provider.read(|state| state.redeemed.len())).unwrap();
        let code = ScriptedProvider::code(person, number);
        let completed = self.complete(caller, provider, &started.state, &code).await.unwrap();
        completed.authorization.authorization.id
    }

    /// A provider with a device flow, and one that the member has begun there.
    pub(crate) async fn at_a_device(&self) -> (ProviderId, BegunDeviceFlow) {
        let new = NewProvider { device_flow: true, ..new_provider("GitLab") };
        let provider = self.app.register_provider.run(&self.admin, new).await.unwrap().provider.id;
        (provider, self.begin_device(provider).await)
    }

    pub(crate) async fn begin_device(&self, provider: ProviderId) -> BegunDeviceFlow {
        let begun = self.app.begin_device_flow.run(&self.member, provider).await;
        begun.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The member polls.
    pub(crate) async fn poll(&self, provider: ProviderId, begun: &BegunDeviceFlow) -> DeviceFlowStatus {
        self.app.poll_device_flow.run(&self.member, provider, &begun.handle).await.unwrap()
    }

    /// The member polls, by that process and in a task of its own.
    pub(crate) fn spawn_poll(
        &self,
        app: &UseCases,
        provider: ProviderId,
        begun: &BegunDeviceFlow,
    ) -> JoinHandle<Result<DeviceFlowStatus, PollDeviceFlowError>> {
        let (poll, member, handle) = (app.poll_device_flow.clone(), self.member.clone(), copy(&begun.handle));
        tokio::spawn(async move { poll.run(&member, provider, &handle).await })
    }

    /// A provider, and the member's authorization at it.
    pub(crate) async fn connected(&self) -> (ProviderId, AuthorizationId) {
        let provider = self.register("GitLab").await.id;
        let id = self.connect(&self.member, provider, "mo").await;
        (provider, id)
    }

    pub(crate) async fn lend(&self, id: AuthorizationId) -> Result<LentToken, LendError> {
        self.app.lend_access_token.run(&self.member, id, Duration::ZERO).await
    }

    /// The member asks in a task of its own; the text of the token.
    pub(crate) fn spawn_lend(&self, id: AuthorizationId) -> JoinHandle<Result<String, LendError>> {
        let (lend, member) = (self.app.lend_access_token.clone(), self.member.clone());
        tokio::spawn(async move {
            let lent = lend.run(&member, id, Duration::ZERO).await?;
            Ok(lent.access_token.expose().to_owned())
        })
    }

    /// The text of a lent token.
    pub(crate) async fn token(&self, id: AuthorizationId) -> String {
        self.lend(id).await.unwrap_or_else(|error| panic!("{error}")).access_token.expose().to_owned()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets time pass, step by step and everybody in turn, until that is done.
    pub(crate) async fn while_time_passes<T>(&self, step: Duration, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::task::yield_now() => self.clock.advance(step),
            }
        }
    }

    /// The row as it is.
    pub(crate) async fn stored(&self, id: AuthorizationId) -> Authorization {
        self.store.authorization(self.organization.id, id).await.unwrap().expect("it is there").0
    }

    pub(crate) async fn stored_provider(&self, id: ProviderId) -> Option<Provider> {
        self.store.provider(self.organization.id, id).await.unwrap()
    }

    pub(crate) async fn commit(&self, changes: Vec<Change>) {
        self.store.commit(changes).await.unwrap();
    }

    /// The refresh token in the row, opened.
    pub(crate) async fn stored_refresh_token(&self, id: AuthorizationId) -> Option<String> {
        let row = self.stored(id).await;
        let sealed = row.refresh_token.as_ref()?;
        Some(self.sealer.open(row.refresh_token_place(), sealed).await.unwrap().expose().to_owned())
    }

    /// The access token in the row, opened.
    pub(crate) async fn stored_access_token(&self, id: AuthorizationId) -> String {
        let row = self.stored(id).await;
        self.sealer.open(row.access_token_place(), &row.access_token).await.unwrap().expose().to_owned()
    }

    /// The audit entries about that, oldest first.
    pub(crate) async fn audited(&self, action: AuditAction) -> Vec<AuditEntry> {
        let mut entries = self.store.newest_entries(self.organization.id, 10_000).await.unwrap();
        entries.retain(|entry| entry.action == action);
        entries.reverse();
        entries
    }

    pub(crate) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}

fn settings(holder: &str) -> Settings {
    Settings {
        public_url: PUBLIC_URL.to_owned(),
        tokens: TokenSettings::default(),
        // What was handed out is in the log when the caller has it: tests read it right after.
        hand_out_record: HandOutRecord::BeforeRelease,
        asks_people: true,
        link_wait: Duration::from_secs(300),
        login: LoginSettings::default(),
        holder: holder.to_owned(),
    }
}

pub(crate) fn new_provider(name: &str) -> NewProvider {
    NewProvider {
        kind: ProviderKind::Oidc,
        name: name.to_owned(),
        client_id: "client".to_owned(),
        client_secret: Secret::new("client secret".to_owned()),
        slug: None,
        host: Some("https://provider.example".to_owned()),
        scopes: None,
        device_flow: false,
        app_slug: None,
        git_hosts: GitHosts::default(),
        skip_consent: None,
        keep_alive: None,
    }
}

pub(crate) fn caller(account: &Account) -> Caller {
    Caller {
        account_id: account.id,
        organization_id: account.organization_id,
        role: account.role,
        token_id: entities::api_token(account).id,
        purpose: TokenPurpose::Api,
        request_id: Some("request".to_owned()),
    }
}

/// A callback with a code, from the issuer that the provider is.
pub(crate) fn callback(provider: ProviderId, state: &Secret, code: &str) -> Callback {
    Callback {
        provider_id: provider,
        state: copy(state),
        answer: Ok(Secret::new(code.to_owned())),
        iss: Some("https://provider.example".to_owned()),
    }
}

pub(crate) fn copy(secret: &Secret) -> Secret {
    Secret::new(secret.expose().to_owned())
}

/// Somebody else of the same organization.
pub(crate) fn as_account(caller: &Caller, account_id: AccountId) -> Caller {
    Caller { account_id, ..caller.clone() }
}
