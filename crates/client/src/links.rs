//! Links to providers.

use serde::Deserialize;
use url::Url;

use crate::service::Wait;
use crate::{ClientError, Service};

/// The path that everything about links is below.
pub(crate) const BASE: [&str; 3] = ["api", "v2", "external-auth"];

/// The providers there are, and the links to them.
#[derive(Clone, Debug, Deserialize)]
pub struct Links {
    /// Every provider.
    pub providers: Vec<LinkProvider>,
    /// A link for each provider that there is one to.
    pub links: Vec<Link>,
}

/// A provider in a list.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkProvider {
    /// Its slug, or its id where it has none.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether one can link by typing a code on another device.
    pub device: bool,
    /// Its name.
    pub display_name: String,
}

/// A link in a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    /// The provider's slug or id.
    pub provider_id: String,
    /// Whether it is good for a token.
    pub authenticated: bool,
    /// Why not; empty where there is nothing to tell.
    #[serde(default)]
    pub validate_error: String,
}

/// A provider, and who one is there.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkState {
    /// Whether there is a link that is good for a token.
    pub authenticated: bool,
    /// Whether one can link by typing a code on another device.
    pub device: bool,
    /// The provider's name.
    pub display_name: String,
    /// Who one is there.
    pub user: Option<LinkUser>,
}

/// Who somebody is at a provider.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkUser {
    /// What they sign in with there; may be empty.
    #[serde(default)]
    pub login: String,
    /// What they are called; may be empty.
    #[serde(default)]
    pub name: String,
}

/// What became of the token of a link that is gone.
#[derive(Clone, Debug, Deserialize)]
pub struct Unlinked {
    /// Whether the provider has revoked it.
    pub token_revoked: bool,
    /// Why not; empty where there is nothing to tell.
    #[serde(default)]
    pub token_revocation_error: String,
}

impl Service {
    /// All providers and links.
    pub async fn links(&self) -> Result<Links, ClientError> {
        self.get(self.url().at(BASE), Wait::Short).await?.json()
    }

    /// The link to a provider, by its slug or id.
    pub async fn link(&self, provider: &str) -> Result<LinkState, ClientError> {
        self.get(self.link_url(provider, None)?, Wait::Short).await?.json()
    }

    /// Removes the link to a provider.
    pub async fn unlink(&self, provider: &str) -> Result<Unlinked, ClientError> {
        self.delete(self.link_url(provider, None)?).await?.json()
    }

    /// Where a provider's link is, or something below it.
    pub(crate) fn link_url(&self, provider: &str, below: Option<&str>) -> Result<Url, ClientError> {
        // A URL takes these for other paths.
        if ["", ".", ".."].contains(&provider) {
            return Err(ClientError::NoSuchName);
        }
        Ok(self.url().at(BASE.into_iter().chain([provider]).chain(below)))
    }
}
