//! What the unit tests of the use cases stand on: entities with sensible fields, and ports that are too simple to mock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::accounts::{
    Account, ApiToken, Caller, Email, MockAccountStore, Organization, OrganizationName, Role, Standing,
    TokenPurpose,
};
use crate::audit::{AuditAction, AuditEntry, AuditOutcome};
use crate::authorizations::{
    Authorization, DeviceFlow, DeviceStage, Flow, FlowRoute, FlowStage, GrantState, KeepGrant,
    MockAuthorizationStore, RedirectAllowList, Scopes, UserInfo,
};
use crate::ids::{
    AccountId, ApiTokenId, AuditId, AuthorizationId, CredentialId, DeviceFlowId, FlowId, JobId,
    OrganizationId, ProviderId, RevocationId,
};
use crate::jobs::{Job, JobKind, JobStatus};
use crate::providers::{
    ClientAuthentication, GitHosts, Identity, MockProviderCatalog, MockProviderClient, MockProviderClients,
    MockRevokeTokens, PkceSupport, Provider, ProviderClient, ProviderClients, ProviderEndpoints,
    ProviderKind, ProviderStatus, RevocationScope, RevokeTokens, TokenSet, ValidateTokens,
};
use crate::revocations::{MockSharedGrants, ResourceOwner, Revocation, RevocationStatus};
use crate::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};
use crate::secret::SecretHash;
use crate::services::{Clock, Random};
use crate::store::MockUnitOfWork;
use crate::tokens::{HandOutRecord, RecordUses, TokenSettings, UseLog, Uses};
use crate::{BackgroundTasks, Change, CommitError, Secret, StoreError, Version};

/// When everything here was made.
pub(crate) const START: DateTime<Utc> = DateTime::from_timestamp_nanos(1_767_225_600_000_000_000);

/// A token of [`caller`]'s account, by its number.
pub(crate) fn api_token(number: u128, purpose: TokenPurpose) -> ApiToken {
    ApiToken {
        id: ApiTokenId::from_uuid(uuid(number)),
        account_id: caller().account_id,
        organization_id: caller().organization_id,
        hash: hash(number),
        purpose,
        created_at: START,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: Version::FIRST,
    }
}

/// An id by its number, of whatever kind.
pub(crate) const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A hash of nothing in particular.
pub(crate) fn hash(number: u128) -> SecretHash {
    SecretHash::of(&number.to_string())
}

/// Follows tokio's clock, which in a test with `start_paused` jumps to the next timer when nothing else is to be done.
pub(crate) struct VirtualClock {
    start: Instant,
    /// How far the wall clock was set forward.
    ahead: Mutex<TimeDelta>,
}

impl VirtualClock {
    pub(crate) fn start() -> Arc<dyn Clock> {
        Self::adjustable()
    }

    /// A clock whose wall time can be set.
    #[expect(clippy::disallowed_methods, reason = "virtual time is tokio's paused clock")]
    pub(crate) fn adjustable() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), ahead: Mutex::default() })
    }

    /// Sets the wall clock forward or back, while no time passes.
    pub(crate) fn jump(&self, by: TimeDelta) {
        *self.ahead.lock().unwrap() += by;
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.start.elapsed()).expect("a test is short");
        START + elapsed + *self.ahead.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "virtual time is tokio's paused clock")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Bytes that never repeat.
#[derive(Default)]
pub(crate) struct CountingRandom(AtomicU64);

impl CountingRandom {
    pub(crate) fn shared() -> Arc<dyn Random> {
        Arc::new(Self::default())
    }
}

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&number[8 - chunk.len()..]);
        }
    }
}

/// Writes the place in front of the secret, and opens nothing that has another place there. No two seals are alike.
#[derive(Default)]
pub(crate) struct LabelSealer(AtomicU64);

impl LabelSealer {
    pub(crate) fn shared() -> Arc<dyn TokenSealer> {
        Arc::new(Self::default())
    }
}

fn label(place: SecretPlace) -> String {
    format!("{} {} {}|", place.organization_id, place.column.as_str(), place.row)
}

/// A secret in its place, as [`LabelSealer`] seals it.
pub(crate) fn sealed(place: SecretPlace, secret: &str) -> SealedSecret {
    SealedSecret::from_bytes(format!("{}fixture|{secret}", label(place)).into_bytes())
}

/// What [`LabelSealer`] would open.
pub(crate) fn opened(place: SecretPlace, sealed: &SealedSecret) -> Option<String> {
    let text = String::from_utf8(sealed.as_bytes().to_vec()).ok()?;
    let (_, secret) = text.strip_prefix(&label(place))?.split_once('|')?;
    Some(secret.to_owned())
}

#[async_trait]
impl TokenSealer for LabelSealer {
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(SealedSecret::from_bytes(format!("{}{number}|{}", label(place), secret.expose()).into_bytes()))
    }

    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError> {
        opened(place, sealed).map(Secret::new).ok_or(SealError::Tampered)
    }
}

/// Remembers what was committed.
#[derive(Clone, Default)]
pub(crate) struct Commits(Arc<Mutex<Vec<Vec<Change>>>>);

impl Commits {
    /// A store that takes everything.
    pub(crate) fn store(&self) -> Arc<MockUnitOfWork> {
        self.answering(|_| Ok(()))
    }

    /// A store that answers its commits, counted from 0, like this; all of them are remembered, the failed ones too.
    pub(crate) fn answering(
        &self,
        answer: impl Fn(usize) -> Result<(), CommitError> + Send + 'static,
    ) -> Arc<MockUnitOfWork> {
        let commits = self.clone();
        let mut store = MockUnitOfWork::new();
        store.expect_commit().returning(move |changes| {
            let mut all = commits.0.lock().unwrap();
            all.push(changes);
            answer(all.len() - 1)
        });
        Arc::new(store)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The changes of the last commit.
    pub(crate) fn last(&self) -> Vec<Change> {
        self.0.lock().unwrap().last().cloned().expect("something was committed")
    }

    /// The audit entries of the last commit.
    pub(crate) fn last_audited(&self) -> Vec<(AuditAction, AuditOutcome, Option<String>)> {
        let entry = |entry: AuditEntry| (entry.action, entry.outcome, entry.reason);
        self.last()
            .into_iter()
            .filter_map(|change| match change {
                Change::Audit(audit) => Some(entry(audit)),
                _ => None,
            })
            .collect()
    }
}

/// Remembers what reads left behind, page by page, and fails as it is told to.
#[derive(Clone)]
pub(crate) struct UseRecord {
    pages: Arc<Mutex<Vec<Uses>>>,
    failures: Arc<AtomicU64>,
    tasks: BackgroundTasks,
}

impl Default for UseRecord {
    fn default() -> Self {
        Self { pages: Arc::default(), failures: Arc::default(), tasks: BackgroundTasks::on_current_runtime() }
    }
}

impl UseRecord {
    /// Keeps its record here.
    pub(crate) fn kept_by(&self, clock: &Arc<dyn Clock>, promise: HandOutRecord) -> Arc<RecordUses> {
        let log = Arc::new(self.clone());
        RecordUses::new(log, self.tasks.clone(), Arc::clone(clock), CountingRandom::shared(), promise)
    }

    /// The store is away for the next so many pages.
    pub(crate) fn fail(&self, pages: u64) {
        self.failures.store(pages, Ordering::SeqCst);
    }

    /// Where pages are written.
    pub(crate) fn tasks(&self) -> BackgroundTasks {
        self.tasks.clone()
    }

    /// What was written, page by page.
    pub(crate) fn pages(&self) -> Vec<Uses> {
        self.pages.lock().unwrap().clone()
    }

    /// The hand-outs that were written, each as it was written last.
    pub(crate) fn hand_outs(&self) -> Vec<AuditEntry> {
        let mut entries: BTreeMap<AuditId, AuditEntry> = BTreeMap::new();
        for entry in self.pages().into_iter().flat_map(|page| page.hand_outs) {
            if entries.get(&entry.id).is_none_or(|known| known.count < entry.count) {
                entries.insert(entry.id, entry);
            }
        }
        entries.into_values().collect()
    }
}

#[async_trait]
impl UseLog for UseRecord {
    async fn note_uses(&self, uses: &Uses) -> Result<(), StoreError> {
        let one_less = |failures: u64| failures.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            return Err(unavailable());
        }
        self.pages.lock().unwrap().push(uses.clone());
        Ok(())
    }
}

/// A store that is away.
pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable("away".into())
}

/// The one row of a kind in a change.
macro_rules! row {
    ($changes:expr, $change:ident($noun:ident)) => {{
        let rows: Vec<_> = $changes
            .into_iter()
            .filter_map(|change| match change {
                $crate::Change::$change($crate::Row::$noun(row)) => Some(row),
                _ => None,
            })
            .collect();
        let [row] = <[_; 1]>::try_from(rows).expect("one such change");
        row
    }};
}
pub(crate) use row;

/// The clients of an installation with this one, which cannot tell whether a token is good. Its refresh tokens may lie unused as long as they like, unless it has been
/// told otherwise.
pub(crate) fn offering(mut client: MockProviderClient) -> Arc<dyn ProviderClients> {
    client.expect_idle_limit().return_const(None);
    client.expect_validate().returning(|_, _| None::<Arc<dyn ValidateTokens>>);
    let client: Arc<dyn ProviderClient> = Arc::new(client);
    let mut clients = MockProviderClients::new();
    clients.expect_client().returning(move |_| Some(Arc::clone(&client)));
    Arc::new(clients)
}

/// A store with one authorization at its provider.
pub(crate) fn keeping(authorization: Authorization, provider: Provider) -> Arc<MockAuthorizationStore> {
    let (mut store, found) = (MockAuthorizationStore::new(), (authorization, Arc::new(provider)));
    store.expect_authorization().returning(move |_, _| Ok(Some(found.clone())));
    Arc::new(store)
}

/// A store with the provider as it is found by each read in turn; the last one stays.
pub(crate) fn found_in_turn(rows: impl IntoIterator<Item = Option<Provider>>) -> Arc<MockProviderCatalog> {
    let rows = Mutex::new(rows.into_iter().collect::<VecDeque<_>>());
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(move |_, _| {
        let mut rows = rows.lock().unwrap();
        Ok(if rows.len() > 1 { rows.pop_front().flatten() } else { rows[0].clone() })
    });
    Arc::new(catalog)
}

/// A store with this authorization, or none, for whatever identity.
pub(crate) fn known_as(existing: Option<Authorization>) -> Arc<MockAuthorizationStore> {
    let mut store = MockAuthorizationStore::new();
    store.expect_authorization_for_identity().returning(move |_, _, _, _| Ok(existing.clone()));
    Arc::new(store)
}

/// A provider whose revocations take that away; `None`: it has none.
pub(crate) fn revoking(scope: Option<RevocationScope>) -> Arc<dyn ProviderClients> {
    offering(revoking_client(scope))
}

/// The same before it is offered.
pub(crate) fn revoking_client(scope: Option<RevocationScope>) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_revoke().returning(move |_| {
        scope.map(|scope| {
            let mut revoke = MockRevokeTokens::new();
            revoke.expect_scope().return_const(scope);
            Arc::new(revoke) as Arc<dyn RevokeTokens>
        })
    });
    client
}

/// A store in which every account is in use.
pub(crate) fn in_use() -> Arc<MockAccountStore> {
    standing(Some(Standing::Active))
}

/// A store in which every account stands so; `None`: there is none.
pub(crate) fn standing(standing: Option<Standing>) -> Arc<MockAccountStore> {
    let mut store = MockAccountStore::new();
    store
        .expect_account()
        .returning(move |id| Ok(standing.map(|standing| Account { id, standing, ..account() })));
    Arc::new(store)
}

/// Grants by which others live as well, or nobody does.
pub(crate) fn sharing(is_shared: bool) -> Arc<MockSharedGrants> {
    let mut grants = MockSharedGrants::new();
    grants.expect_has_live_authorization().returning(move |_, _| Ok(is_shared));
    Arc::new(grants)
}

/// Keeps grants for identities that nobody has yet, at a provider as the catalog has it.
pub(crate) fn keeping_grants(
    catalog: Arc<MockProviderCatalog>,
    store: Arc<MockUnitOfWork>,
    clock: &Arc<dyn Clock>,
) -> KeepGrant {
    KeepGrant {
        authorizations: known_as(None),
        accounts: in_use(),
        catalog,
        clients: revoking(None),
        sealer: LabelSealer::shared(),
        store,
        clock: Arc::clone(clock),
        random: CountingRandom::shared(),
        settings: TokenSettings::default(),
    }
}

pub(crate) fn caller() -> Caller {
    Caller {
        account_id: AccountId::from_uuid(uuid(2)),
        organization_id: OrganizationId::from_uuid(uuid(1)),
        role: Role::Member,
        token_id: ApiTokenId::from_uuid(uuid(3)),
        purpose: TokenPurpose::Api,
        request_id: Some("request".to_owned()),
    }
}

pub(crate) fn admin() -> Caller {
    Caller { role: Role::Admin, ..caller() }
}

pub(crate) fn account() -> Account {
    Account {
        id: caller().account_id,
        organization_id: caller().organization_id,
        email: Email::parse("ada@example.com").expect("an address"),
        role: caller().role,
        standing: Standing::Active,
        suspended_at: None,
        created_at: START,
        version: Version::FIRST,
    }
}

pub(crate) fn organization() -> Organization {
    Organization {
        id: caller().organization_id,
        name: OrganizationName::parse("Observatory").expect("a name"),
        redirect_uris: RedirectAllowList::default(),
        standing: Standing::Active,
        created_at: START,
        version: Version::FIRST,
    }
}

pub(crate) fn endpoints() -> ProviderEndpoints {
    let at = |path: &str| Url::parse(&format!("https://provider.example/{path}")).expect("a URL");
    ProviderEndpoints {
        issuer: "https://provider.example".to_owned(),
        api: None,
        authorization: at("authorize"),
        token: at("token"),
        userinfo: Some(at("userinfo")),
        revocation: Some(at("revoke")),
        introspection: None,
        jwks: None,
        device_authorization: None,
        announces_iss: false,
        client_authentication: ClientAuthentication::ClientSecretBasic,
        pkce: PkceSupport::S256,
        settings_url: None,
    }
}

pub(crate) fn provider() -> Provider {
    let mut provider = Provider {
        id: ProviderId::from_uuid(uuid(10)),
        organization_id: caller().organization_id,
        slug: None,
        name: "Provider".to_owned(),
        kind: ProviderKind::Oidc,
        status: ProviderStatus::Active,
        client_id: "client".to_owned(),
        client_secret: SealedSecret::from_bytes(Vec::new()),
        credential_id: CredentialId::from_uuid(uuid(11)),
        host: None,
        endpoints: endpoints(),
        scopes: Scopes::parse("openid offline_access"),
        device_flow: false,
        app_slug: None,
        git_hosts: GitHosts::default(),
        skip_consent: None,
        keep_alive: true,
        created_at: START,
        updated_at: START,
        version: Version::FIRST,
    };
    provider.client_secret = sealed(provider.secret_place(), "client secret");
    provider
}

/// A live authorization with a token for an hour, `old access`, and a refresh token, `old refresh`.
pub(crate) fn authorization() -> Authorization {
    let mut authorization = Authorization {
        id: AuthorizationId::from_uuid(uuid(20)),
        organization_id: caller().organization_id,
        account_id: caller().account_id,
        provider_id: provider().id,
        credential_id: CredentialId::from_uuid(uuid(21)),
        issuer: endpoints().issuer,
        subject: "subject".to_owned(),
        user: UserInfo { sub: "subject".to_owned(), ..UserInfo::default() },
        redirect_uri: Some(flow().redirect_uri),
        requested_scopes: provider().scopes,
        granted_scopes: provider().scopes,
        access_token: SealedSecret::from_bytes(Vec::new()),
        issued_at: START,
        expires_at: Some(START + TimeDelta::hours(1)),
        refresh_token: None,
        refresh_token_expires_at: None,
        grant: GrantState::Live,
        grant_since: START,
        lost_refresh: None,
        last_failure: None,
        failing_since: None,
        next_attempt_at: None,
        last_refreshed_at: None,
        created_at: START,
        authorized_at: START,
        used_at: START,
        version: Version::FIRST,
    };
    authorization.access_token = sealed(authorization.access_token_place(), "old access");
    authorization.refresh_token = Some(sealed(authorization.refresh_token_place(), "old refresh"));
    authorization
}

/// The same with a token that has just expired.
pub(crate) fn expired() -> Authorization {
    Authorization { issued_at: START - TimeDelta::hours(1), expires_at: Some(START), ..authorization() }
}

/// New tokens for an hour.
pub(crate) fn new_tokens() -> TokenSet {
    TokenSet {
        access_token: Secret::new("new access".to_owned()),
        expires_in: Some(Duration::from_secs(3600)),
        refresh_token: Some(Secret::new("new refresh".to_owned())),
        refresh_token_expires_in: None,
        scopes: None,
        identity: None,
        distrust: None,
    }
}

pub(crate) fn identity() -> Identity {
    let Authorization { issuer, subject, user, .. } = authorization();
    Identity { issuer, subject, user }
}

/// A flow by the caller's route whose state is `state`; the person is at the provider.
pub(crate) fn flow() -> Flow {
    let id = FlowId::from_uuid(uuid(30));
    let organization_id = caller().organization_id;
    Flow {
        id,
        organization_id,
        account_id: caller().account_id,
        provider_id: provider().id,
        route: FlowRoute::Caller,
        state_hash: Some(SecretHash::of("state")),
        redirect_uri: "http://127.0.0.1/done".to_owned(),
        return_to: None,
        pkce_verifier: Some(sealed(Flow::verifier_place(organization_id, id), "verifier")),
        nonce: sealed(Flow::nonce_place(organization_id, id), "nonce"),
        scopes: provider().scopes,
        force_consent: true,
        endpoints: endpoints().digest(),
        stage: FlowStage::Pending,
        created_at: START,
        expires_at: START + crate::authorizations::FLOW_LIFETIME,
        version: Version::FIRST,
    }
}

/// A device flow whose handle is `handle` and whose device code is `device code`: five seconds between polls, a quarter of
/// an hour in all; the person has not decided.
pub(crate) fn device_flow() -> DeviceFlow {
    let id = DeviceFlowId::from_uuid(uuid(35));
    let organization_id = caller().organization_id;
    let interval = TimeDelta::seconds(5);
    DeviceFlow {
        id,
        organization_id,
        account_id: caller().account_id,
        provider_id: provider().id,
        handle_hash: SecretHash::of("handle"),
        device_code: sealed(DeviceFlow::device_code_place(organization_id, id), "device code"),
        scopes: provider().scopes,
        endpoints: endpoints().digest(),
        interval,
        next_poll_at: START + interval,
        stage: DeviceStage::Pending,
        unattended: false,
        created_at: START,
        expires_at: START + TimeDelta::minutes(15),
        version: Version::FIRST,
    }
}

pub(crate) fn revocation() -> Revocation {
    let authorization = authorization();
    let mut revocation = Revocation {
        id: RevocationId::from_uuid(uuid(40)),
        organization_id: authorization.organization_id,
        provider_id: authorization.provider_id,
        authorization_id: authorization.id,
        account_id: authorization.account_id,
        resource_owner: Some(ResourceOwner {
            issuer: authorization.issuer.clone(),
            subject: authorization.subject.clone(),
        }),
        access_token: None,
        refresh_token: None,
        status: RevocationStatus::Pending,
        settings_url: None,
        last_error: None,
        attempts: 0,
        created_at: START,
        next_attempt_at: START,
        finished_at: None,
        lease: None,
        version: Version::FIRST,
    };
    revocation.access_token = Some(sealed(revocation.access_token_place(), "old access"));
    revocation.refresh_token = Some(sealed(revocation.refresh_token_place(), "old refresh"));
    revocation
}

pub(crate) fn job() -> Job {
    Job {
        id: JobId::from_uuid(uuid(50)),
        organization_id: caller().organization_id,
        requested_by: Some(caller().account_id),
        kind: JobKind::Stats,
        name: "Count".to_owned(),
        status: JobStatus::Pending,
        created_at: START,
        started_at: None,
        finished_at: None,
        details: Vec::new(),
        lease: None,
        version: Version::FIRST,
    }
}
