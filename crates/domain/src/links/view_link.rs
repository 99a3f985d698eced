//! Showing a user's link to one provider.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::{CheckLink, Link};
use crate::StoreError;
use crate::accounts::Caller;
use crate::authorizations::{AuthorizationStore, LookUpUser, LookUpUserError, UserInfo};
use crate::providers::{Installation, ListInstallations, Provider, ProviderClients, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, within};
use crate::tokens::{LendAccessToken, LendError, Lendable, Linked};

/// Shows the link of the caller to a provider, as the provider sees it.
pub struct ViewLink {
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Asks who the user is.
    pub look_up: Arc<LookUpUser>,
    /// Knows what providers have said before.
    pub(crate) check: Arc<CheckLink>,
    /// Gets the token that tells of installations.
    pub lend: Arc<LendAccessToken>,
    /// Asks where the app is installed.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the client secret.
    pub sealer: Arc<dyn TokenSealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// A link to one provider.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkView {
    /// Whether there is a token that the provider takes, as far as anybody knows: only a definite answer makes it false.
    pub authenticated: bool,
    /// Why it does not hold, or could not be checked: a code.
    pub failure: Option<String>,
    /// Who the user is there, where the link holds.
    pub user: Option<UserInfo>,
    /// Where the app is installed, for providers that have such a thing and registrations of an app.
    pub app: Option<AppInstallations>,
}

/// Where an app is installed.
#[derive(Clone, Debug, PartialEq)]
pub struct AppInstallations {
    /// Where a person installs it.
    pub install_page: Url,
    /// The installations that the user can reach; none where the provider could not be asked.
    pub installations: Vec<Installation>,
}

/// How long the provider may take to tell of installations.
const LIMIT: Duration = Duration::from_secs(2);

impl ViewLink {
    /// Shows the link to this provider of the caller's organization.
    pub async fn run(&self, caller: &Caller, provider: &Provider) -> Result<LinkView, StoreError> {
        let app = self.app_of(provider);
        let link = Link::at(provider.id, caller, &*self.authorizations).await?;
        let Some(link) = link else {
            let app =
                app.map(|(install_page, _)| AppInstallations { install_page, installations: Vec::new() });
            return Ok(LinkView { authenticated: false, failure: None, user: None, app });
        };
        let mut view = self.as_seen(caller, &link).await?;
        if let Some((install_page, list)) = app {
            // A provider that did not answer just now is not waited for once more.
            let is_told = view.authenticated && view.failure.is_none();
            let installations =
                if is_told { self.installations(caller, &link, &*list).await } else { Vec::new() };
            view.app = Some(AppInstallations { install_page, installations });
        }
        Ok(view)
    }

    fn app_of(&self, provider: &Provider) -> Option<(Url, Arc<dyn ListInstallations>)> {
        let list = self.clients.client(provider.kind)?.installations(&provider.endpoints)?;
        let page = list.install_page(&provider.endpoints, provider.app_slug.as_deref()?)?;
        Some((page, list))
    }

    async fn as_seen(&self, caller: &Caller, link: &Link) -> Result<LinkView, StoreError> {
        let view = |authenticated, failure: Option<&str>, user| LinkView {
            authenticated,
            failure: failure.map(str::to_owned),
            user,
            app: None,
        };
        Ok(match self.look_up.look(caller, link.authorization.id).await {
            Ok(user) => view(true, None, Some(user)),
            Err(LookUpUserError::Token(LendError::NotFound)) => view(false, None, None),
            Err(LookUpUserError::Token(LendError::Store(error))) => return Err(error),
            Err(LookUpUserError::Token(LendError::GrantDead { reason })) => view(false, Some(&reason), None),
            Err(LookUpUserError::TokenRefused) => view(false, Some("invalid_token"), None),
            Err(error) => {
                let known = self.check.unchecked(link.clone(), error.reason());
                let user = known.authenticated.then(|| link.authorization.user.clone());
                view(known.authenticated, known.failure.as_deref(), user)
            }
        })
    }

    /// A provider that does not tell of them does not make the link any less.
    async fn installations(
        &self,
        caller: &Caller,
        link: &Link,
        list: &dyn ListInstallations,
    ) -> Vec<Installation> {
        let asking = async {
            let lendable = self.lend.obtain(caller, link.authorization.id, Duration::ZERO).await?;
            let Lendable { linked: Linked { provider, .. }, access_token } = lendable;
            let connection = provider.connect(&*self.sealer).await.map_err(SealError::into_store_error)?;
            Ok::<_, LendError>(list.installations(&connection, &access_token).await)
        };
        match within(&self.clock, LIMIT, Box::pin(asking)).await {
            Some(Ok(Ok(installations))) => installations,
            Some(Ok(Err(error))) => not_told(error.reason()),
            Some(Err(error)) => not_told(error.reason()),
            None => not_told(UpstreamError::timeout().reason()),
        }
    }
}

fn not_told(reason: &str) -> Vec<Installation> {
    tracing::warn!(reason, "a provider does not tell where an app is installed");
    Vec::new()
}

#[cfg(test)]
mod tests;
