//! The providers at which people may sign in.

use std::sync::Arc;

use super::{LoginError, LoginProviderSettings, LoginSettings};
use crate::StoreError;
use crate::accounts::{AccountStore, Standing};
use crate::ids::ProviderId;
use crate::providers::{FindProvider, Provider, ProviderStatus};

/// Finds the providers that the configuration names. They are registered like any other, before or after the service starts.
pub struct LoginProviders {
    /// Reads the organizations.
    pub accounts: Arc<dyn AccountStore>,
    /// Finds the providers.
    pub find: Arc<FindProvider>,
    /// What the configuration names.
    pub settings: LoginSettings,
}

/// A login provider, for a page that offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its id.
    pub id: ProviderId,
    /// What the configuration calls it.
    pub name: String,
    /// What the provider's registration calls it.
    pub title: String,
}

impl LoginProviders {
    /// Those that can be used just now.
    pub async fn offered(&self) -> Result<Vec<Offered>, StoreError> {
        let mut offered = Vec::new();
        for rules in &self.settings.providers {
            if let Some(provider) = self.usable(rules).await? {
                offered.push(Offered { id: provider.id, name: rules.name.clone(), title: provider.name });
            }
        }
        Ok(offered)
    }

    /// The rules and the provider of that name.
    pub(super) async fn named(&self, name: &str) -> Result<(&LoginProviderSettings, Provider), LoginError> {
        if self.settings.providers.is_empty() {
            return Err(LoginError::NotAllowed { reason: LoginError::OFF });
        }
        let rules = self.rules(name).ok_or(LoginError::UnknownProvider)?;
        let provider = self.usable(rules).await?;
        Ok((rules, provider.ok_or(LoginError::NotAllowed { reason: LoginError::NOT_AVAILABLE })?))
    }

    /// The rules of that name.
    pub(super) fn rules(&self, name: &str) -> Option<&LoginProviderSettings> {
        self.settings.providers.iter().find(|rules| rules.name == name)
    }

    async fn usable(&self, rules: &LoginProviderSettings) -> Result<Option<Provider>, StoreError> {
        let organization = self.accounts.organization_named(&rules.organization).await?;
        let Some(organization) = organization.filter(|found| found.standing == Standing::Active) else {
            return Ok(None);
        };
        let provider = self.find.in_organization(organization.id, &rules.provider).await?;
        Ok(provider.filter(|provider| provider.status == ProviderStatus::Active))
    }
}
