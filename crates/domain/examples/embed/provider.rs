//! A provider inside this process: it checks PKCE, issues and rotates tokens, and revokes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{Scopes, UserInfo};
use grantkeeper_domain::providers::{
    AuthorizationRequest, AuthorizeDevices, CheckAudience, ClientAuthentication, CodeExchange, ExpectedUser,
    IdentifyUser, Identity, ListInstallations, PkceSupport, ProviderClient, ProviderClients,
    ProviderConnection, ProviderEndpoints, ProviderKind, PublicClient, RefreshModel, RefreshRequest,
    RefreshTokens, Registered, Registration, RegistrationError, RevocationScope, RevokeTokens, TokenSet,
    TokenToRevoke, UpstreamError, ValidateTokens,
};
use sha2::{Digest as _, Sha256};
use url::Url;

const PERSON: &str = "ada";

/// The provider and its client in one; clones are the same provider.
#[derive(Clone, Default)]
pub(crate) struct InProcessProvider(Arc<Mutex<Issued>>);

#[derive(Default)]
struct Issued {
    count: u32,
    /// Codes with their PKCE challenges.
    codes: HashMap<String, String>,
    access_tokens: Vec<String>,
    refresh_tokens: Vec<String>,
}

impl Issued {
    fn code(&mut self, challenge: String) -> Secret {
        self.count += 1;
        let code = format!("code-{}", self.count);
        self.codes.insert(code.clone(), challenge);
        Secret::new(code)
    }

    fn tokens(&mut self) -> TokenSet {
        self.count += 1;
        let (access, refresh) = (format!("access-{}", self.count), format!("refresh-{}", self.count));
        self.access_tokens.push(access.clone());
        self.refresh_tokens.push(refresh.clone());
        TokenSet {
            access_token: Secret::new(access),
            expires_in: Some(Duration::from_secs(3600)),
            refresh_token: Some(Secret::new(refresh)),
            refresh_token_expires_in: None,
            scopes: None,
            identity: None,
            distrust: None,
        }
    }
}

impl InProcessProvider {
    /// The person says yes on the provider's page; the code that comes back.
    pub(crate) fn consent(&self, authorization_url: &Url) -> Option<Secret> {
        let (_, challenge) = authorization_url.query_pairs().find(|(name, _)| name == "code_challenge")?;
        Some(self.issued().code(challenge.into_owned()))
    }

    /// How many tokens would still be accepted.
    pub(crate) fn living_tokens(&self) -> usize {
        let issued = self.issued();
        issued.access_tokens.len() + issued.refresh_tokens.len()
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `invalid_grant` is the definite answer: a code or refresh token that is no good (RFC 6749, 5.2).
fn invalid_grant() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

/// Takes a token out of the living ones.
fn take(tokens: &mut Vec<String>, token: &Secret) -> Option<String> {
    let at = tokens.iter().position(|known| known == token.expose())?;
    Some(tokens.swap_remove(at))
}

impl ProviderClients for InProcessProvider {
    fn client(&self, kind: ProviderKind) -> Option<Arc<dyn ProviderClient>> {
        match kind {
            ProviderKind::Oidc => Some(Arc::new(self.clone())),
            _ => None,
        }
    }
}

#[async_trait]
impl ProviderClient for InProcessProvider {
    async fn register(&self, registration: &Registration) -> Result<Registered, RegistrationError> {
        let wrong = |message: &str| RegistrationError { field: "host", message: message.to_owned() };
        let host = registration.host.as_deref().ok_or_else(|| wrong("is required"))?;
        let at = |path: &str| Url::parse(&format!("{host}/{path}")).map_err(|_| wrong("is not a URL"));
        let endpoints = ProviderEndpoints {
            issuer: host.to_owned(),
            api: None,
            authorization: at("authorize")?,
            token: at("token")?,
            userinfo: Some(at("userinfo")?),
            revocation: Some(at("revoke")?),
            introspection: None,
            jwks: None,
            device_authorization: None,
            announces_iss: true,
            client_authentication: ClientAuthentication::ClientSecretBasic,
            pkce: PkceSupport::S256,
            settings_url: None,
        };
        let sensible = || Scopes::parse("openid profile offline_access");
        Ok(Registered { endpoints, scopes: registration.scopes.clone().unwrap_or_else(sensible) })
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
        let mut url = client.endpoints.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", &request.redirect_uri)
            .append_pair("scope", &request.scopes.to_wire())
            .append_pair("state", request.state.expose());
        if let Some(challenge) = &request.code_challenge {
            url.query_pairs_mut()
                .append_pair("code_challenge", challenge)
                .append_pair("code_challenge_method", "S256");
        }
        url
    }

    async fn exchange_code(
        &self,
        _: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        let mut issued = self.issued();
        let challenge = issued.codes.remove(exchange.code.expose()).ok_or_else(invalid_grant)?;
        let verifier = exchange.pkce_verifier.as_ref().ok_or_else(invalid_grant)?;
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes())) != challenge {
            return Err(invalid_grant());
        }
        Ok(issued.tokens())
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
        None
    }

    fn revoke(&self, _: &ProviderEndpoints) -> Option<Arc<dyn RevokeTokens>> {
        Some(Arc::new(self.clone()))
    }

    // What a provider cannot do is `None`, and callers see that: nothing pretends.

    fn validate(&self, _: &ProviderEndpoints, _: &Scopes) -> Option<Arc<dyn ValidateTokens>> {
        None
    }

    fn audience(&self, _: &ProviderEndpoints) -> Option<Arc<dyn CheckAudience>> {
        None
    }

    fn device(&self, _: &ProviderEndpoints) -> Option<Arc<dyn AuthorizeDevices>> {
        None
    }

    fn installations(&self, _: &ProviderEndpoints) -> Option<Arc<dyn ListInstallations>> {
        None
    }
}

#[async_trait]
impl IdentifyUser for InProcessProvider {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        if !self.issued().access_tokens.iter().any(|token| token == access_token.expose()) {
            return Err(UpstreamError::TokenRefused);
        }
        let user =
            UserInfo { sub: PERSON.to_owned(), name: Some("Ada Lovelace".to_owned()), ..UserInfo::default() };
        let issuer = connection.client.endpoints.issuer.clone();
        let identity = Identity { issuer, subject: PERSON.to_owned(), user };
        match expected {
            Some(expected) if expected != identity.as_expected() => {
                Err(UpstreamError::Untrusted { reason: "subject_mismatch" })
            }
            _ => Ok(identity),
        }
    }
}

#[async_trait]
impl RefreshTokens for InProcessProvider {
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        request: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        let mut issued = self.issued();
        take(&mut issued.refresh_tokens, &request.refresh_token).ok_or_else(invalid_grant)?;
        issued.access_tokens.clear();
        Ok(issued.tokens())
    }
}

#[async_trait]
impl RevokeTokens for InProcessProvider {
    fn scope(&self) -> RevocationScope {
        RevocationScope::Token
    }

    async fn revoke_token(
        &self,
        _: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError> {
        let mut issued = self.issued();
        if let Some(token) = &tokens.refresh_token {
            take(&mut issued.refresh_tokens, token);
        }
        if let Some(token) = &tokens.access_token {
            take(&mut issued.access_tokens, token);
        }
        Ok(())
    }
}
