//! Replacing an organization's redirect allow-list: an operator's command.

use std::sync::Arc;

use super::{AccountStore, Organization};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::authorizations::{RedirectAllowList, RedirectUri, RedirectUriError};
use crate::ids::OrganizationId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Replaces the list of URIs to which an organization's flows may return.
pub struct SetRedirectUris {
    /// Reads the organization.
    pub accounts: Arc<dyn AccountStore>,
    /// Writes it.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates the audit entry.
    pub clock: Arc<dyn Clock>,
    /// Makes its id.
    pub random: Arc<dyn Random>,
}

/// Why the list was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum SetRedirectUrisError {
    /// One of them is no redirect URI.
    #[error("{uri:?} {error}")]
    Uri {
        /// As it was given.
        uri: String,
        /// What is wrong with it.
        error: RedirectUriError,
    },
    /// No such organization.
    #[error("there is no such organization")]
    NotFound,
    /// Somebody changed the organization at the same time.
    #[error("the organization was changed by somebody else at the same time; try again")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SetRedirectUris {
    /// Replaces the list; an empty one goes back to the default (loopback).
    pub async fn run(
        &self,
        id: OrganizationId,
        uris: &[String],
    ) -> Result<Organization, SetRedirectUrisError> {
        let mut organization = self.accounts.organization(id).await?.ok_or(SetRedirectUrisError::NotFound)?;
        let parse = |uri: &String| {
            RedirectUri::parse(uri).map_err(|error| SetRedirectUrisError::Uri { uri: uri.clone(), error })
        };
        organization.redirect_uris =
            RedirectAllowList::new(uris.iter().map(parse).collect::<Result<_, _>>()?);
        let now = self.clock.now();
        let audit =
            AuditEntry::new(id, Actor::Operator, AuditAction::OrganizationChanged, &*self.random, now);
        match self.store.commit(vec![Change::update(organization.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(Organization { version: organization.version.next(), ..organization }),
            Err(CommitError::Conflict) => Err(SetRedirectUrisError::Conflict),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}
