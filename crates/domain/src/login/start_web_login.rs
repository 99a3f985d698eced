//! Starting a login on the web.

use std::sync::Arc;

use url::Url;

use super::{
    AskingClient, CodeGrant, LOGIN_LIFETIME, LoginError, LoginProviderSettings, LoginProviders, LoginRoute,
    LoginStage,
};
use crate::authorizations::handover::{Ask, Handover};
use crate::ids::LoginId;
use crate::login::Login;
use crate::providers::{Provider, ProviderClients};
use crate::sealing::TokenSealer;
use crate::secret::SecretHash;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, Secret, UnitOfWork, Version};

/// Starts a login on the web: for a client that polls, or for a browser on our sign-in page.
pub struct StartWebLogin {
    /// Finds the provider.
    pub providers: Arc<LoginProviders>,
    /// Builds authorization URLs.
    pub clients: Arc<dyn ProviderClients>,
    /// Seals verifier and nonce.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes its secrets.
    pub random: Arc<dyn Random>,
    /// Where this service is reached from outside: an origin without a trailing slash.
    pub public_url: String,
}

/// What a client wants.
#[derive(Clone, Debug, Default)]
pub struct WebLoginRequest {
    /// The name of the login provider.
    pub provider: String,
    /// Where the browser is to go at the end.
    pub return_to: Option<String>,
    /// The client's network address.
    pub address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Whether it shows the code that it gets.
    pub shows_code: bool,
}

/// A login that a client has started.
pub struct StartedWebLogin {
    /// The provider's page, for a browser.
    pub url: Url,
    /// What the client polls with; the provider gets another value.
    pub state: Secret,
    /// What our page will show, for the person to compare.
    pub match_code: String,
}

/// A login that a browser of our pages has started.
pub struct StartedBrowserLogin {
    /// The login, for the cookie's name.
    pub id: LoginId,
    /// The provider's page.
    pub url: Url,
    /// What the browser has to show when it comes back.
    pub cookie: Secret,
}

/// The longest part of a user agent that is kept.
const LONGEST_USER_AGENT: usize = 200;

impl StartWebLogin {
    /// For a client that polls. The login lives for [`LOGIN_LIFETIME`].
    pub async fn for_client(&self, request: WebLoginRequest) -> Result<StartedWebLogin, LoginError> {
        let (rules, provider) = self.providers.named(&request.provider).await?;
        let redirects = &self.providers.settings.redirects;
        let return_to = match &request.return_to {
            Some(uri) => Some(redirects.allowed(uri).ok_or(LoginError::RedirectNotAllowed)?),
            None => None,
        };
        let state = self.random.token();
        let match_code = match_code(&*self.random);
        let asked_by = AskingClient {
            address: request.address,
            user_agent: request.user_agent.map(|agent| printable(&agent)),
            match_code: match_code.clone(),
            shows_code: request.shows_code,
        };
        let route = |grant| LoginRoute::Client {
            grant,
            poll_hash: SecretHash::of(state.expose()),
            asked_by,
            return_to: return_to.map(Url::into),
        };
        let (_, url) = self.start(rules, &provider, route, None).await?;
        Ok(StartedWebLogin { url, state, match_code })
    }

    /// For a browser on our sign-in page, which goes to `next` at the end: a path of ours.
    pub async fn for_browser(&self, name: &str, next: String) -> Result<StartedBrowserLogin, LoginError> {
        let (rules, provider) = self.providers.named(name).await?;
        let cookie = self.random.token();
        let cookie_hash = SecretHash::of(cookie.expose());
        let route = |grant| LoginRoute::Browser { grant, next };
        let (id, url) = self.start(rules, &provider, route, Some(cookie_hash)).await?;
        Ok(StartedBrowserLogin { id, url, cookie })
    }

    async fn start(
        &self,
        rules: &LoginProviderSettings,
        provider: &Provider,
        route: impl FnOnce(CodeGrant) -> LoginRoute,
        browser_hash: Option<SecretHash>,
    ) -> Result<(LoginId, Url), LoginError> {
        let client = self.clients.client(provider.kind);
        let client = client.ok_or(LoginError::NotAllowed { reason: LoginError::NOT_AVAILABLE })?;
        let now = self.clock.now();
        let id = LoginId::generate(&*self.random, now);
        let handover = Handover::fresh(provider, &*self.random);
        let sealed =
            handover.seal(Login::handover_places(provider.organization_id, id), &*self.sealer).await?;
        let state = self.random.token();
        let redirect_uri = format!("{}/callback/{}", self.public_url, provider.id);
        let grant = CodeGrant {
            state_hash: SecretHash::of(state.expose()),
            redirect_uri: redirect_uri.clone(),
            pkce_verifier: sealed.pkce_verifier,
            nonce: sealed.nonce,
        };
        let scopes = rules.scopes_at(provider);
        let ask =
            Ask { redirect_uri, state, scopes: scopes.clone(), force_consent: false, offline_access: false };
        let url = client.authorization_url(&provider.client(), &handover.into_request(ask));
        let login = Login {
            id,
            organization_id: provider.organization_id,
            provider_id: provider.id,
            provider_name: rules.name.clone(),
            route: route(grant),
            scopes,
            endpoints: provider.endpoints.digest(),
            browser_hash,
            stage: LoginStage::Pending,
            created_at: now,
            expires_at: now + LOGIN_LIFETIME,
            version: Version::FIRST,
        };
        // Nobody is known yet, so nothing goes into the audit log.
        self.store.commit(vec![Change::insert(login)]).await.map_err(CommitError::into_store_error)?;
        Ok((id, url))
    }
}

/// Letters that nobody takes for one another.
const CODE_ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many letters there are on each side of the dash.
const CODE_HALF: usize = 3;

/// Two times three consonants: to be compared by a person, not guessed at by a machine (RFC 8628, 6.1).
pub(super) fn match_code(random: &dyn Random) -> String {
    let mut code = String::with_capacity(2 * CODE_HALF + 1);
    while code.len() <= 2 * CODE_HALF {
        if code.len() == CODE_HALF {
            code.push('-');
        }
        let mut byte = [0];
        random.fill(&mut byte);
        // 240 is the largest multiple of 20 in a byte: what lies above would favour some letters.
        if byte[0] < 240 {
            code.push(char::from(CODE_ALPHABET[usize::from(byte[0] % 20)]));
        }
    }
    code
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect()
}

#[cfg(test)]
mod tests;
