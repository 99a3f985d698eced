//! What an installation decides about signing in.

use std::time::Duration;

use super::LoginRedirects;
use crate::authorizations::Scopes;
use crate::providers::Provider;

/// What an installation decides about signing in. Without providers nobody signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSettings {
    /// Where people may sign in; every name once.
    pub providers: Vec<LoginProviderSettings>,
    /// The name of the one at which devices sign in; `None`: none.
    pub device_provider: Option<String>,
    /// How long an API token lives that somebody gets by signing in.
    pub token_lifetime: Duration,
    /// Where a client may have the browser go at the end.
    pub redirects: LoginRedirects,
    /// Whether a person is asked on our page before a token is released to a client that polls.
    pub asks_people: bool,
}

impl Default for LoginSettings {
    /// Nobody signs in; but whoever adds a provider gets the page that asks, and tokens for 90 days.
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            device_provider: None,
            token_lifetime: Duration::from_secs(90 * 24 * 3600),
            redirects: LoginRedirects::default(),
            asks_people: true,
        }
    }
}

/// A provider at which people may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProviderSettings {
    /// What clients call it.
    pub name: String,
    /// The name of the organization that people sign in to.
    pub organization: String,
    /// The provider's id or slug there.
    pub provider: String,
    /// What is asked for; `None`: what the provider was registered with.
    pub scopes: Option<Scopes>,
    /// Who gets an account at the first sign-in.
    pub new_accounts: NewAccounts,
    /// Whether a token may be brought of which the provider cannot tell for whom it was issued, or says that it was for
    /// nobody: then any program that a person has ever given such a token can sign in as them.
    pub foreign_tokens: bool,
}

impl LoginProviderSettings {
    /// What a login there asks for: nothing that outlasts the person's presence.
    pub(super) fn scopes_at(&self, provider: &Provider) -> Scopes {
        let chosen = self.scopes.as_ref().unwrap_or(&provider.scopes);
        chosen.without(&["offline_access"].into_iter().collect())
    }
}

/// Who gets an account at the first sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NewAccounts {
    /// Nobody: an operator links identities to accounts.
    #[default]
    Nobody,
    /// Those whom one of these lists names.
    Listed {
        /// Domains of addresses that the provider has verified, in lower case; compared exactly, with no subdomains.
        email_domains: Vec<String>,
        /// Tenants of the issuer (Microsoft Entra ID, which verifies no address).
        tenants: Vec<String>,
    },
    /// Everybody whom the provider lets in.
    Anyone,
}
