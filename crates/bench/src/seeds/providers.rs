//! The providers of the organization.

use grantkeeper_domain::Version;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::ids::{CredentialId, OrganizationId, ProviderId};
use grantkeeper_domain::providers::{
    ClientAuthentication, GitHosts, PkceSupport, Provider, ProviderEndpoints, ProviderKind, ProviderStatus,
    Slug,
};
use grantkeeper_domain::sealing::{SealedSecret, SecretColumn, SecretPlace};
use url::Url;

use super::seeded_at;
use crate::failure::Failure;
use crate::sequence::Sequence;

/// Where the providers are.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    /// Nowhere: nobody asks them.
    MadeUp,
    /// All of them at one simulated provider, which knows every client.
    Simulated(Url),
}

impl Upstream {
    /// How many providers the organization has. Where they are asked there are many: the service goes easy on each.
    pub(crate) const fn providers(&self) -> usize {
        match self {
            Self::MadeUp => 10,
            Self::Simulated(_) => 40,
        }
    }

    /// The provider of that number; its client secret is still to be sealed.
    pub(super) fn provider(
        &self,
        number: usize,
        organization: OrganizationId,
        random: &Sequence,
    ) -> Result<Provider, Failure> {
        let origin = match self {
            Self::MadeUp => Url::parse(&format!("https://id{number}.example.com"))?,
            Self::Simulated(origin) => origin.clone(),
        };
        let issuer = origin.as_str().trim_end_matches('/').to_owned();
        Ok(Provider {
            id: ProviderId::generate(random, seeded_at()),
            organization_id: organization,
            slug: Some(Slug::parse(&format!("provider-{number}"))?),
            name: format!("Provider {number}"),
            kind: ProviderKind::Oidc,
            status: ProviderStatus::Active,
            client_id: client_id(number),
            client_secret: SealedSecret::from_bytes(Vec::new()),
            credential_id: CredentialId::generate(random, seeded_at()),
            host: Some(issuer.clone()),
            endpoints: endpoints(issuer, &origin)?,
            scopes: Scopes::parse("openid profile email offline_access"),
            device_flow: false,
            app_slug: None,
            git_hosts: GitHosts::default(),
            skip_consent: None,
            keep_alive: true,
            created_at: seeded_at(),
            updated_at: seeded_at(),
            version: Version::FIRST,
        })
    }
}

/// What the client of a provider is called there.
pub(crate) fn client_id(number: usize) -> String {
    format!("client-{number}")
}

/// Where the secret of that client is kept.
pub(super) fn client_secret_place(provider: &Provider) -> SecretPlace {
    SecretPlace {
        organization_id: provider.organization_id,
        column: SecretColumn::ClientSecret,
        row: provider.id.as_uuid(),
    }
}

fn endpoints(issuer: String, origin: &Url) -> Result<ProviderEndpoints, Failure> {
    let at = |path: &str| origin.join(path);
    Ok(ProviderEndpoints {
        issuer,
        api: None,
        authorization: at("authorize")?,
        token: at("token")?,
        userinfo: Some(at("userinfo")?),
        revocation: Some(at("revoke")?),
        introspection: None,
        jwks: Some(at("jwks")?),
        device_authorization: None,
        announces_iss: true,
        client_authentication: ClientAuthentication::ClientSecretBasic,
        pkce: PkceSupport::S256,
        settings_url: None,
    })
}
