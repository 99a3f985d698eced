//! As which account somebody signs in.

use std::sync::Arc;

use super::{LoginError, LoginIdentity, LoginProviderSettings, LoginStore, NewAccounts, Person};
use crate::accounts::{Account, AccountStore, Email, Role, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::{AccountId, LoginIdentityId, OrganizationId};
use crate::services::{Clock, Random};
use crate::{Change, StoreError, Version};

/// Leads people to their accounts, and makes one at the first sign-in where the rules allow it.
pub struct AdmitPerson {
    /// Reads who signs in as whom.
    pub logins: Arc<dyn LoginStore>,
    /// Tells whose an address is, and whether the organization is in use.
    pub accounts: Arc<dyn AccountStore>,
    /// Dates new accounts.
    pub clock: Arc<dyn Clock>,
    /// Makes their ids.
    pub random: Arc<dyn Random>,
}

/// Somebody who may come in.
pub(super) struct Admitted {
    /// As whom.
    pub(super) account: Account,
    /// What has to be committed for it: the account, where it is new. That is a
    /// [`CommitError::Duplicate`](crate::CommitError::Duplicate) where somebody was faster, and is to be decided anew.
    pub(super) changes: Vec<Change>,
}

impl AdmitPerson {
    /// Whether they may come in, and as whom.
    pub(super) async fn run(
        &self,
        organization: OrganizationId,
        rules: &LoginProviderSettings,
        person: &Person,
    ) -> Result<Admitted, LoginError> {
        let known = self.logins.identified(organization, &person.issuer, &person.subject).await?;
        match known {
            Some((_, account)) if account.may_act() => Ok(Admitted { account, changes: Vec::new() }),
            Some(_) => Err(LoginError::NotAllowed { reason: LoginError::CLOSED }),
            None if !rules.new_accounts.admit(person) => {
                Err(LoginError::NotAllowed { reason: LoginError::NOT_INVITED })
            }
            None if !self.takes_accounts(organization).await? => {
                Err(LoginError::NotAllowed { reason: LoginError::CLOSED })
            }
            None => Ok(self.newcomer(organization, rules, person).await?),
        }
    }

    /// Not one that is being deleted: the login may have begun before that, and nobody would come to close a new account.
    async fn takes_accounts(&self, id: OrganizationId) -> Result<bool, StoreError> {
        let organization = self.accounts.organization(id).await?;
        Ok(organization.is_some_and(|found| found.standing == Standing::Active))
    }

    async fn newcomer(
        &self,
        organization_id: OrganizationId,
        rules: &LoginProviderSettings,
        person: &Person,
    ) -> Result<Admitted, StoreError> {
        let now = self.clock.now();
        let id = AccountId::generate(&*self.random, now);
        let account = Account {
            id,
            organization_id,
            email: self.label(organization_id, rules, person, id).await?,
            role: Role::Member,
            standing: Standing::Active,
            suspended_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        let identity = LoginIdentity {
            id: LoginIdentityId::generate(&*self.random, now),
            organization_id,
            account_id: id,
            issuer: person.issuer.clone(),
            subject: person.subject.clone(),
            created_at: now,
            version: Version::FIRST,
        };
        let audit = |action| {
            let actor = Actor::ServiceFor { account_id: id };
            Change::Audit(AuditEntry::new(organization_id, actor, action, &*self.random, now).about(id))
        };
        let changes = vec![
            Change::insert(account.clone()),
            Change::insert(identity),
            audit(AuditAction::AccountCreated),
            audit(AuditAction::IdentityLinked),
        ];
        Ok(Admitted { account, changes })
    }

    /// The address of a new account is a label for people. One that another account has must not be taken for it, and leads
    /// nobody to that account: addresses change hands.
    async fn label(
        &self,
        organization: OrganizationId,
        rules: &LoginProviderSettings,
        person: &Person,
        id: AccountId,
    ) -> Result<Email, StoreError> {
        if let Some(email) = person.email() {
            let holders = self.accounts.accounts_with_email(email.as_str()).await?;
            if holders.iter().all(|holder| holder.organization_id != organization) {
                return Ok(email);
            }
        }
        // No address ever ends like this (RFC 6761, 6.4).
        let label = |local: &str| Email::parse(&format!("{local}@{}.invalid", rules.name));
        label(&id.to_string()).map_err(|error| StoreError::Unexpected(Box::new(error)))
    }
}

impl NewAccounts {
    /// Whether they let a stranger in.
    fn admit(&self, person: &Person) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anyone => true,
            Self::Listed { email_domains, tenants } => {
                let email = person.email();
                let domain = email.as_ref().and_then(|email| email.as_str().rsplit_once('@'));
                domain.is_some_and(|(_, domain)| email_domains.iter().any(|listed| listed == domain))
                    || tenants.iter().any(|tenant| person.is_of_tenant(tenant))
            }
        }
    }
}

#[cfg(test)]
mod tests;
