//! Listing providers.

use std::sync::Arc;

use url::Url;

use super::{Provider, ProviderCatalog, ProviderClients, ProviderFilter, ProviderView};
use crate::StoreError;
use crate::accounts::Caller;

/// Lists the providers of the caller's organization.
pub struct ListProviders {
    /// Reads them.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells what they can do.
    pub clients: Arc<dyn ProviderClients>,
}

impl ListProviders {
    /// Those the filter lets through; oldest first unless it says otherwise. An organization has a handful of
    /// providers, so they are filtered here and not in each store.
    pub async fn run(
        &self,
        caller: &Caller,
        filter: &ProviderFilter,
    ) -> Result<Vec<ProviderView>, StoreError> {
        let mut providers = self.catalog.providers(caller.organization_id).await?;
        providers.retain(|provider| provider.is_visible() && filter.admits(provider));
        if filter.newest_first {
            providers.reverse();
        }
        Ok(providers.into_iter().map(|provider| ProviderView::of(provider, &*self.clients)).collect())
    }
}

impl ProviderFilter {
    fn admits(&self, provider: &Provider) -> bool {
        fn any<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
            wanted.is_empty() || wanted.iter().any(is)
        }
        any(&self.ids, |id| *id == provider.id)
            && any(&self.kinds, |kind| *kind == provider.kind)
            && any(&self.hosts, |host| provider.is_at(host))
    }
}

impl Provider {
    /// Whether it is at that host: what it was registered with, or the bare host name.
    fn is_at(&self, host: &str) -> bool {
        self.host.as_deref() == Some(host.trim_end_matches('/'))
            || self.host_name().is_some_and(|name| name == host)
    }

    /// The bare host name of the provider: of the URL that it was registered with, else of its issuer, else of its
    /// authorization endpoint. What it was registered with may be no URL, but a tenant; and where another server plays
    /// the provider, it is still the issuer that says who is played.
    pub fn host_name(&self) -> Option<String> {
        let registered = self.host.as_deref().and_then(|host| host_of(host, &["https", "http"]));
        let issuer = || host_of(&self.endpoints.issuer, &["https"]);
        let authorization = || self.endpoints.authorization.host_str().map(str::to_owned);
        registered.or_else(issuer).or_else(authorization)
    }
}

/// The host of a URL with one of these schemes.
fn host_of(text: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()))?;
    url.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn at(host: Option<&str>, issuer: &str, authorization: &str) -> Provider {
        let mut provider = fixtures::provider();
        provider.host = host.map(str::to_owned);
        provider.endpoints.issuer = issuer.to_owned();
        provider.endpoints.authorization = Url::parse(authorization).unwrap();
        provider
    }

    #[test]
    fn the_host_name_is_the_providers_and_not_its_authorization_endpoints() {
        for (host, issuer, authorization, name) in [
            (None, "https://accounts.google.com", "https://elsewhere.example/auth", "accounts.google.com"),
            (None, "https://github.com", "http://127.0.0.1:9099/github.com/login", "github.com"),
            (None, "http://127.0.0.1:9099", "http://localhost:9099/authorize", "localhost"),
            (
                Some("https://git.example:8443/git"),
                "https://git.example:8443/git",
                "https://x.example/",
                "git.example",
            ),
            (Some("common"), "https://login.example/{tenantid}/v2.0", "https://x.example/", "login.example"),
            (
                Some("login.example:443/tenant"),
                "https://login.example/t/v2.0",
                "https://x.example/",
                "login.example",
            ),
        ] {
            let provider = at(host, issuer, authorization);
            assert_eq!(provider.host_name().as_deref(), Some(name), "{host:?} {issuer}");
            assert!(provider.is_at(name), "{name}");
        }
    }

    #[test]
    fn a_provider_is_at_the_host_it_was_registered_with() {
        let provider =
            at(Some("https://git.example/git"), "https://git.example/git", "https://git.example/auth");
        assert!(provider.is_at("https://git.example/git") && provider.is_at("https://git.example/git/"));
        assert!(!provider.is_at("https://git.example") && !provider.is_at("git.example/git"));
        let tenant = at(Some("contoso.example"), "https://login.example/t/v2.0", "https://login.example/t");
        assert!(tenant.is_at("contoso.example") && tenant.is_at("login.example"));
    }
}
