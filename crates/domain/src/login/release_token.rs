//! Making the token of somebody who has signed in.

use std::sync::Arc;
use std::time::Duration;

use super::{LoginError, LoginStage, LoginStore};
use crate::accounts::{
    Account, AccountStore, ApiToken, ApiTokenSecret, ApiTokenStore, IssuedToken, SESSION_LIFETIME,
    TokenPurpose,
};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::{AccountId, ApiTokenId};
use crate::login::{Login, LoginRoute};
use crate::services::{Clock, Random};
use crate::tokens::time_delta;
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Makes tokens at the moment they are asked for, so that none waits anywhere in the clear.
pub(crate) struct ReleaseToken {
    pub(crate) logins: Arc<dyn LoginStore>,
    pub(crate) accounts: Arc<dyn AccountStore>,
    pub(crate) tokens: Arc<dyn ApiTokenStore>,
    pub(crate) store: Arc<dyn UnitOfWork>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// How long a token lives.
    pub(crate) lifetime: Duration,
}

/// A new token on its way into the store.
pub(super) struct NewToken {
    pub(super) issued: IssuedToken,
    pub(super) changes: Vec<Change>,
}

impl ReleaseToken {
    /// Releases the token of a login that was granted. Of one that was released already, another is made and the one before
    /// is dead: its answer was lost.
    pub(super) async fn run(
        &self,
        mut login: Login,
        request_id: Option<&str>,
    ) -> Result<IssuedToken, LoginError> {
        loop {
            let now = self.clock.now();
            if login.is_over(now) {
                return Err(LoginError::UnknownState);
            }
            let (account_id, previous, at) = match login.stage {
                LoginStage::Granted { account_id } => (account_id, None, now),
                // A browser keeps one session: its other tab has it.
                LoginStage::Released { .. } if matches!(login.route, LoginRoute::Browser { .. }) => {
                    return Err(LoginError::UnknownState);
                }
                LoginStage::Released { account_id, token_id, at } => {
                    let Some(previous) = self.good(token_id).await? else {
                        login = self.asked_again(login).await?;
                        continue;
                    };
                    (account_id, Some(previous), at)
                }
                LoginStage::Pending
                | LoginStage::Asking { .. }
                | LoginStage::Identified(_)
                | LoginStage::Ended(_) => return Err(LoginError::UnknownState),
            };
            let id = login.id;
            let account = self.open_account(account_id).await?;
            let NewToken { issued, mut changes } = match login.route {
                LoginRoute::Client { .. } | LoginRoute::Device(_) => self.token(&account, request_id),
                LoginRoute::Browser { .. } => self.session(&account, request_id),
            };
            changes.extend(previous.into_iter().flat_map(|token| self.end_of(token, &account)));
            let released = LoginStage::Released { account_id, token_id: issued.token.id, at };
            changes.push(Change::update(login.at(released)));
            match self.store.commit(changes).await {
                Ok(()) => return Ok(issued),
                // Somebody has asked at the same time, or the token was revoked: it is decided anew.
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
            login = self.logins.login(id).await?.ok_or(LoginError::UnknownState)?;
        }
    }

    /// An API token for whoever has just signed in.
    pub(super) fn token(&self, account: &Account, request_id: Option<&str>) -> NewToken {
        let secret = ApiTokenSecret::generate_uuid(&*self.random);
        let lifetime = time_delta(self.lifetime);
        self.issue(account, secret, lifetime, |_| TokenPurpose::Api, AuditAction::ApiTokenIssued, request_id)
    }

    fn session(&self, account: &Account, request_id: Option<&str>) -> NewToken {
        let secret = ApiTokenSecret::generate(&*self.random);
        let purpose = |id| TokenPurpose::Session { opened_with: id };
        self.issue(account, secret, SESSION_LIFETIME, purpose, AuditAction::SessionOpened, request_id)
    }

    fn issue(
        &self,
        account: &Account,
        secret: ApiTokenSecret,
        lifetime: chrono::TimeDelta,
        purpose: impl FnOnce(ApiTokenId) -> TokenPurpose,
        action: AuditAction,
        request_id: Option<&str>,
    ) -> NewToken {
        let now = self.clock.now();
        let id = ApiTokenId::generate(&*self.random, now);
        let owner = (account.id, account.organization_id);
        // The configuration keeps lives within the calendar.
        let expires_at = now.checked_add_signed(lifetime);
        let token = ApiToken::new(owner, &secret, (id, purpose(id)), now, expires_at);
        let mut audit = self.audit(account, action).about(id);
        audit.request_id = request_id.map(str::to_owned);
        let changes = vec![Change::insert(token.clone()), Change::Audit(audit)];
        NewToken { issued: IssuedToken { token, secret }, changes }
    }

    async fn open_account(&self, id: AccountId) -> Result<Account, LoginError> {
        let account = self.accounts.account(id).await?;
        let closed = LoginError::NotAllowed { reason: LoginError::CLOSED };
        account.filter(Account::may_act).ok_or(closed)
    }

    async fn good(&self, token: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
        let now = self.clock.now();
        Ok(self.tokens.token(token).await?.filter(|token| token.is_usable(now)))
    }

    /// The login whose token is dead, as somebody else has just left it: who asked at the same time has got another one. Where
    /// nobody did, the token was revoked, and whoever was signed out does not come in again by asking again.
    async fn asked_again(&self, login: Login) -> Result<Login, LoginError> {
        let current = self.logins.login(login.id).await?;
        current.filter(|current| current.version != login.version).ok_or(LoginError::UnknownState)
    }

    fn end_of(&self, token: ApiToken, account: &Account) -> [Change; 2] {
        let audit = self.audit(account, AuditAction::ApiTokenRevoked).about(token.id);
        [Change::update(ApiToken { revoked_at: Some(self.clock.now()), ..token }), Change::Audit(audit)]
    }

    fn audit(&self, account: &Account, action: AuditAction) -> AuditEntry {
        let actor = Actor::ServiceFor { account_id: account.id };
        AuditEntry::new(account.organization_id, actor, action, &*self.random, self.clock.now())
    }
}
