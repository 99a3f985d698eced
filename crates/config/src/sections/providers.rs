//! `[providers.<type>]`: endpoints that take the place of a provider type's own.

use std::collections::BTreeMap;

use grantkeeper_domain::providers::ProviderKind;
use url::Url;

use super::web_address;
use crate::reader::Reader;

/// The replacements, per provider type; a type without any is not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Providers(BTreeMap<&'static str, EndpointReplacements>);

/// Endpoints that an operator has replaced. The ones that are `None` stay the provider's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointReplacements {
    /// The issuer identifier, byte for byte (RFC 8414, 2).
    pub issuer: Option<String>,
    /// The base of the provider's own REST API, without a slash at its end, where its type uses one.
    pub api_url: Option<Url>,
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
        let read = ProviderKind::ALL.map(ProviderKind::as_str);
        let read = read.map(|name| (name, EndpointReplacements::read(reader, name)));
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
        let api_url = reader.parsed(&format!("providers.{provider_type}.api_url"), base);
        let mut url = |name| reader.parsed(&format!("providers.{provider_type}.{name}"), web_address::parse);
        Self {
            issuer,
            api_url,
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
    without_query(text)?;
    Ok(text.to_owned())
}

/// A URL that paths are put behind.
fn base(text: &str) -> Result<Url, String> {
    let url = without_query(text)?;
    if text.ends_with('/') {
        return Err("leave out the slash at the end".to_owned());
    }
    Ok(url)
}

fn without_query(text: &str) -> Result<Url, String> {
    let url = web_address::parse(text)?;
    match url.query() {
        None => Ok(url),
        Some(_) => Err("leave out the query (what follows ?)".to_owned()),
    }
}
