//! Letting somebody at a provider sign in as an account that exists: an operator's command.

use std::sync::Arc;

use super::{LoginIdentity, LoginStore};
use crate::accounts::{AccountStore, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::{AccountId, LoginIdentityId};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, Unique, UnitOfWork, Version};

/// Links identities to accounts. An e-mail address never does.
pub struct LinkIdentity {
    /// Reads the account.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads who signs in as it.
    pub logins: Arc<dyn LoginStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
}

/// Why an identity was not linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkIdentityError {
    /// No such account, or one that is being deleted.
    #[error("there is no such account")]
    AccountNotFound,
    /// An issuer or subject that is empty.
    #[error("an identity has an issuer and a subject")]
    Empty,
    /// Somebody signs in with it already.
    #[error("this identity signs in as another account, or as this one already")]
    Taken,
    /// Nobody signs in as the account with it.
    #[error("this identity does not sign in as this account")]
    NotLinked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LinkIdentity {
    /// Lets (issuer, subject) sign in as the account.
    pub async fn run(
        &self,
        account: AccountId,
        issuer: &str,
        subject: &str,
    ) -> Result<LoginIdentity, LinkIdentityError> {
        if issuer.is_empty() || subject.is_empty() {
            return Err(LinkIdentityError::Empty);
        }
        let account = self.accounts.account(account).await?;
        let account = account.filter(|account| account.standing == Standing::Active);
        let account = account.ok_or(LinkIdentityError::AccountNotFound)?;
        let now = self.clock.now();
        let identity = LoginIdentity {
            id: LoginIdentityId::generate(&*self.random, now),
            organization_id: account.organization_id,
            account_id: account.id,
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            created_at: now,
            version: Version::FIRST,
        };
        let action = AuditAction::IdentityLinked;
        let audit = AuditEntry::new(account.organization_id, Actor::Operator, action, &*self.random, now)
            .about(account.id);
        match self.store.commit(vec![Change::insert(identity.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(identity),
            Err(CommitError::Duplicate(Unique::LoginIdentity)) => Err(LinkIdentityError::Taken),
            Err(error) => Err(error.into_store_error().into()),
        }
    }

    /// Takes that back. Tokens and sessions that they have already are not touched.
    pub async fn undo(
        &self,
        account: AccountId,
        issuer: &str,
        subject: &str,
    ) -> Result<LoginIdentity, LinkIdentityError> {
        let is_it = |one: &LoginIdentity| one.issuer == issuer && one.subject == subject;
        let identity = self.of(account).await?.into_iter().find(is_it).ok_or(LinkIdentityError::NotLinked)?;
        let (organization, now) = (identity.organization_id, self.clock.now());
        let action = AuditAction::IdentityUnlinked;
        let audit = AuditEntry::new(organization, Actor::Operator, action, &*self.random, now).about(account);
        match self.store.commit(vec![Change::delete(identity.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(identity),
            // Somebody else has just taken it back.
            Err(CommitError::Conflict) => Err(LinkIdentityError::NotLinked),
            Err(error) => Err(error.into_store_error().into()),
        }
    }

    /// Who signs in as an account, oldest first.
    pub async fn of(&self, account: AccountId) -> Result<Vec<LoginIdentity>, StoreError> {
        self.logins.identities_of(account).await
    }
}

#[cfg(test)]
mod tests;
