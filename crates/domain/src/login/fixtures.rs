//! What the tests of logins and links stand on: an installation over the store in memory, and a provider that does as it is told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use url::Url;

use super::*;
use crate::accounts::{Account, AccountStore as _, ApiToken, ApiTokenStore as _, IssuedToken};
use crate::audit::{AuditAction, AuditLog as _, AuditOutcome};
use crate::authorizations::{Callback, Scopes, UserInfo};
use crate::fixtures::{
    CountingRandom, LabelSealer, VirtualClock, new_tokens, organization, provider, unavailable,
};
use crate::ids::LoginId;
use crate::memory::MemoryStore;
use crate::providers::{
    AuthorizationRequest, AuthorizeDevices, CheckAudience, CodeExchange, DeviceAnswer, DeviceAuthorization,
    ExpectedUser, IdentifyUser, Identity, Installation as AppInstallation, ListInstallations, Provider,
    ProviderClient, ProviderClients, ProviderConnection, ProviderEndpoints, ProviderKind, PublicClient,
    RefreshModel, RefreshRequest, RefreshTokens, Registered, Registration, RegistrationError,
    RevocationScope, RevokeTokens, TokenAudience, TokenSet, TokenToRevoke, UpstreamError, ValidateTokens,
};
use crate::revocations::{Revocation, RevocationQueue as _};
use crate::services::Clock;
use crate::tokens::{HandOutRecord, TokenSettings};
use crate::{
    BackgroundTasks, Change, CommitError, MockUnitOfWork, Ports, Secret, Settings, UnitOfWork, UseCases,
};

/// A provider. A code or a token is the name of the person who comes with it.
pub(crate) struct Idp {
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
}

/// What the provider is to do, and what it has seen.
#[derive(Default)]
pub(crate) struct Script {
    /// Those who are not simply called as their code is, with an address that is verified.
    pub(crate) people: HashMap<&'static str, Identity>,
    /// What it says of a code or a token in the place of tokens or a profile.
    pub(crate) refuses: HashMap<&'static str, UpstreamError>,
    /// Why its ID tokens do not hold.
    pub(crate) distrust: Option<UpstreamError>,
    /// How long it takes for whatever it is asked.
    pub(crate) takes: Duration,
    /// What it answers to the polls of a device, one after the other; then that nobody has decided.
    pub(crate) decisions: VecDeque<Decision>,
    /// How long its device codes live, where that is not a quarter of an hour.
    pub(crate) codes_live: Option<Duration>,
    /// How it fails to begin a device flow.
    pub(crate) begins_not: Option<UpstreamError>,
    /// Whether it has no device flow.
    pub(crate) has_no_devices: bool,
    /// What it says about whose token one is; `None`: it has no way to tell.
    pub(crate) audience: Option<Result<TokenAudience, UpstreamError>>,
    /// What its revocations take away; `None`: it has none.
    pub(crate) revokes: Option<RevocationScope>,
    /// What its page was asked for.
    pub(crate) asked: Vec<Asked>,
    /// The codes that came.
    pub(crate) redeemed: Vec<Redeemed>,
    /// When devices polled.
    pub(crate) polled: Vec<DateTime<Utc>>,
    /// How often it was asked who somebody is.
    pub(crate) identified: usize,
    /// How long it takes for whatever it is asked with these tokens.
    pub(crate) slow: HashMap<&'static str, Duration>,
    /// Whether it can tell that a token is good.
    pub(crate) validates: bool,
    /// The tokens that it was asked about.
    pub(crate) validated: Vec<String>,
    /// Whose token it gives for refresh tokens, one after the other, and then none just now; `None`: it has no such thing.
    pub(crate) refreshes: Option<VecDeque<Result<&'static str, UpstreamError>>>,
    /// How often a refresh token came.
    pub(crate) refreshed: usize,
    /// How its revocations end, one after the other; then well.
    pub(crate) revocations: VecDeque<Result<(), UpstreamError>>,
    /// The access tokens that it was to revoke.
    pub(crate) revoked: Vec<String>,
    /// Where apps are installed; `None`: it has no such thing.
    pub(crate) installs: Option<Result<Vec<AppInstallation>, UpstreamError>>,
}

/// What the provider's page was asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) state: String,
    pub(crate) challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Scopes,
    pub(crate) offline_access: bool,
}

/// What came to be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redeemed {
    pub(crate) code: String,
    pub(crate) redirect_uri: String,
    pub(crate) verifier: Option<String>,
    pub(crate) nonce: Option<String>,
}

/// What the person of a device has decided.
#[derive(Clone)]
pub(crate) enum Decision {
    Pending,
    SlowDown,
    Denied,
    Expired,
    Granted(&'static str),
    Fails(UpstreamError),
}

/// A bad moment of a provider.
pub(crate) fn bad_moment() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connection_failed", retry_after: None }
}

/// Somebody of that id at the provider.
pub(crate) fn identity(subject: &str, login: &str, email: &str, email_verified: Option<bool>) -> Identity {
    let user = UserInfo {
        sub: subject.to_owned(),
        nick_name: Some(login.to_owned()),
        email: Some(email.to_owned()),
        email_verified,
        ..UserInfo::default()
    };
    Identity { issuer: "https://provider.example".to_owned(), subject: subject.to_owned(), user }
}

/// Tokens of that person.
pub(crate) fn tokens_of(name: &str) -> TokenSet {
    TokenSet { access_token: Secret::new(name.to_owned()), ..new_tokens() }
}

impl Idp {
    fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, script: Mutex::default() })
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// From now on this person has that id, and so on.
    pub(crate) fn knows(&self, name: &'static str, identity: Identity) {
        self.script().people.insert(name, identity);
    }

    async fn take_time(&self) {
        let takes = self.script().takes;
        if !takes.is_zero() {
            self.clock.sleep(takes).await;
        }
    }

    async fn take_time_over(&self, token: &Secret) {
        let takes = self.script().slow.get(token.expose()).copied();
        if let Some(takes) = takes {
            self.clock.sleep(takes).await;
        }
    }

    fn refusal(&self, presented: &Secret) -> Result<(), UpstreamError> {
        self.script().refuses.get(presented.expose()).cloned().map_or(Ok(()), Err)
    }
}

struct Clients(Arc<Idp>);

impl ProviderClients for Clients {
    fn client(&self, _: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        Some(Arc::new(IdpClient(Arc::clone(&self.0))))
    }
}

/// Everything that the provider can do.
struct IdpClient(Arc<Idp>);

#[async_trait]
impl ProviderClient for IdpClient {
    async fn register(&self, _: &Registration) -> Result<Registered, RegistrationError> {
        unreachable!("it is registered")
    }

    fn check_scopes(
        &self,
        _: &ProviderEndpoints,
        _: Option<&str>,
        _: &Scopes,
    ) -> Result<(), RegistrationError> {
        Ok(())
    }

    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url {
        let asked = Asked {
            state: request.state.expose().to_owned(),
            challenge: request.code_challenge.clone(),
            nonce: request.nonce.clone(),
            redirect_uri: request.redirect_uri.clone(),
            scopes: request.scopes.clone(),
            offline_access: request.offline_access,
        };
        let mut url = client.endpoints.authorization.clone();
        url.query_pairs_mut().append_pair("state", &asked.state);
        self.0.script().asked.push(asked);
        url
    }

    async fn exchange_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        assert_eq!(connection.client_secret.expose(), "client secret");
        let text = |secret: &Secret| secret.expose().to_owned();
        self.0.script().redeemed.push(Redeemed {
            code: text(&exchange.code),
            redirect_uri: exchange.redirect_uri.clone(),
            verifier: exchange.pkce_verifier.as_ref().map(text),
            nonce: exchange.nonce.as_ref().map(text),
        });
        self.0.take_time().await;
        self.0.refusal(&exchange.code)?;
        let distrust = self.0.script().distrust.clone();
        Ok(TokenSet { distrust, ..tokens_of(exchange.code.expose()) })
    }

    fn identify(&self, _: &Scopes) -> Arc<dyn IdentifyUser> {
        Arc::new(Self(Arc::clone(&self.0)))
    }

    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>> {
        let refreshes = self.0.script().refreshes.is_some();
        refreshes.then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn RefreshTokens>)
    }

    fn refresh_model(&self, _: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Reusable
    }

    fn idle_limit(&self, _: &ProviderEndpoints) -> Option<Duration> {
        None
    }

    fn revoke(&self, _: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        let scope = self.0.script().revokes;
        scope.map(|scope| Arc::new(Revokes(Arc::clone(&self.0), scope)) as Arc<dyn RevokeTokens>)
    }

    fn validate(&self, _: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        let validates = self.0.script().validates;
        validates.then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn ValidateTokens>)
    }

    fn audience(&self, _: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        let tells = self.0.script().audience.is_some();
        tells.then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn CheckAudience>)
    }

    fn device(&self, _: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        let has_devices = !self.0.script().has_no_devices;
        has_devices.then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn AuthorizeDevices>)
    }

    fn installations(&self, _: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>> {
        let has_apps = self.0.script().installs.is_some();
        has_apps.then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn ListInstallations>)
    }
}

#[async_trait]
impl ValidateTokens for IdpClient {
    async fn validate_token(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<(), UpstreamError> {
        assert_eq!(connection.client_secret.expose(), "client secret");
        self.0.script().validated.push(access_token.expose().to_owned());
        self.0.take_time_over(access_token).await;
        self.0.refusal(access_token)
    }
}

#[async_trait]
impl RefreshTokens for IdpClient {
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        _: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        self.0.script().refreshed += 1;
        self.0.take_time().await;
        let answer = self.0.script().refreshes.as_mut().and_then(VecDeque::pop_front);
        answer.unwrap_or_else(|| Err(bad_moment())).map(tokens_of)
    }
}

#[async_trait]
impl ListInstallations for IdpClient {
    fn install_page(&self, endpoints: &ProviderEndpoints, app_slug: &str) -> Option<Url> {
        endpoints.authorization.join(&format!("/apps/{app_slug}")).ok()
    }

    async fn installations(
        &self,
        _: &ProviderConnection,
        _: &Secret,
    ) -> Result<Vec<AppInstallation>, UpstreamError> {
        self.0.take_time().await;
        self.0.script().installs.clone().expect("it has apps")
    }
}

#[async_trait]
impl IdentifyUser for IdpClient {
    async fn identify_user<'a>(
        &self,
        _: &ProviderConnection,
        access_token: &Secret,
        _: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let name = access_token.expose();
        self.0.take_time_over(access_token).await;
        self.0.refusal(access_token)?;
        let mut script = self.0.script();
        script.identified += 1;
        let known = script.people.get(name).cloned();
        Ok(known.unwrap_or_else(|| identity(name, name, &format!("{name}@example.com"), Some(true))))
    }
}

#[async_trait]
impl CheckAudience for IdpClient {
    async fn check_audience(
        &self,
        connection: &ProviderConnection,
        _: &Secret,
    ) -> Result<TokenAudience, UpstreamError> {
        assert_eq!(connection.client_secret.expose(), "client secret");
        self.0.take_time().await;
        self.0.script().audience.clone().expect("it can tell")
    }
}

#[async_trait]
impl AuthorizeDevices for IdpClient {
    async fn begin_device(
        &self,
        _: &ProviderConnection,
        _: &Scopes,
    ) -> Result<DeviceAuthorization, UpstreamError> {
        self.0.take_time().await;
        if let Some(error) = self.0.script().begins_not.clone() {
            return Err(error);
        }
        Ok(DeviceAuthorization {
            device_code: Secret::new("device code".to_owned()),
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: Url::parse("https://provider.example/device").unwrap(),
            verification_uri_complete: None,
            expires_in: self.0.script().codes_live.unwrap_or(Duration::from_secs(900)),
            interval: Duration::from_secs(5),
        })
    }

    async fn poll_device(
        &self,
        _: &ProviderConnection,
        device_code: &Secret,
        _: &Scopes,
    ) -> Result<DeviceAnswer, UpstreamError> {
        assert_eq!(device_code.expose(), "device code");
        self.0.script().polled.push(self.0.clock.now());
        self.0.take_time().await;
        let decision = self.0.script().decisions.pop_front();
        match decision.unwrap_or(Decision::Pending) {
            Decision::Pending => Ok(DeviceAnswer::Pending),
            Decision::SlowDown => Ok(DeviceAnswer::SlowDown { interval: None }),
            Decision::Denied => Ok(DeviceAnswer::Denied),
            Decision::Expired => Ok(DeviceAnswer::Expired),
            Decision::Granted(name) => Ok(DeviceAnswer::Granted(Box::new(tokens_of(name)))),
            Decision::Fails(error) => Err(error),
        }
    }
}

struct Revokes(Arc<Idp>, RevocationScope);

#[async_trait]
impl RevokeTokens for Revokes {
    fn scope(&self) -> RevocationScope {
        self.1
    }

    async fn revoke_token(
        &self,
        _: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError> {
        let access_token = tokens.access_token.as_ref().map(|token| token.expose().to_owned());
        self.0.script().revoked.extend(access_token);
        self.0.take_time().await;
        self.0.script().revocations.pop_front().unwrap_or(Ok(()))
    }
}

/// One login provider, `github`, where everybody gets an account; people are asked on our page, devices may come too.
pub(crate) fn settings() -> LoginSettings {
    LoginSettings {
        providers: vec![LoginProviderSettings {
            name: "github".to_owned(),
            organization: organization().name.as_str().to_owned(),
            provider: provider().id.to_string(),
            scopes: None,
            new_accounts: NewAccounts::Anyone,
            foreign_tokens: false,
        }],
        device_provider: Some("github".to_owned()),
        token_lifetime: Duration::from_secs(90 * 24 * 3600),
        redirects: LoginRedirects::new(vec![RedirectOrigin::parse("https://golem.cloud").unwrap()]),
        asks_people: true,
    }
}

/// An installation with one organization and one provider, and no accounts.
pub(crate) struct Installation {
    pub(crate) cases: UseCases,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) idp: Arc<Idp>,
    pub(crate) clock: Arc<dyn Clock>,
    ports: Ports,
}

impl Installation {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One whose configuration says something else.
    pub(crate) async fn with(change: impl FnOnce(&mut LoginSettings)) -> Self {
        let store = Arc::new(MemoryStore::new());
        let provider = Provider { device_flow: true, ..provider() };
        store.commit(vec![Change::insert(organization()), Change::insert(provider)]).await.unwrap();
        let clock = VirtualClock::start();
        let idp = Idp::new(Arc::clone(&clock));
        let ports = Ports {
            store: store.clone(),
            clients: Arc::new(Clients(Arc::clone(&idp))),
            sealer: LabelSealer::shared(),
            clock: Arc::clone(&clock),
            random: CountingRandom::shared(),
            tasks: BackgroundTasks::on_current_runtime(),
        };
        let cases = over(&ports, change);
        Self { cases, store, idp, clock, ports }
    }

    /// Another process of the same installation, with another configuration perhaps.
    pub(crate) fn other_process(&self, change: impl FnOnce(&mut LoginSettings)) -> Self {
        Self {
            cases: over(&self.ports, change),
            store: Arc::clone(&self.store),
            idp: Arc::clone(&self.idp),
            clock: Arc::clone(&self.clock),
            ports: self.ports.clone(),
        }
    }

    pub(crate) async fn sleep(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// A client has started a login.
    pub(crate) async fn start(&self) -> StartedWebLogin {
        let request = WebLoginRequest { provider: "github".to_owned(), ..WebLoginRequest::default() };
        self.cases.start_web_login.for_client(request).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn poll(&self, started: &StartedWebLogin) -> Result<LoginPoll, LoginError> {
        self.cases.poll_login.run(&started.state, Some("poll")).await
    }

    /// How a login stands for its client, in a word.
    pub(crate) async fn told(&self, started: &StartedWebLogin) -> String {
        told(&self.poll(started).await)
    }

    /// The token of a login that is granted.
    pub(crate) async fn token(&self, started: &StartedWebLogin) -> IssuedToken {
        issued(self.poll(started).await)
    }

    /// Somebody goes all the way on the web.
    pub(crate) async fn sign_in(&self, name: &str) -> IssuedToken {
        let started = self.start().await;
        self.approve(&started, name).await;
        self.token(&started).await
    }

    /// Somebody comes back from the provider with a login, and says yes.
    pub(crate) async fn approve(&self, started: &StartedWebLogin, name: &str) -> LoginId {
        let mut browser = Browser::default();
        let id = browser.back(self, with_code(&started.url, name)).await.expect("a login");
        browser.says(self, id, true).await.expect("an answer");
        id
    }

    /// Whether a token opens anything.
    pub(crate) async fn opens(&self, issued: &IssuedToken) -> bool {
        self.cases.authenticate.run(issued.secret.expose(), None).await.is_ok()
    }

    pub(crate) async fn stored(&self, id: LoginId) -> Login {
        self.store.login(id).await.unwrap().expect("a login")
    }

    /// The one login that there is.
    pub(crate) async fn only_login(&self) -> Login {
        let started = self.idp.script().asked[0].state.clone();
        let hash = crate::secret::SecretHash::of(&started);
        self.store.login_by_state(provider().id, &hash).await.unwrap().expect("a login")
    }

    pub(crate) async fn accounts(&self) -> Vec<Account> {
        self.store.accounts_in(organization().id).await.unwrap()
    }

    /// The tokens of all accounts that are good.
    pub(crate) async fn good_tokens(&self) -> Vec<ApiToken> {
        let mut good = Vec::new();
        for account in self.accounts().await {
            good.extend(self.store.tokens_of(account.id).await.unwrap());
        }
        good.retain(|token| token.is_usable(self.clock.now()));
        good
    }

    pub(crate) async fn revocations(&self) -> Vec<Revocation> {
        self.store.revocations_of(provider().id).await.unwrap()
    }

    /// How often and how these ended, oldest first.
    pub(crate) async fn has_audited_nothing(&self) -> bool {
        self.store.newest_entries(organization().id, 1).await.unwrap().is_empty()
    }

    pub(crate) async fn audited(&self, action: AuditAction) -> Vec<(AuditOutcome, Option<String>)> {
        let mut entries = self.store.newest_entries(organization().id, 1000).await.unwrap();
        entries.retain(|entry| entry.action == action);
        entries.into_iter().rev().map(|entry| (entry.outcome, entry.reason)).collect()
    }

    /// The store, which answers a commit with this error where there is one; commits are counted from 0.
    pub(crate) fn store_that(
        &self,
        fails: impl Fn(usize) -> Option<CommitError> + Send + 'static,
    ) -> Arc<dyn UnitOfWork> {
        let (store, mut count) = (Arc::clone(&self.store), 0);
        let mut unit = MockUnitOfWork::new();
        unit.expect_commit().returning(move |changes| {
            count += 1;
            match fails(count - 1) {
                Some(error) => Err(error),
                None => store.commit(changes).now_or_never().expect("memory is at hand"),
            }
        });
        Arc::new(unit)
    }

    /// The store, which is away at the commits of these numbers.
    pub(crate) fn store_away_at(&self, commits: &'static [usize]) -> Arc<dyn UnitOfWork> {
        self.store_that(|commit| commits.contains(&commit).then(|| unavailable().into()))
    }

    /// Reads of logins, counted from 0, of which some fail and some see nothing of identities yet.
    pub(crate) fn logins_that(
        &self,
        fails: impl Fn(usize) -> bool + Send + Sync + 'static,
        sees_identity: impl Fn(usize) -> bool + Send + Sync + 'static,
    ) -> Arc<MockLoginStore> {
        let mut logins = MockLoginStore::new();
        let (store, mut count) = (Arc::clone(&self.store), 0);
        logins.expect_login_by_handle().returning(move |handle| {
            count += 1;
            if fails(count - 1) {
                return Err(unavailable());
            }
            store.login_by_handle(handle).now_or_never().expect("memory is at hand")
        });
        let store = Arc::clone(&self.store);
        logins.expect_login().returning(move |id| store.login(id).now_or_never().expect("memory is at hand"));
        let (store, mut count) = (Arc::clone(&self.store), 0);
        logins.expect_identified().returning(move |organization, issuer, subject| {
            count += 1;
            if !sees_identity(count - 1) {
                return Ok(None);
            }
            store.identified(organization, issuer, subject).now_or_never().expect("memory is at hand")
        });
        Arc::new(logins)
    }

    /// What lets people in, where the first look finds nobody: somebody else is letting the same person in just now.
    pub(crate) fn admitting_too_late(&self) -> Arc<AdmitPerson> {
        Arc::new(AdmitPerson {
            logins: self.logins_that(|_| false, |look| look > 0),
            accounts: self.ports.store.clone(),
            clock: self.ports.clock.clone(),
            random: self.ports.random.clone(),
        })
    }

    /// What makes tokens, over another store.
    pub(crate) fn releasing_over(&self, store: Arc<dyn UnitOfWork>) -> Arc<ReleaseToken> {
        Arc::new(ReleaseToken {
            logins: self.ports.store.clone(),
            accounts: self.ports.store.clone(),
            tokens: self.ports.store.clone(),
            store,
            clock: self.ports.clock.clone(),
            random: self.ports.random.clone(),
            lifetime: self.cases.login_providers.settings.token_lifetime,
        })
    }

    /// What decides about outcomes, over another store.
    pub(crate) fn deciding_over(
        &self,
        store: Arc<dyn UnitOfWork>,
        admit: Option<Arc<AdmitPerson>>,
    ) -> Arc<LoginOutcomes> {
        let known = &self.cases.confirm_login.outcomes;
        Arc::new(LoginOutcomes {
            providers: Arc::clone(&known.providers),
            logins: self.ports.store.clone(),
            admit: admit.unwrap_or_else(|| Arc::clone(&known.admit)),
            grants: Arc::clone(&known.grants),
            store,
            clock: self.ports.clock.clone(),
            random: self.ports.random.clone(),
        })
    }

    /// Replaces a row.
    pub(crate) async fn update(&self, row: impl Into<crate::Row>) {
        self.store.commit(vec![Change::update(row)]).await.unwrap();
    }
}

fn over(ports: &Ports, change: impl FnOnce(&mut LoginSettings)) -> UseCases {
    let mut login = settings();
    change(&mut login);
    let settings = Settings {
        public_url: "https://broker.example".to_owned(),
        tokens: TokenSettings::default(),
        hand_out_record: HandOutRecord::BeforeRelease,
        asks_people: true,
        link_wait: Duration::from_secs(30),
        login,
        holder: "test".to_owned(),
    };
    UseCases::over(ports, &settings)
}

/// The provider sends the browser back with that person's code.
pub(crate) fn with_code(url: &Url, name: &str) -> Callback {
    answered(url, Ok(Secret::new(name.to_owned())))
}

/// The provider sends the browser back without one.
pub(crate) fn with_error(url: &Url, error: &str) -> Callback {
    answered(url, Err(error.to_owned()))
}

fn answered(url: &Url, answer: Result<Secret, String>) -> Callback {
    let (_, state) = url.query_pairs().next().expect("a state");
    Callback { provider_id: provider().id, state: Secret::new(state.into_owned()), answer, iss: None }
}

/// A browser, with the login cookies that it has.
#[derive(Default)]
pub(crate) struct Browser(pub(crate) Vec<Secret>);

impl Browser {
    /// It comes back from the provider.
    pub(crate) async fn back(
        &mut self,
        at: &Installation,
        callback: Callback,
    ) -> Result<LoginId, LoginError> {
        let returned = at.cases.complete_web_login.run(callback, &self.0).await?;
        Ok(self.keep(returned.ok_or(LoginError::UnknownProvider)?))
    }

    /// It keeps the cookie that it was given.
    pub(crate) fn keep(&mut self, returned: ReturnedLogin) -> LoginId {
        self.0.extend(returned.cookie);
        returned.id
    }

    /// What our page shows it.
    pub(crate) async fn page(&self, at: &Installation, id: LoginId) -> Result<LoginPage, LoginError> {
        at.cases.confirm_login.page(id, &self.0, None, Some("page")).await
    }

    /// What our page shows it, in a word.
    pub(crate) async fn sees(&self, at: &Installation, id: LoginId) -> String {
        shown(&self.page(at, id).await)
    }

    pub(crate) async fn says(&self, at: &Installation, id: LoginId, yes: bool) -> Result<(), LoginError> {
        at.cases.confirm_login.answer(id, &self.0, yes).await
    }
}

/// How signing in failed, in a word.
pub(crate) fn failed(error: &LoginError) -> String {
    match error {
        LoginError::UnknownProvider => "unknown provider".to_owned(),
        LoginError::RedirectNotAllowed => "redirect".to_owned(),
        LoginError::ForeignToken => "foreign token".to_owned(),
        LoginError::Refused { reason } => format!("refused: {reason}"),
        LoginError::NotAllowed { reason } => format!("not allowed: {reason}"),
        LoginError::UnknownState => "unknown".to_owned(),
        LoginError::Unavailable { reason } => format!("unavailable: {reason}"),
        LoginError::Seal(_) => "seal".to_owned(),
        LoginError::Store(_) => "store".to_owned(),
    }
}

/// What a poll tells, in a word.
pub(crate) fn told(polled: &Result<LoginPoll, LoginError>) -> String {
    match polled {
        Ok(LoginPoll::Pending) => "pending".to_owned(),
        Ok(LoginPoll::Token(_)) => "token".to_owned(),
        Err(error) => failed(error),
    }
}

/// The token that a poll brought.
pub(crate) fn issued(polled: Result<LoginPoll, LoginError>) -> IssuedToken {
    match polled {
        Ok(LoginPoll::Token(issued)) => *issued,
        other => panic!("a token, not: {}", told(&other)),
    }
}

/// What a page shows, in a word.
pub(crate) fn shown(page: &Result<LoginPage, LoginError>) -> String {
    match page {
        Ok(LoginPage::Working) => "working".to_owned(),
        Ok(LoginPage::Asks(_)) => "asks".to_owned(),
        Ok(LoginPage::Done { return_to: None }) => "done".to_owned(),
        Ok(LoginPage::Done { return_to: Some(uri) }) => format!("done: {uri}"),
        Ok(LoginPage::SignedIn { next, .. }) => format!("signed in: {next}"),
        Ok(LoginPage::WasSignedIn { next }) => format!("was signed in: {next}"),
        Ok(LoginPage::Ended(end)) => format!("ended, {}", failed(&end.clone().into())),
        Err(error) => failed(error),
    }
}
