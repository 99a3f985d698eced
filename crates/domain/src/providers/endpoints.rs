//! What was learned about a provider when it was registered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::secret::SecretHash;

/// A provider's endpoints and manners (RFC 8414, 2). They are pinned at registration: a later change of the
/// provider's metadata does not send our client secret elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderEndpoints {
    /// The issuer identifier, byte for byte; where a provider has none, its base URL. For the tenants of Microsoft's
    /// common authorities it has `{tenantid}` in the place of the tenant.
    pub issuer: String,
    /// The base of the provider's own REST API, without a slash at its end, where its client uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Url>,
    /// The authorization endpoint (RFC 6749, 3.1).
    pub authorization: Url,
    /// The token endpoint (RFC 6749, 3.2).
    pub token: Url,
    /// The userinfo endpoint (OpenID Connect Core, 5.3).
    pub userinfo: Option<Url>,
    /// The revocation endpoint (RFC 7009, 2).
    pub revocation: Option<Url>,
    /// The introspection endpoint (RFC 7662, 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection: Option<Url>,
    /// The keys that sign ID tokens.
    pub jwks: Option<Url>,
    /// The device authorization endpoint (RFC 8628, 3.1).
    pub device_authorization: Option<Url>,
    /// Whether the provider says that `iss` is in every authorization response (RFC 9207, 3).
    pub announces_iss: bool,
    /// How our client proves who it is.
    pub client_authentication: ClientAuthentication,
    /// Whether PKCE is sent.
    pub pkce: PkceSupport,
    /// Where a person can withdraw the authorization by hand.
    pub settings_url: Option<Url>,
}

/// Stands for whatever tenant in an issuer identifier
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc>).
const TENANT: &str = "{tenantid}";

impl ProviderEndpoints {
    /// Whether this is the issuer: byte for byte, but for one path segment that stands for a tenant.
    pub fn is_issuer(&self, issuer: &str) -> bool {
        let Some((before, after)) = self.issuer.split_once(TENANT) else {
            return issuer == self.issuer;
        };
        let tenant = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let is_tenant = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        tenant.is_some_and(|tenant| tenant.len() == 36 && tenant.bytes().all(is_tenant))
    }

    /// The hosts at which the provider is: that of its issuer, and those of its endpoints.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let issuer = Url::parse(&self.issuer).ok();
        let optional = [
            &self.api,
            &self.userinfo,
            &self.revocation,
            &self.introspection,
            &self.jwks,
            &self.device_authorization,
        ];
        let endpoints = [&self.authorization, &self.token].into_iter().chain(optional.into_iter().flatten());
        let hosts = issuer.iter().chain(endpoints).filter_map(|url| url.host_str().map(str::to_owned));
        hosts.collect::<BTreeSet<_>>().into_iter()
    }

    /// A digest of all of it. A flow remembers it, so that a code is never sent to an endpoint that took the
    /// place of the one the person was sent to (RFC 9700, 4.4).
    ///
    /// # Panics
    /// Never: strings, URLs and flags always serialize.
    pub fn digest(&self) -> SecretHash {
        let text = serde_json::to_string(self).expect("strings, URLs and flags always serialize");
        SecretHash::of(&text)
    }
}

/// How our client authenticates at the token endpoint (RFC 6749, 2.3.1; names of OpenID Connect Core, 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic, id and secret form-encoded first.
    ClientSecretBasic,
    /// In the request body.
    ClientSecretPost,
}

/// Whether a provider understands PKCE (RFC 7636). It is a fact about the provider, never found out by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PkceSupport {
    /// `S256` is sent with every flow.
    S256,
    /// The provider is known not to support it.
    Unsupported,
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::ProviderEndpoints;
    use crate::fixtures;

    #[test]
    fn a_provider_is_at_its_issuer_and_at_its_endpoints() {
        let mut endpoints = fixtures::provider().endpoints;
        endpoints.issuer = "https://login.example/{tenantid}/v2.0".to_owned();
        let url = |host: &str| Url::parse(&format!("https://{host}/x")).unwrap();
        (endpoints.authorization, endpoints.token) = (url("sso.example"), url("sso.example"));
        (endpoints.api, endpoints.userinfo) = (Some(url("api.example")), None);
        (endpoints.revocation, endpoints.jwks) = (None, Some(url("keys.example")));
        endpoints.introspection = Some(url("tokens.example"));
        endpoints.device_authorization = None;
        // Nothing is called there.
        endpoints.settings_url = Some(url("account.example"));
        let hosts: Vec<String> = endpoints.hosts().collect();
        assert_eq!(hosts, ["api.example", "keys.example", "login.example", "sso.example", "tokens.example"]);
    }

    #[test]
    fn endpoints_that_were_stored_before_there_was_another_one_are_the_same_still() {
        let endpoints = fixtures::provider().endpoints;
        let stored = serde_json::to_string(&endpoints).unwrap();
        assert!(!stored.contains("introspection"), "{stored}");
        assert_eq!(serde_json::from_str::<ProviderEndpoints>(&stored).unwrap(), endpoints);

        let introspection = Some(Url::parse("https://provider.example/introspect").unwrap());
        let more = ProviderEndpoints { introspection, ..endpoints.clone() };
        let stored = serde_json::to_string(&more).unwrap();
        assert_eq!(serde_json::from_str::<ProviderEndpoints>(&stored).unwrap(), more);
        assert!(more.digest() != endpoints.digest());
    }

    #[test]
    fn only_a_tenant_may_stand_in_the_place_of_the_template() {
        let mut endpoints = fixtures::provider().endpoints;
        endpoints.issuer = "https://login.example/{tenantid}/v2.0".to_owned();
        assert!(endpoints.is_issuer("https://login.example/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0"));
        for other in [
            "https://login.example/{tenantid}/v2.0",
            "https://login.example//v2.0",
            "https://login.example/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v1.0",
            "https://login.example/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f",
            "https://login.example/8f0c9d1e/3a5b/4c7d/9e8f/1a2b3c4d5e6f/v2.0",
            "https://evil.example/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0",
        ] {
            assert!(!endpoints.is_issuer(other), "{other}");
        }
        endpoints.issuer = "https://idp.example".to_owned();
        assert!(endpoints.is_issuer("https://idp.example") && !endpoints.is_issuer("https://idp.example/"));
    }
}
