//! What was learned about a provider when it was registered.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::secret::SecretHash;

/// A provider's endpoints and manners (RFC 8414, 2). They are pinned at registration: a later change of the
/// provider's metadata does not send our client secret elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderEndpoints {
    /// The issuer identifier, byte for byte; where a provider has none, its base URL.
    pub issuer: String,
    /// The authorization endpoint (RFC 6749, 3.1).
    pub authorization: Url,
    /// The token endpoint (RFC 6749, 3.2).
    pub token: Url,
    /// The userinfo endpoint (OpenID Connect Core, 5.3).
    pub userinfo: Option<Url>,
    /// The revocation endpoint (RFC 7009, 2).
    pub revocation: Option<Url>,
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

impl ProviderEndpoints {
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
