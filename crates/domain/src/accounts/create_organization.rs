//! Creating an organization: an operator's command.

use std::sync::Arc;

use super::{NameError, Organization, OrganizationName, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::authorizations::RedirectAllowList;
use crate::ids::OrganizationId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, Unique, UnitOfWork, Version};

/// Creates an organization.
pub struct CreateOrganization {
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes its id.
    pub random: Arc<dyn Random>,
}

/// Why an organization was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateOrganizationError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another organization has this name.
    #[error("an organization of this name exists")]
    NameTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CreateOrganization {
    /// Creates it, with the default redirect allow-list (loopback).
    pub async fn run(&self, name: &str) -> Result<Organization, CreateOrganizationError> {
        let now = self.clock.now();
        let organization = Organization {
            id: OrganizationId::generate(&*self.random, now),
            name: OrganizationName::parse(name)?,
            redirect_uris: RedirectAllowList::default(),
            standing: Standing::Active,
            created_at: now,
            version: Version::FIRST,
        };
        let audit = AuditEntry::new(
            organization.id,
            Actor::Operator,
            AuditAction::OrganizationCreated,
            &*self.random,
            now,
        );
        let changes = vec![Change::insert(organization.clone()), Change::Audit(audit)];
        match self.store.commit(changes).await {
            Ok(()) => Ok(organization),
            Err(CommitError::Duplicate(Unique::OrganizationName)) => Err(CreateOrganizationError::NameTaken),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}
