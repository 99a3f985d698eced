//! A provider without a network, whose answers a test decides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Scopes, UserInfo};
use grantkeeper_domain::providers::{
    AuthorizationRequest, ClientAuthentication, CodeExchange, IdentifyUser, Identity, PkceSupport,
    ProviderClient, ProviderClients, ProviderConnection, ProviderEndpoints, ProviderKind, PublicClient,
    RefreshTokens, Registration, RegistrationError, RevokeTokens, TokenSet, TokenToRevoke, UpstreamError,
};
use tokio::sync::watch;
use url::Url;

/// What a provider can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Redeem a code.
    Exchange,
    /// Refresh.
    Refresh,
    /// Revoke.
    Revoke,
    /// Tell who the user is.
    Identify,
}

/// A provider of the types `oidc` and `test` that grants everything, rotates refresh tokens, and fails as it is told.
/// Its tokens are `access-N` and `refresh-N`, with N counting up.
#[derive(Clone)]
pub struct ScriptedProvider {
    script: Arc<Mutex<Script>>,
    gate: Arc<watch::Sender<bool>>,
}

struct Script {
    failures: HashMap<Call, VecDeque<UpstreamError>>,
    calls: HashMap<Call, usize>,
    issued: usize,
    subject: String,
    expires_in: Option<Duration>,
    can_revoke: bool,
    announces_iss: bool,
}

/// The issuer of every [`ScriptedProvider`].
pub const ISSUER: &str = "https://issuer.example";

impl Default for ScriptedProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedProvider {
    /// A provider that grants everything: tokens that live for an hour, for the user `1001`.
    pub fn new() -> Self {
        let script = Script {
            failures: HashMap::new(),
            calls: HashMap::new(),
            issued: 0,
            subject: "1001".to_owned(),
            expires_in: Some(Duration::from_secs(3600)),
            can_revoke: true,
            announces_iss: true,
        };
        Self { script: Arc::new(Mutex::new(script)), gate: Arc::new(watch::Sender::new(true)) }
    }

    /// The next call of that kind that has no failure yet fails like this.
    pub fn fail_next(&self, call: Call, error: UpstreamError) {
        self.script().failures.entry(call).or_default().push_back(error);
    }

    /// How often it was asked.
    pub fn calls(&self, call: Call) -> usize {
        self.script().calls.get(&call).copied().unwrap_or_default()
    }

    /// From now on another user signs in.
    pub fn sign_in(&self, subject: &str) {
        subject.clone_into(&mut self.script().subject);
    }

    /// How long access tokens live from now on; `None`: the answers do not say.
    pub fn tokens_live(&self, expires_in: Option<Duration>) {
        self.script().expires_in = expires_in;
    }

    /// Whether it can revoke.
    pub fn can_revoke(&self, can: bool) {
        self.script().can_revoke = can;
    }

    /// From now on calls are counted, but not answered until [`Self::answer`].
    pub fn hold(&self) {
        self.gate.send_replace(false);
    }

    /// Answers what was held, and all that follows.
    pub fn answer(&self) {
        self.gate.send_replace(true);
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn called(&self, call: Call) -> Result<(), UpstreamError> {
        *self.script().calls.entry(call).or_default() += 1;
        // The sender is a part of `self`, so the channel cannot be closed meanwhile.
        let _ = self.gate.subscribe().wait_for(|open| *open).await;
        match self.script().failures.get_mut(&call).and_then(VecDeque::pop_front) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn tokens(&self) -> TokenSet {
        let identity = self.identity();
        let mut script = self.script();
        script.issued += 1;
        TokenSet {
            access_token: Secret::new(format!("access-{}", script.issued)),
            expires_in: script.expires_in,
            refresh_token: Some(Secret::new(format!("refresh-{}", script.issued))),
            refresh_token_expires_in: None,
            scopes: None,
            identity: Some(identity),
            distrust: None,
        }
    }

    fn identity(&self) -> Identity {
        let subject = self.script().subject.clone();
        let user = UserInfo {
            sub: subject.clone(),
            name: Some("Ada Example".to_owned()),
            nick_name: Some("ada".to_owned()),
            email: Some("ada@example.test".to_owned()),
            raw: serde_json::json!({ "sub": subject }),
            ..UserInfo::default()
        };
        Identity { issuer: ISSUER.to_owned(), subject, user }
    }
}

fn at_issuer(path: &str) -> Url {
    Url::parse(ISSUER)
        .and_then(|issuer| issuer.join(path))
        .expect("the issuer is a URL, and so is a path behind it")
}

impl ProviderClients for ScriptedProvider {
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        matches!(kind, ProviderKind::Oidc | ProviderKind::Test).then(|| Arc::new(self.clone()) as _)
    }
}

#[async_trait]
impl ProviderClient for ScriptedProvider {
    async fn register(&self, registration: &Registration) -> Result<ProviderEndpoints, RegistrationError> {
        self.check_scopes(&registration.scopes)?;
        if registration.host.as_deref().is_some_and(|host| host != ISSUER) {
            let message = format!("no provider answers there; this one is {ISSUER}");
            return Err(RegistrationError { field: "host", message });
        }
        Ok(ProviderEndpoints {
            issuer: ISSUER.to_owned(),
            authorization: at_issuer("/authorize"),
            token: at_issuer("/token"),
            userinfo: Some(at_issuer("/userinfo")),
            revocation: Some(at_issuer("/revoke")),
            jwks: Some(at_issuer("/jwks")),
            device_authorization: None,
            announces_iss: self.script().announces_iss,
            client_authentication: ClientAuthentication::ClientSecretBasic,
            pkce: PkceSupport::S256,
            settings_url: None,
        })
    }

    fn default_scopes(&self) -> Scopes {
        Scopes::parse("openid offline_access")
    }

    fn check_scopes(&self, scopes: &Scopes) -> Result<(), RegistrationError> {
        if scopes.contains("openid") {
            return Ok(());
        }
        Err(RegistrationError { field: "scopes", message: "openid is missing".to_owned() })
    }

    fn authorization_url(&self, client: &PublicClient, request: &AuthorizationRequest) -> Url {
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
        _: &ProviderConnection,
        _: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        self.called(Call::Exchange).await.map(|()| self.tokens())
    }

    fn identify(&self) -> Arc<dyn IdentifyUser> {
        Arc::new(self.clone())
    }

    fn refresh(&self) -> Option<Arc<dyn RefreshTokens>> {
        Some(Arc::new(self.clone()))
    }

    fn revoke(&self, _: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        self.script().can_revoke.then(|| Arc::new(self.clone()) as _)
    }
}

#[async_trait]
impl RefreshTokens for ScriptedProvider {
    async fn refresh_token(&self, _: &ProviderConnection, _: &Secret) -> Result<TokenSet, UpstreamError> {
        self.called(Call::Refresh).await.map(|()| self.tokens())
    }
}

#[async_trait]
impl RevokeTokens for ScriptedProvider {
    fn scope(&self) -> &'static str {
        "grant"
    }

    async fn revoke_token(&self, _: &ProviderConnection, _: &TokenToRevoke) -> Result<(), UpstreamError> {
        self.called(Call::Revoke).await
    }
}

#[async_trait]
impl IdentifyUser for ScriptedProvider {
    async fn identify_user<'a>(
        &self,
        _: &ProviderConnection,
        _: &Secret,
        expected: Option<&'a str>,
    ) -> Result<Identity, UpstreamError> {
        self.called(Call::Identify).await?;
        let identity = self.identity();
        if expected.is_some_and(|expected| expected != identity.subject) {
            return Err(UpstreamError::Untrusted { reason: "subject_mismatch" });
        }
        Ok(identity)
    }
}
