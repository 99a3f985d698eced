//! `[providers.<type>]`: endpoints that take the place of a provider type's own.

use std::collections::BTreeMap;

use url::Url;

use super::web_address;
use crate::reader::Reader;

/// The provider types that have a section.
pub const PROVIDER_TYPES: [&str; 8] =
    ["bitbucket", "box", "github", "gitlab", "google", "microsoft", "oidc", "test"];

/// The replacements, per provider type; a type without any is not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Providers(BTreeMap<&'static str, EndpointReplacements>);

/// Endpoints that an operator has replaced. The ones that are `None` stay the provider's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointReplacements {
    /// The issuer identifier, byte for byte (RFC 8414, 2).
    pub issuer: Option<String>,
    /// The authorization endpoint (RFC 6749, 3.1).
    pub authorization_url: Option<Url>,
    /// The token endpoint (RFC 6749, 3.2).
    pub token_url: Option<Url>,
    /// Who a token belongs to (OpenID Connect Core, 5.3).
    pub userinfo_url: Option<Url>,
    /// The revocation endpoint (RFC 7009, 2).
    pub revocation_url: Option<Url>,
    /// The keys that sign ID tokens.
    pub jwks_url: Option<Url>,
    /// The device authorization endpoint (RFC 8628, 3.1).
    pub device_authorization_url: Option<Url>,
    /// Where a person withdraws an authorization by hand.
    pub settings_url: Option<Url>,
}

impl Providers {
    /// The replacements for a type, by its name in the APIs.
    pub fn get(&self, provider_type: &str) -> Option<&EndpointReplacements> {
        self.0.get(provider_type)
    }

    /// The types that have replacements.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &EndpointReplacements)> {
        self.0.iter().map(|(provider_type, replacements)| (*provider_type, replacements))
    }

    pub(crate) fn read(reader: &mut Reader) -> Self {
        let read = PROVIDER_TYPES.map(|name| (name, EndpointReplacements::read(reader, name)));
        Self(
            read.into_iter()
                .filter(|(_, replacements)| *replacements != EndpointReplacements::default())
                .collect(),
        )
    }
}

impl EndpointReplacements {
    fn read(reader: &mut Reader, provider_type: &str) -> Self {
        let issuer = reader.parsed(&format!("providers.{provider_type}.issuer"), issuer);
        let mut url = |name| reader.parsed(&format!("providers.{provider_type}.{name}"), web_address::parse);
        Self {
            issuer,
            authorization_url: url("authorization_url"),
            token_url: url("token_url"),
            userinfo_url: url("userinfo_url"),
            revocation_url: url("revocation_url"),
            jwks_url: url("jwks_url"),
            device_authorization_url: url("device_authorization_url"),
            settings_url: url("settings_url"),
        }
    }
}

/// Kept as it was given: an issuer is compared byte for byte.
fn issuer(text: &str) -> Result<String, String> {
    let url = web_address::parse(text)?;
    if url.query().is_some() {
        return Err("leave out the query (what follows ?)".to_owned());
    }
    Ok(text.to_owned())
}
