//! A provider inside the test: it issues, rotates and revokes tokens, fails as it is told to, and remembers who asked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Scopes, UserInfo};
use grantkeeper_domain::providers::{
    AuthorizationRequest, AuthorizeDevices, CheckAudience, CodeExchange, ExpectedUser, IdentifyUser,
    Identity, Installation, ListInstallations, ProviderClient, ProviderClients, ProviderConnection,
    ProviderEndpoints, ProviderKind, PublicClient, RefreshModel, RefreshRequest, RefreshTokens, Registered,
    Registration, RegistrationError, RevocationScope, RevokeTokens, TokenAudience, TokenSet, TokenToRevoke,
    UpstreamError, ValidateTokens,
};
use tokio::sync::watch;
use url::Url;

use crate::entities;

mod device;

pub use device::{Decision, Device};

/// The issuer of a [`ScriptedProvider`], unless its [`State::endpoints`] are changed.
pub const ISSUER: &str = "https://issuer.example";

/// What a provider can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Redeem a code.
    Exchange,
    /// Tell who the user is.
    Identify,
    /// Refresh.
    Refresh,
    /// Revoke.
    Revoke,
    /// Tell whether an access token is good.
    Validate,
    /// Tell for which client an access token is.
    CheckAudience,
    /// Begin a device flow.
    BeginDevice,
    /// Tell whether the person at a device flow has decided.
    PollDevice,
    /// Tell where apps are installed.
    Installations,
}

/// How the provider behaves, and what it has seen.
#[expect(clippy::struct_excessive_bools, reason = "manners that have nothing to do with each other")]
pub struct State {
    /// What a registration is told. Another host than this issuer is refused.
    pub endpoints: ProviderEndpoints,
    /// Whose the codes are that name nobody.
    pub signed_in: String,
    /// How long its access tokens live.
    pub expires_in: Option<Duration>,
    /// Whether a code brings a refresh token.
    pub gives_refresh_tokens: bool,
    /// Whether an ID token comes with the answer to a code.
    pub gives_id_tokens: bool,
    /// Whether it has a revocation endpoint.
    pub can_revoke: bool,
    /// Whether it tells for which client a token is.
    pub tells_audience: bool,
    /// How long its refresh tokens may lie unused.
    pub idle_limit: Option<Duration>,
    /// How long the codes of its device flows live.
    pub device_expires_in: Duration,
    /// How long it wants between two polls of a device flow.
    pub device_interval: Duration,
    /// Its device flows, oldest first.
    pub devices: Vec<Device>,
    /// Where its app is installed, whoever asks; `None`: it has no apps.
    pub installations: Option<Vec<Installation>>,
    /// Access tokens and whose they are.
    pub access_tokens: HashMap<String, String>,
    /// Those of the access tokens that are not for the client that asks.
    pub foreign_tokens: HashMap<String, TokenAudience>,
    /// Refresh tokens and whose they are.
    pub refresh_tokens: HashMap<String, String>,
    /// What was handed in for revocation.
    pub revoked: Vec<String>,
    /// The nonces of the authorization requests, in their order.
    pub nonces: Vec<Option<String>>,
    /// The codes that were redeemed, each with its PKCE verifier and nonce.
    pub redeemed: Vec<(String, Option<String>, Option<String>)>,
    slow_downs: VecDeque<Option<Duration>>,
    calls: Vec<Call>,
    held: HashSet<Call>,
    next: HashMap<Call, VecDeque<Trouble>>,
    always: HashMap<Call, UpstreamError>,
    issued: u32,
}

enum Trouble {
    Error(UpstreamError),
    Panic,
}

/// A provider of the types `oidc` and `test`, whose tokens are `access-N` and `refresh-N` with N counting up. Clones are
/// the same provider.
///
/// A code of [`Self::code`] is good for one exchange; any other code is the signed-in user's, as often as it comes. It has
/// a device flow where its [`State::endpoints`] say so, and there [`Self::decide`] is the person.
#[derive(Clone)]
pub struct ScriptedProvider(Arc<watch::Sender<State>>);

impl Default for ScriptedProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedProvider {
    /// A provider that grants everything: tokens that live for an hour, for the user `1001`.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State {
            endpoints: ProviderEndpoints {
                device_authorization: None,
                settings_url: None,
                ..entities::endpoints("issuer.example")
            },
            signed_in: "1001".to_owned(),
            expires_in: Some(Duration::from_secs(3600)),
            gives_refresh_tokens: true,
            gives_id_tokens: false,
            can_revoke: true,
            tells_audience: true,
            idle_limit: None,
            device_expires_in: Duration::from_secs(900),
            device_interval: Duration::from_secs(5),
            devices: Vec::new(),
            installations: None,
            access_tokens: HashMap::new(),
            foreign_tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            revoked: Vec::new(),
            nonces: Vec::new(),
            redeemed: Vec::new(),
            slow_downs: VecDeque::new(),
            calls: Vec::new(),
            held: HashSet::new(),
            next: HashMap::new(),
            always: HashMap::new(),
            issued: 0,
        })))
    }

    /// A code for that person; the number makes it another code.
    pub fn code(person: &str, number: u32) -> String {
        format!("code:{person}:{number}")
    }

    /// From now on another user signs in.
    pub fn sign_in(&self, person: &str) {
        self.change(|state| person.clone_into(&mut state.signed_in));
    }

    /// Changes how it behaves, or what it knows.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        self.0.send_modify(change);
    }

    /// Reads what it has seen.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.borrow())
    }

    /// How often it was asked that.
    pub fn calls(&self, call: Call) -> usize {
        self.read(|state| state.count(call))
    }

    /// The next such call fails like this.
    pub fn fail_next(&self, call: Call, error: UpstreamError) {
        self.change(|state| state.next.entry(call).or_default().push_back(Trouble::Error(error)));
    }

    /// The next such call panics.
    pub fn panic_next(&self, call: Call) {
        self.change(|state| state.next.entry(call).or_default().push_back(Trouble::Panic));
    }

    /// Every such call fails like this, until [`recover`](Self::recover).
    pub fn fail(&self, call: Call, error: UpstreamError) {
        self.change(|state| {
            state.always.insert(call, error);
        });
    }

    /// Ends what [`fail`](Self::fail) began.
    pub fn recover(&self, call: Call) {
        self.change(|state| {
            state.always.remove(&call);
        });
    }

    /// Such calls wait, after the provider has done its part, until [`release`](Self::release).
    pub fn hold(&self, call: Call) {
        self.change(|state| {
            state.held.insert(call);
        });
    }

    /// Answers what was held, and all such calls that follow.
    pub fn release(&self, call: Call) {
        self.change(|state| {
            state.held.remove(&call);
        });
    }

    /// Waits until it was asked that so often.
    pub async fn until_called(&self, call: Call, times: usize) {
        self.until(|state| state.count(call) >= times).await;
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) {
        // The sender is a part of `self`, so the channel is open.
        let _ = self.0.subscribe().wait_for(|state| reached(state)).await;
    }

    /// Does the provider's part of a call at once, and lets the answer wait where it is held.
    async fn answer<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut State) -> Result<T, UpstreamError>,
    ) -> Result<T, UpstreamError> {
        let mut answer = None;
        let mut panics = false;
        self.change(|state| {
            state.calls.push(call);
            match state.next.get_mut(&call).and_then(VecDeque::pop_front) {
                Some(Trouble::Panic) => panics = true,
                Some(Trouble::Error(error)) => answer = Some(Err(error)),
                None => {
                    answer = Some(match state.always.get(&call) {
                        Some(error) => Err(error.clone()),
                        None => act(state),
                    });
                }
            }
        });
        assert!(!panics, "the provider client panics, as it was told to");
        self.until(|state| !state.held.contains(&call)).await;
        answer.expect("every way through leaves an answer")
    }
}

impl State {
    fn count(&self, call: Call) -> usize {
        self.calls.iter().filter(|seen| **seen == call).count()
    }

    /// Whose code that is, unless it was good for one exchange and has had it.
    fn redeem(&mut self, exchange: &CodeExchange) -> Option<String> {
        let code = exchange.code.expose();
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let is_fresh = self.redeemed.iter().all(|(used, _, _)| used != code);
        self.redeemed.push((code.to_owned(), text(&exchange.pkce_verifier), text(&exchange.nonce)));
        match code.strip_prefix("code:").and_then(|named| named.split_once(':')) {
            Some((person, _)) => is_fresh.then(|| person.to_owned()),
            None => Some(self.signed_in.clone()),
        }
    }

    /// Whose access token that is.
    fn owner(&self, access_token: &Secret) -> Result<&str, UpstreamError> {
        let owner = self.access_tokens.get(access_token.expose());
        owner.map(String::as_str).ok_or(UpstreamError::TokenRefused)
    }

    /// A pair of tokens for that person.
    fn issue(&mut self, person: &str, refreshable: bool) -> TokenSet {
        self.issued += 1;
        let access = format!("access-{}", self.issued);
        self.access_tokens.insert(access.clone(), person.to_owned());
        let refresh_token = refreshable.then(|| {
            let refresh = format!("refresh-{}", self.issued);
            self.refresh_tokens.insert(refresh.clone(), person.to_owned());
            Secret::new(refresh)
        });
        TokenSet {
            access_token: Secret::new(access),
            expires_in: self.expires_in,
            refresh_token,
            refresh_token_expires_in: None,
            scopes: None,
            identity: None,
            distrust: None,
        }
    }
}

fn identity(connection: &ProviderConnection, person: &str) -> Identity {
    Identity {
        issuer: connection.client.endpoints.issuer.clone(),
        subject: person.to_owned(),
        user: UserInfo {
            sub: person.to_owned(),
            name: Some("Ada Example".to_owned()),
            nick_name: Some("ada".to_owned()),
            email: Some("ada@example.test".to_owned()),
            raw: serde_json::json!({ "sub": person }),
            ..UserInfo::default()
        },
    }
}

fn refused() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

impl ProviderClients for ScriptedProvider {
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        matches!(kind, ProviderKind::Oidc | ProviderKind::Test).then(|| Arc::new(self.clone()) as _)
    }
}

#[async_trait]
impl ProviderClient for ScriptedProvider {
    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        let scopes = registration.scopes.clone().unwrap_or_else(|| Scopes::parse("openid offline_access"));
        let endpoints = self.read(|state| state.endpoints.clone());
        self.check_scopes(&endpoints, registration.app_slug.as_deref(), &scopes)?;
        if registration.host.as_ref().is_some_and(|host| *host != endpoints.issuer) {
            let message = format!("no provider answers there; this one is {}", endpoints.issuer);
            return Err(RegistrationError { field: "host", message });
        }
        Ok(Registered { endpoints, scopes })
    }

    fn check_scopes(
        &self,
        _: &ProviderEndpoints,
        _: Option<&str>,
        scopes: &Scopes,
    ) -> Result<(), RegistrationError> {
        if scopes.contains("openid") {
            return Ok(());
        }
        Err(RegistrationError { field: "scopes", message: "openid is missing".to_owned() })
    }

    /// Remembers the nonce instead of adding it.
    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url {
        self.change(|state| state.nonces.push(request.nonce.clone()));
        let mut url = client.endpoints.authorization.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", &request.redirect_uri)
            .append_pair("scope", &request.scopes.to_wire())
            .append_pair("state", request.state.expose());
        if let Some(challenge) = &request.code_challenge {
            query.append_pair("code_challenge", challenge).append_pair("code_challenge_method", "S256");
        }
        if request.force_consent {
            query.append_pair("prompt", "consent");
        }
        drop(query);
        url
    }

    async fn exchange_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        self.answer(Call::Exchange, |state| {
            let person = state.redeem(exchange).ok_or_else(refused)?;
            Ok(state.grant(connection, &person))
        })
        .await
    }

    fn identify(&self, _: &Scopes) -> Arc<dyn IdentifyUser> {
        Arc::new(self.clone())
    }

    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>> {
        Some(Arc::new(self.clone()))
    }

    fn refresh_model(&self, _: &ProviderEndpoints) -> RefreshModel {
        RefreshModel::Rotating
    }

    fn idle_limit(&self, _: &ProviderEndpoints) -> Option<Duration> {
        self.read(|state| state.idle_limit)
    }

    fn revoke(&self, _: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        self.read(|state| state.can_revoke).then(|| Arc::new(self.clone()) as _)
    }

    fn validate(&self, _: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        Some(Arc::new(self.clone()))
    }

    fn audience(&self, _: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        self.read(|state| state.tells_audience).then(|| Arc::new(self.clone()) as _)
    }

    fn device(&self, endpoints: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        endpoints.device_authorization.as_ref().map(|_| Arc::new(self.clone()) as _)
    }

    fn installations(&self, _: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>> {
        self.read(|state| state.installations.is_some()).then(|| Arc::new(self.clone()) as _)
    }
}

#[async_trait]
impl IdentifyUser for ScriptedProvider {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        self.answer(Call::Identify, |state| {
            let found = identity(connection, state.owner(access_token)?);
            if expected.is_some_and(|expected| expected != found.as_expected()) {
                return Err(UpstreamError::Untrusted { reason: "subject_mismatch" });
            }
            Ok(found)
        })
        .await
    }
}

#[async_trait]
impl RefreshTokens for ScriptedProvider {
    /// Rotates: the old refresh token is dead from here on.
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        request: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        self.answer(Call::Refresh, |state| {
            let known = state.refresh_tokens.remove(request.refresh_token.expose());
            let person = known.ok_or_else(refused)?;
            Ok(state.issue(&person, true))
        })
        .await
    }
}

#[async_trait]
impl RevokeTokens for ScriptedProvider {
    fn scope(&self) -> RevocationScope {
        RevocationScope::Grant
    }

    async fn revoke_token(
        &self,
        _: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError> {
        self.answer(Call::Revoke, |state| {
            for token in [&tokens.refresh_token, &tokens.access_token].into_iter().flatten() {
                state.access_tokens.remove(token.expose());
                state.refresh_tokens.remove(token.expose());
                state.revoked.push(token.expose().to_owned());
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl ValidateTokens for ScriptedProvider {
    async fn validate_token(
        &self,
        _: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<(), UpstreamError> {
        self.answer(Call::Validate, |state| state.owner(access_token).map(|_| ())).await
    }
}

#[async_trait]
impl CheckAudience for ScriptedProvider {
    async fn check_audience(
        &self,
        _: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<TokenAudience, UpstreamError> {
        self.answer(Call::CheckAudience, |state| {
            state.owner(access_token)?;
            let foreign = state.foreign_tokens.get(access_token.expose());
            Ok(foreign.copied().unwrap_or(TokenAudience::Ours))
        })
        .await
    }
}

#[async_trait]
impl ListInstallations for ScriptedProvider {
    fn install_page(&self, endpoints: &ProviderEndpoints, app_slug: &str) -> Option<Url> {
        endpoints.authorization.join(&format!("/apps/{app_slug}")).ok()
    }

    async fn installations(
        &self,
        _: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Vec<Installation>, UpstreamError> {
        self.answer(Call::Installations, |state| {
            state.owner(access_token)?;
            state.installations.clone().ok_or(UpstreamError::NotSupported)
        })
        .await
    }
}
