//! Providers as organizations registered them.

use chrono::{DateTime, Utc};

use super::{GitHosts, ProviderConnection, ProviderEndpoints, ProviderKind, PublicClient, Slug};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::authorizations::Scopes;
use crate::ids::{CredentialId, OrganizationId, ProviderId};
use crate::sealing::{SealError, SealedSecret, SecretColumn, SecretPlace, TokenSealer};
use crate::services::Random;
use crate::{Change, Version};

/// An OAuth client that an organization holds at a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Its short id; none while it is being deleted, so that the slug is free again.
    pub slug: Option<Slug>,
    /// Its name; need not be unique.
    pub name: String,
    /// Its type.
    pub kind: ProviderKind,
    /// Where it stands.
    pub status: ProviderStatus,
    /// The client id at the provider.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SealedSecret,
    /// Names the stored client credentials; stays when the secret is replaced.
    pub credential_id: CredentialId,
    /// The host or issuer it was registered with.
    pub host: Option<String>,
    /// What was learned at registration.
    pub endpoints: ProviderEndpoints,
    /// What every flow asks for.
    pub scopes: Scopes,
    /// Whether people may authorize by device code (RFC 8628).
    pub device_flow: bool,
    /// The slug of a GitHub App.
    pub app_slug: Option<String>,
    /// Where its repositories are.
    pub git_hosts: GitHosts,
    /// Whether flows leave out the parameter that forces the provider's consent page.
    pub skip_consent: Option<bool>,
    /// Whether refresh tokens that nobody uses are kept from dying of it.
    pub keep_alive: bool,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

/// Where a provider stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProviderStatus {
    /// In use.
    Active,
    /// Paused by an administrator.
    Inactive,
    /// The provider refuses our client credentials.
    Disabled,
    /// Its deletion job is under way: to callers it is gone already.
    Deleting,
    /// Its deletion job ended in an error: visible again, and takes nothing but another deletion.
    DeletionFailed,
}

impl ProviderStatus {
    /// As stores name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Disabled => "disabled",
            Self::Deleting => "deleting",
            Self::DeletionFailed => "deletion_failed",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Disabled, Self::Deleting, Self::DeletionFailed]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

impl Provider {
    /// Where its client secret rests.
    pub fn secret_place(&self) -> SecretPlace {
        SecretPlace {
            organization_id: self.organization_id,
            column: SecretColumn::ClientSecret,
            row: self.id.as_uuid(),
        }
    }

    /// The client as an authorization URL needs it.
    pub fn client(&self) -> PublicClient {
        PublicClient { endpoints: self.endpoints.clone(), client_id: self.client_id.clone() }
    }

    /// The client with its secret, for one call.
    pub(crate) async fn connect(&self, sealer: &dyn TokenSealer) -> Result<ProviderConnection, SealError> {
        let client_secret = sealer.open(self.secret_place(), &self.client_secret).await?;
        Ok(ProviderConnection { client: self.client(), client_secret })
    }

    /// What is to be committed when the provider refuses our client credentials.
    pub(crate) fn disable(self, random: &dyn Random, now: DateTime<Utc>) -> Vec<Change> {
        let audit =
            AuditEntry::new(self.organization_id, Actor::Service, AuditAction::ProviderDisabled, random, now)
                .about_provider(self.id);
        let disabled = Self { status: ProviderStatus::Disabled, updated_at: now, ..self };
        vec![Change::update(disabled), Change::Audit(audit)]
    }

    /// Whether callers see it.
    pub fn is_visible(&self) -> bool {
        self.status != ProviderStatus::Deleting
    }

    /// Whether what a flow brings may be kept: not at a provider that is to be deleted, be it at the second attempt.
    pub(crate) fn takes_authorizations(&self) -> bool {
        match self.status {
            ProviderStatus::Active | ProviderStatus::Inactive | ProviderStatus::Disabled => true,
            ProviderStatus::Deleting | ProviderStatus::DeletionFailed => false,
        }
    }
}
