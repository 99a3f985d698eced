//! Finding the provider of a git remote.

use std::sync::Arc;

use super::{GitRemote, GitRemoteError, Provider, ProviderCatalog, ProviderStatus};
use crate::StoreError;
use crate::accounts::Caller;

/// Finds the provider of the caller's organization at which a git remote is.
pub struct FindGitProvider {
    /// Reads them.
    pub catalog: Arc<dyn ProviderCatalog>,
}

/// Why no provider was found.
#[derive(Debug, thiserror::Error)]
pub enum FindGitProviderError {
    /// Not a remote.
    #[error(transparent)]
    Remote(#[from] GitRemoteError),
    /// The remote is at none of the organization's providers.
    #[error("the remote is at none of the providers")]
    NotFound,
    /// It is at several, none of which fits better than the others.
    #[error("the remote is at several providers, none of which fits better than the others: {}", .0.join(", "))]
    Several(Vec<String>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FindGitProvider {
    /// The provider whose place has the longest path that the remote begins with. One that is paused is found where no other
    /// fits as well, so that its user learns why there is no token.
    pub async fn run(&self, caller: &Caller, remote: &str) -> Result<Provider, FindGitProviderError> {
        let remote = GitRemote::parse(remote)?;
        let providers = self.catalog.providers(caller.organization_id).await?;
        let visible = providers.into_iter().filter(Provider::is_visible);
        let fitting: Vec<_> =
            visible.filter_map(|provider| Some((provider.fit(&remote)?, provider))).collect();
        let best = fitting.iter().map(|(fit, _)| *fit).max().ok_or(FindGitProviderError::NotFound)?;
        let best = fitting.into_iter().filter(|(fit, _)| *fit == best).map(|(_, provider)| provider);
        one_of(best.collect())
    }
}

fn one_of(candidates: Vec<Provider>) -> Result<Provider, FindGitProviderError> {
    let (active, others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|provider| provider.status == ProviderStatus::Active);
    let candidates = if active.is_empty() { others } else { active };
    match <[Provider; 1]>::try_from(candidates) {
        Ok([provider]) => Ok(provider),
        Err(several) => Err(FindGitProviderError::Several(several.iter().map(Provider::named).collect())),
    }
}

impl Provider {
    /// What people and programs call it: its slug, or its id where it has none.
    pub fn named(&self) -> String {
        self.slug.as_ref().map_or_else(|| self.id.to_string(), |slug| slug.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests;
