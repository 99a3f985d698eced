//! What comes of asking the provider who somebody is. Runs detached: it is committed with nobody waiting.

use std::sync::Arc;

use super::{AdmitPerson, LoginEnd, LoginError, LoginProviders, LoginRoute, LoginStage, LoginStore, Person};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::authorizations::{Answered, Granted, KeepGrant};
use crate::ids::{AccountId, LoginId};
use crate::login::Login;
use crate::persist::Persistence;
use crate::providers::{Provider, TokenSet, UpstreamError};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Decides what a provider's answer makes of a login, and keeps it.
pub(crate) struct LoginOutcomes {
    pub(crate) providers: Arc<LoginProviders>,
    pub(crate) logins: Arc<dyn LoginStore>,
    pub(crate) admit: Arc<AdmitPerson>,
    pub(crate) grants: Arc<KeepGrant>,
    pub(crate) store: Arc<dyn UnitOfWork>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// A stage, and all that has to be committed with it.
type Decision = (LoginStage, Vec<Change>);

impl LoginOutcomes {
    /// Brings a login that this process has asked about to its next stage. The tokens that came of it are nobody's: signing in
    /// is not linking.
    pub(super) async fn settle(
        &self,
        login: Login,
        provider: &Provider,
        answered: &Answered,
    ) -> Result<(), StoreError> {
        let mut persistence = Persistence::new(&self.clock);
        let asked = login.stage.clone();
        let mut current = Some(login);
        while let Some(login) = current.take() {
            if login.stage != asked {
                // Another process took this one for dead, and asked for itself; or the commit that seemed to fail was made.
                return Ok(());
            }
            let id = login.id;
            match self.try_to_settle(login, provider, answered).await {
                Ok(()) => return Ok(()),
                Err(error) => persistence.after(error).await?,
            }
            current = self.reread(id, &mut persistence).await?;
        }
        Ok(())
    }

    /// Ends a login before the provider was asked, or when a person has said no.
    pub(super) async fn end(&self, login: Login, end: LoginEnd) -> Result<(), CommitError> {
        let mut changes: Vec<Change> =
            self.finished(&login, &LoginStage::Ended(end.clone())).into_iter().collect();
        changes.push(Change::update(login.at(LoginStage::Ended(end))));
        self.store.commit(changes).await
    }

    /// Lets somebody in who is known, and has said yes where that is asked for.
    pub(super) async fn grant(&self, login: Login, person: &Person) -> Result<(), CommitError> {
        let (stage, mut changes) = self.granted(&login, person).await?;
        changes.extend(self.finished(&login, &stage));
        changes.push(Change::update(login.at(stage)));
        self.store.commit(changes).await
    }

    async fn reread(&self, id: LoginId, persistence: &mut Persistence) -> Result<Option<Login>, StoreError> {
        loop {
            match self.logins.login(id).await {
                Ok(login) => return Ok(login),
                Err(error) => persistence.after(error.into()).await?,
            }
        }
    }

    async fn try_to_settle(
        &self,
        login: Login,
        provider: &Provider,
        answered: &Answered,
    ) -> Result<(), CommitError> {
        let (stage, mut changes) = match answered {
            Answered::Tokens(granted) => self.identified(&login, provider, granted).await?,
            Answered::Orphaned(tokens, error) => {
                let revocation = self.revocation(&login, provider, tokens, None).await?;
                (LoginStage::Ended(error.into()), revocation)
            }
            Answered::Failed(error @ UpstreamError::ClientRefused { .. }) => {
                (LoginStage::Ended(error.into()), self.grants.disable(provider).await?)
            }
            Answered::Failed(error) => (LoginStage::Ended(error.into()), Vec::new()),
        };
        changes.extend(self.finished(&login, &stage));
        changes.push(Change::update(login.at(stage)));
        self.store.commit(changes).await
    }

    async fn identified(
        &self,
        login: &Login,
        provider: &Provider,
        granted: &Granted,
    ) -> Result<Decision, StoreError> {
        let person = Person::from(granted.identity.clone());
        let (stage, mut changes) = self.granted(login, &person).await?;
        let account = match stage {
            LoginStage::Granted { account_id } => Some(account_id),
            _ => None,
        };
        let asks = matches!(login.route, LoginRoute::Client { .. }) && self.providers.settings.asks_people;
        if account.is_some() && asks {
            // Nothing is made for somebody who may yet say no.
            let known = account.filter(|_| changes.is_empty());
            let revocation = self.revocation(login, provider, &granted.tokens, known).await?;
            return Ok((LoginStage::Identified(person), revocation));
        }
        changes.extend(self.revocation(login, provider, &granted.tokens, account).await?);
        Ok((stage, changes))
    }

    async fn granted(&self, login: &Login, person: &Person) -> Result<Decision, StoreError> {
        let Some(rules) = self.providers.rules(&login.provider_name) else {
            // It was taken out of the configuration meanwhile.
            return Ok((LoginStage::Ended(LoginEnd::NotAllowed(LoginError::OFF.to_owned())), Vec::new()));
        };
        match self.admit.run(login.organization_id, rules, person).await {
            Ok(admitted) => Ok((LoginStage::Granted { account_id: admitted.account.id }, admitted.changes)),
            Err(LoginError::NotAllowed { reason }) => {
                Ok((LoginStage::Ended(LoginEnd::NotAllowed(reason.to_owned())), Vec::new()))
            }
            Err(LoginError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Unexpected(Box::new(error))),
        }
    }

    async fn revocation(
        &self,
        login: &Login,
        provider: &Provider,
        tokens: &TokenSet,
        account: Option<AccountId>,
    ) -> Result<Vec<Change>, StoreError> {
        let change = self.grants.revocation_of_login(login.id, provider, tokens, account).await?;
        Ok(change.into_iter().collect())
    }

    /// The entry about a login that is decided. Only where the provider has told who it is about: anybody can begin a login and
    /// bring a refusal back, and the audit log is kept for good. Those go to the log.
    fn finished(&self, login: &Login, stage: &LoginStage) -> Option<Change> {
        let was_identified = matches!(login.stage, LoginStage::Identified(_));
        let (actor, end) = match stage {
            LoginStage::Granted { account_id } => (Actor::ServiceFor { account_id: *account_id }, None),
            LoginStage::Ended(LoginEnd::NotAllowed(reason)) => (Actor::Service, Some(reason)),
            LoginStage::Ended(LoginEnd::Refused(reason)) if was_identified => (Actor::Service, Some(reason)),
            LoginStage::Ended(LoginEnd::Refused(reason) | LoginEnd::Unavailable(reason)) => {
                tracing::info!(login = %login.id, reason, "a login ended before it was known whose it is");
                return None;
            }
            LoginStage::Pending
            | LoginStage::Asking { .. }
            | LoginStage::Identified(_)
            | LoginStage::Released { .. } => return None,
        };
        let action = AuditAction::LoginFinished;
        let audit = AuditEntry::new(login.organization_id, actor, action, &*self.random, self.clock.now())
            .about_provider(login.provider_id)
            .about(login.id);
        Some(Change::Audit(match end {
            None => audit,
            Some(reason) => audit.ending(AuditOutcome::Refused, reason),
        }))
    }
}

impl From<&UpstreamError> for LoginEnd {
    fn from(error: &UpstreamError) -> Self {
        let reason = error.reason().to_owned();
        match LoginError::from(error.clone()) {
            LoginError::Refused { .. } => Self::Refused(reason),
            _ => Self::Unavailable(reason),
        }
    }
}

impl From<LoginEnd> for LoginError {
    fn from(end: LoginEnd) -> Self {
        match end {
            LoginEnd::Refused(reason) => Self::Refused { reason },
            LoginEnd::NotAllowed(reason) => Self::NotAllowed {
                reason: [Self::CLOSED, Self::OFF]
                    .into_iter()
                    .find(|known| *known == reason)
                    .unwrap_or(Self::NOT_INVITED),
            },
            LoginEnd::Unavailable(reason) => Self::Unavailable { reason },
        }
    }
}
