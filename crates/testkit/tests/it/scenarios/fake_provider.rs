//! A provider inside the test: it issues, rotates and revokes tokens, fails as it is told to, and remembers who asked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Scopes, UserInfo};
use grantkeeper_domain::providers::{
    AuthorizationRequest, CodeExchange, IdentifyUser, Identity, ProviderClient, ProviderClients,
    ProviderConnection, ProviderEndpoints, ProviderKind, PublicClient, RefreshTokens, Registration,
    RegistrationError, RevokeTokens, TokenSet, TokenToRevoke, UpstreamError,
};
use grantkeeper_testkit::entities;
use tokio::sync::watch;
use url::Url;

/// What a provider can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Exchange,
    Identify,
    Refresh,
    Revoke,
}

/// How the provider behaves, and what it has seen.
pub(crate) struct State {
    /// How long its access tokens live.
    pub(crate) expires_in: Option<Duration>,
    /// Whether a code brings a refresh token.
    pub(crate) gives_refresh_tokens: bool,
    /// Whether an ID token comes with the answer to a code.
    pub(crate) gives_id_tokens: bool,
    /// Whether it has a revocation endpoint.
    pub(crate) can_revoke: bool,
    /// Access tokens and whose they are.
    pub(crate) access_tokens: HashMap<String, String>,
    /// Refresh tokens and whose they are.
    pub(crate) refresh_tokens: HashMap<String, String>,
    /// What was handed in for revocation.
    pub(crate) revoked: Vec<String>,
    /// The codes that were redeemed, each with its PKCE verifier and nonce.
    pub(crate) redeemed: Vec<(String, Option<String>, Option<String>)>,
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

/// The provider; clones are the same provider.
#[derive(Clone)]
pub(crate) struct FakeProvider(Arc<watch::Sender<State>>);

impl FakeProvider {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State {
            expires_in: Some(Duration::from_secs(3600)),
            gives_refresh_tokens: true,
            gives_id_tokens: false,
            can_revoke: true,
            access_tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            revoked: Vec::new(),
            redeemed: Vec::new(),
            calls: Vec::new(),
            held: HashSet::new(),
            next: HashMap::new(),
            always: HashMap::new(),
            issued: 0,
        })))
    }

    /// A code for that person; the number makes it another code.
    pub(crate) fn code(person: &str, number: u32) -> String {
        format!("code:{person}:{number}")
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        self.0.send_modify(change);
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.borrow())
    }

    /// How often it was asked that.
    pub(crate) fn calls(&self, call: Call) -> usize {
        self.read(|state| state.count(call))
    }

    /// The next such call fails like this.
    pub(crate) fn fail_next(&self, call: Call, error: UpstreamError) {
        self.change(|state| state.next.entry(call).or_default().push_back(Trouble::Error(error)));
    }

    /// The next such call panics.
    pub(crate) fn panic_next(&self, call: Call) {
        self.change(|state| state.next.entry(call).or_default().push_back(Trouble::Panic));
    }

    /// Every such call fails like this, until [`recover`](Self::recover).
    pub(crate) fn fail(&self, call: Call, error: UpstreamError) {
        self.change(|state| {
            state.always.insert(call, error);
        });
    }

    pub(crate) fn recover(&self, call: Call) {
        self.change(|state| {
            state.always.remove(&call);
        });
    }

    /// Such calls wait, after the provider has done its part, until [`release`](Self::release).
    pub(crate) fn hold(&self, call: Call) {
        self.change(|state| {
            state.held.insert(call);
        });
    }

    pub(crate) fn release(&self, call: Call) {
        self.change(|state| {
            state.held.remove(&call);
        });
    }

    /// Waits until it was asked that so often.
    pub(crate) async fn until_called(&self, call: Call, times: usize) {
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
            name: Some(format!("Name of {person}")),
            ..UserInfo::default()
        },
    }
}

fn refused() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

impl ProviderClients for FakeProvider {
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        (kind == ProviderKind::Oidc).then(|| Arc::new(self.clone()) as Arc<dyn ProviderClient>)
    }
}

#[async_trait]
impl ProviderClient for FakeProvider {
    async fn register(&self, registration: &Registration) -> Result<ProviderEndpoints, RegistrationError> {
        let host = registration.host.as_deref().and_then(|host| Url::parse(host).ok());
        let host = host.as_ref().and_then(Url::host_str).unwrap_or("provider.example");
        Ok(entities::endpoints(host))
    }

    fn default_scopes(&self) -> Scopes {
        Scopes::parse("openid profile")
    }

    fn check_scopes(&self, _: &Scopes) -> Result<(), RegistrationError> {
        Ok(())
    }

    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url {
        let mut url = client.endpoints.authorization.clone();
        url.query_pairs_mut()
            .append_pair("redirect_uri", &request.redirect_uri)
            .append_pair("state", request.state.expose())
            .append_pair("code_challenge", request.code_challenge.as_deref().unwrap_or_default())
            .append_pair("nonce", request.nonce.as_deref().unwrap_or_default());
        url
    }

    async fn exchange_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        self.answer(Call::Exchange, |state| {
            let code = exchange.code.expose();
            let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
            let is_fresh = state.redeemed.iter().all(|(used, _, _)| used != code);
            state.redeemed.push((code.to_owned(), text(&exchange.pkce_verifier), text(&exchange.nonce)));
            let person = code.split(':').nth(1).filter(|_| is_fresh).ok_or_else(refused)?;
            let mut tokens = state.issue(person, state.gives_refresh_tokens);
            tokens.identity = state.gives_id_tokens.then(|| identity(connection, person));
            Ok(tokens)
        })
        .await
    }

    fn identify(&self) -> Arc<dyn IdentifyUser> {
        Arc::new(self.clone())
    }

    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>> {
        Some(Arc::new(self.clone()))
    }

    fn revoke(&self, _: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        self.read(|state| state.can_revoke).then(|| Arc::new(self.clone()) as Arc<dyn RevokeTokens>)
    }
}

#[async_trait]
impl IdentifyUser for FakeProvider {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<&'a str>,
    ) -> Result<Identity, UpstreamError> {
        self.answer(Call::Identify, |state| {
            let person = state.access_tokens.get(access_token.expose()).ok_or(UpstreamError::TokenRefused)?;
            if expected.is_some_and(|expected| expected != person) {
                return Err(UpstreamError::Untrusted { reason: "subject_mismatch" });
            }
            Ok(identity(connection, person))
        })
        .await
    }
}

#[async_trait]
impl RefreshTokens for FakeProvider {
    /// Rotates: the old refresh token is dead from here on.
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        refresh_token: &Secret,
    ) -> Result<TokenSet, UpstreamError> {
        self.answer(Call::Refresh, |state| {
            let person = state.refresh_tokens.remove(refresh_token.expose()).ok_or_else(refused)?;
            Ok(state.issue(&person, true))
        })
        .await
    }
}

#[async_trait]
impl RevokeTokens for FakeProvider {
    fn scope(&self) -> &'static str {
        "grant"
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
