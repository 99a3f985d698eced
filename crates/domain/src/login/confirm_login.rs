//! Our page after the provider's: who asks for a token, and does that person want it?

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    AskingClient, LoginEnd, LoginError, LoginOutcomes, LoginRoute, LoginStage, LoginStore, Person,
    ReleaseToken,
};
use crate::accounts::{AccountStore, IssuedToken};
use crate::ids::LoginId;
use crate::login::Login;
use crate::persist::TRIES;
use crate::providers::ProviderCatalog;
use crate::services::Clock;
use crate::{CommitError, Secret, StoreError};

/// Shows a login to the person who came back from the provider, and lets the token be released when they say yes. Without this
/// page an attacker could start a login, have a victim's browser finish it, and poll for the victim's token: providers skip
/// their own consent page for clients they know.
pub struct ConfirmLogin {
    /// Reads logins.
    pub logins: Arc<dyn LoginStore>,
    /// Reads the names to show.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads the provider's name.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Lets people in.
    pub(crate) outcomes: Arc<LoginOutcomes>,
    /// Opens the session of a browser that has signed in.
    pub(crate) release: Arc<ReleaseToken>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What the page is about.
pub enum LoginPage {
    /// The provider has not answered yet: look again in a moment.
    Working,
    /// Does the person want this?
    Asks(Box<LoginSummary>),
    /// The client can have its token.
    Done {
        /// Where the browser goes now; `None`: nowhere.
        return_to: Option<String>,
    },
    /// The browser itself is signed in now.
    SignedIn {
        /// Its session.
        session: Box<IssuedToken>,
        /// The page of ours to which it goes.
        next: String,
    },
    /// The browser was signed in before.
    WasSignedIn {
        /// The page of ours to which it goes.
        next: String,
    },
    /// It ended without a token.
    Ended(LoginEnd),
}

/// What the person is shown before they say yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSummary {
    /// Who they are at the provider.
    pub person: String,
    /// The provider's name.
    pub provider: String,
    /// The organization that they sign in to.
    pub organization: String,
    /// Who asks.
    pub asked_by: AskingClient,
    /// When it asked.
    pub asked_at: DateTime<Utc>,
    /// Where a yes leads; `None`: to our own page.
    pub return_to: Option<String>,
    /// Whether it asked from another network address than the one of this browser, or from one that is not known.
    pub from_elsewhere: bool,
}

/// The reason of a login that the person refused on our page.
const DECLINED: &str = "declined";

impl ConfirmLogin {
    /// What the page shows to the browser that came back with this login, from that network address.
    pub async fn page(
        &self,
        id: LoginId,
        cookies: &[Secret],
        address: Option<&str>,
        request_id: Option<&str>,
    ) -> Result<LoginPage, LoginError> {
        let login = self.own(id, cookies).await?;
        let now = self.clock.now();
        match (&login.stage, &login.route) {
            (LoginStage::Asking { .. }, _) if login.is_being_asked(now) => Ok(LoginPage::Working),
            (LoginStage::Asking { .. }, _) => {
                Ok(LoginPage::Ended(LoginEnd::Unavailable(LoginError::INTERRUPTED.to_owned())))
            }
            (LoginStage::Ended(end), _) => Ok(LoginPage::Ended(end.clone())),
            (LoginStage::Identified(person), LoginRoute::Client { asked_by, return_to, .. }) => {
                let asked = (asked_by, return_to.as_deref());
                let summary = self.summary(&login, person, asked, address).await?;
                Ok(LoginPage::Asks(Box::new(summary)))
            }
            (
                LoginStage::Granted { .. } | LoginStage::Released { .. },
                LoginRoute::Client { return_to, .. },
            ) => Ok(LoginPage::Done { return_to: return_to.clone() }),
            (LoginStage::Granted { .. }, LoginRoute::Browser { next, .. }) => {
                let next = next.clone();
                match self.release.run(login, request_id).await {
                    Ok(session) => Ok(LoginPage::SignedIn { session: Box::new(session), next }),
                    // Its other tab was faster, and has the session.
                    Err(LoginError::UnknownState) => Ok(LoginPage::WasSignedIn { next }),
                    Err(error) => Err(error),
                }
            }
            (LoginStage::Released { .. }, LoginRoute::Browser { next, .. }) => {
                Ok(LoginPage::WasSignedIn { next: next.clone() })
            }
            // Nobody has come back with it; or it is none that anybody comes back with.
            (LoginStage::Pending, _)
            | (LoginStage::Identified(_), LoginRoute::Browser { .. })
            | (_, LoginRoute::Device(_)) => Err(LoginError::UnknownState),
        }
    }

    /// The person says yes or no. Who says it again changes nothing.
    pub async fn answer(&self, id: LoginId, cookies: &[Secret], yes: bool) -> Result<(), LoginError> {
        for _ in 0..TRIES {
            let login = self.own(id, cookies).await?;
            let LoginStage::Identified(person) = login.stage.clone() else {
                return Ok(());
            };
            let answered = if yes {
                self.outcomes.grant(login, &person).await
            } else {
                self.outcomes.end(login, LoginEnd::Refused(DECLINED.to_owned())).await
            };
            match answered {
                Ok(()) => return Ok(()),
                // Two clicks at once, or two people whose first sign-in this is: it is decided anew.
                Err(CommitError::Conflict | CommitError::Duplicate(_)) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
        Err(StoreError::Unexpected("the same login is answered again and again".into()).into())
    }

    /// The login, to the one browser that came back with it.
    async fn own(&self, id: LoginId, cookies: &[Secret]) -> Result<Login, LoginError> {
        let now = self.clock.now();
        // The page outlasts the time in which the token can be asked for again.
        let is_open = |login: &Login| now < login.expires_at || login.is_being_asked(now);
        let login = self.logins.login(id).await?;
        let own = login.filter(|login| login.is_shown_by(cookies) && is_open(login));
        own.ok_or(LoginError::UnknownState)
    }

    async fn summary(
        &self,
        login: &Login,
        person: &Person,
        (asked_by, return_to): (&AskingClient, Option<&str>),
        address: Option<&str>,
    ) -> Result<LoginSummary, StoreError> {
        let organization = self.accounts.organization(login.organization_id).await?;
        let provider = self.catalog.provider(login.organization_id, login.provider_id).await?;
        Ok(LoginSummary {
            person: person.name.clone().unwrap_or_else(|| person.subject.clone()),
            provider: provider.map_or_else(|| login.provider_name.clone(), |provider| provider.name),
            organization: organization.map_or_else(String::new, |found| found.name.as_str().to_owned()),
            from_elsewhere: address.is_none() || asked_by.address.as_deref() != address,
            asked_by: asked_by.clone(),
            return_to: return_to.map(str::to_owned),
            asked_at: login.created_at,
        })
    }
}

#[cfg(test)]
mod tests;
