//! Creating an account: an operator's command.

use std::sync::Arc;

use super::{Account, AccountStore, Email, EmailError, Role, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::{AccountId, OrganizationId};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, Unique, UnitOfWork, Version};

/// Creates an account.
pub struct CreateAccount {
    /// Reads the organization.
    pub accounts: Arc<dyn AccountStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes its id.
    pub random: Arc<dyn Random>,
}

/// Why an account was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// The address is none.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// No such organization.
    #[error("there is no such organization")]
    OrganizationNotFound,
    /// The organization is on its way out.
    #[error("the organization is being deleted")]
    OrganizationDeleting,
    /// Another account of the organization has this address.
    #[error("an account with this e-mail address exists in the organization")]
    EmailTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CreateAccount {
    /// Creates it.
    pub async fn run(
        &self,
        organization: OrganizationId,
        email: &str,
        role: Role,
    ) -> Result<Account, CreateAccountError> {
        let email = Email::parse(email)?;
        let organization = self.accounts.organization(organization).await?;
        let organization = organization.ok_or(CreateAccountError::OrganizationNotFound)?;
        if organization.standing == Standing::Deleting {
            return Err(CreateAccountError::OrganizationDeleting);
        }
        let now = self.clock.now();
        let account = Account {
            id: AccountId::generate(&*self.random, now),
            organization_id: organization.id,
            email,
            role,
            standing: Standing::Active,
            suspended_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        let audit = AuditEntry::new(
            organization.id,
            Actor::Operator,
            AuditAction::AccountCreated,
            &*self.random,
            now,
        )
        .about(account.id);
        match self.store.commit(vec![Change::insert(account.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(account),
            Err(CommitError::Duplicate(Unique::AccountEmail)) => Err(CreateAccountError::EmailTaken),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}
