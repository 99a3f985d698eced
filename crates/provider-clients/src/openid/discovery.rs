//! Learning a provider's endpoints from its metadata (OpenID Connect Discovery, 4; RFC 8414, 3).

use std::sync::Arc;

use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, Registration, RegistrationError,
};
use serde::Deserialize;
use url::Url;

use crate::http::{Call, CallError, GuardedClient};
use crate::registration::refused;
use crate::settings::EndpointOverrides;

/// Where the issuer of a type of provider comes from.
pub(crate) enum OpenidIssuer {
    /// The registration names it.
    Registered,
    /// It is always this one.
    Fixed(String),
}

/// Reads metadata for registrations.
pub(crate) struct Discovery {
    pub(crate) http: Arc<GuardedClient>,
    pub(crate) issuer: OpenidIssuer,
    pub(crate) overrides: EndpointOverrides,
}

/// What is read of a metadata document (OpenID Connect Discovery, 3; RFC 8414, 2). All of it may be missing: what is
/// needed is checked by name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
    jwks_uri: Option<String>,
    device_authorization_endpoint: Option<String>,
    authorization_response_iss_parameter_supported: Option<bool>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// The endpoints of a provider, to be pinned.
    pub(crate) async fn endpoints(
        &self,
        registration: &Registration,
    ) -> Result<ProviderEndpoints, RegistrationError> {
        let issuer = self.issuer(registration)?;
        let metadata = self.metadata(issuer).await?;
        if metadata.issuer.as_deref() != Some(issuer) {
            return Err(refused(
                "is not what the provider's own metadata name as its issuer; register exactly what they say",
            ));
        }
        self.pin(issuer, &metadata)
    }

    fn issuer<'a>(&'a self, registration: &'a Registration) -> Result<&'a str, RegistrationError> {
        let issuer = match (&self.issuer, &registration.host) {
            (OpenidIssuer::Registered, Some(host)) => host,
            (OpenidIssuer::Registered, None) => {
                return Err(refused("is required: the issuer URL of the provider"));
            }
            (OpenidIssuer::Fixed(issuer), None) => issuer,
            (OpenidIssuer::Fixed(_), Some(_)) => {
                return Err(refused("is not taken for this type; leave it out"));
            }
        };
        Ok(self.overrides.issuer.as_ref().unwrap_or(issuer))
    }

    /// The document, first where OpenID Connect puts it, then where RFC 8414 does.
    async fn metadata(&self, issuer: &str) -> Result<Metadata, RegistrationError> {
        let mut last_status = 0;
        for url in metadata_urls(issuer)? {
            self.http.check(&url).map_err(|refusal| refused(refusal.to_string()))?;
            match self.http.send(Call::get_json(&url)).await {
                Ok(answer) => match serde_json::from_slice(&answer.body) {
                    Ok(metadata) if answer.status == 200 => return Ok(metadata),
                    _ => last_status = answer.status.as_u16(),
                },
                Err(CallError::Refused(refusal)) => return Err(refused(refusal.to_string())),
                Err(error) => {
                    return Err(refused(format!("could not be asked for its metadata: the server {error}")));
                }
            }
        }
        Err(refused(format!(
            "has no metadata at .well-known/openid-configuration or .well-known/oauth-authorization-server \
             (the last answer had status {last_status})"
        )))
    }

    fn pin(&self, issuer: &str, metadata: &Metadata) -> Result<ProviderEndpoints, RegistrationError> {
        let url = |name, published: &Option<String>, replaced: &Option<Url>| match (replaced, published) {
            (Some(url), _) => self.checked(name, url.as_str()).map(Some),
            (None, Some(text)) => self.checked(name, text).map(Some),
            (None, None) => Ok(None),
        };
        let required =
            |name: &str, url: Option<Url>| url.ok_or_else(|| refused(format!("publishes no {name}")));
        let by = &self.overrides;
        let authorization =
            url("authorization_endpoint", &metadata.authorization_endpoint, &by.authorization)?;
        let token = url("token_endpoint", &metadata.token_endpoint, &by.token)?;
        let jwks = required("jwks_uri", url("jwks_uri", &metadata.jwks_uri, &by.jwks)?)?;
        Ok(ProviderEndpoints {
            issuer: issuer.to_owned(),
            api: None,
            authorization: required("authorization_endpoint", authorization)?,
            token: required("token_endpoint", token)?,
            userinfo: url("userinfo_endpoint", &metadata.userinfo_endpoint, &by.userinfo)?,
            revocation: url("revocation_endpoint", &metadata.revocation_endpoint, &by.revocation)?,
            introspection: url("introspection_endpoint", &metadata.introspection_endpoint, &None)?,
            jwks: Some(jwks),
            device_authorization: url(
                "device_authorization_endpoint",
                &metadata.device_authorization_endpoint,
                &by.device_authorization,
            )?,
            announces_iss: metadata.authorization_response_iss_parameter_supported.unwrap_or(false),
            client_authentication: client_authentication(metadata)?,
            pkce: pkce(metadata),
            settings_url: by.settings_url.clone(),
        })
    }

    /// An endpoint that may be called. It may be on another host than the issuer, as Google's are; a registration is
    /// an administrator's decision to trust what the issuer publishes, and from then on the endpoints are pinned.
    fn checked(&self, name: &str, text: &str) -> Result<Url, RegistrationError> {
        let url = Url::parse(text).map_err(|_| refused(format!("publishes a {name} that is no URL")))?;
        if url.fragment().is_some() {
            return Err(refused(format!("publishes a {name} with a fragment")));
        }
        self.http.check(&url).map_err(|refusal| refused(format!("publishes a {name} that {refusal}")))?;
        Ok(url)
    }
}

/// Where metadata may be: the suffix appended to the issuer (OpenID Connect Discovery, 4), and inserted between its
/// host and its path (RFC 8414, 3).
fn metadata_urls(issuer: &str) -> Result<[Url; 2], RegistrationError> {
    let url = Url::parse(issuer).map_err(|_| refused("is not a URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("must have neither a query nor a fragment"));
    }
    let path = url.path().trim_end_matches('/');
    let with_path = |path: &str| {
        let mut url = url.clone();
        url.set_path(path);
        url
    };
    Ok([
        with_path(&format!("{path}/.well-known/openid-configuration")),
        with_path(&format!("/.well-known/oauth-authorization-server{path}")),
    ])
}

/// Basic where the provider takes it, which it does unless it says otherwise (OpenID Connect Discovery, 3).
fn client_authentication(metadata: &Metadata) -> Result<ClientAuthentication, RegistrationError> {
    let Some(methods) = &metadata.token_endpoint_auth_methods_supported else {
        return Ok(ClientAuthentication::ClientSecretBasic);
    };
    let offers = |method: &str| methods.iter().any(|offered| offered == method);
    if offers("client_secret_basic") {
        Ok(ClientAuthentication::ClientSecretBasic)
    } else if offers("client_secret_post") {
        Ok(ClientAuthentication::ClientSecretPost)
    } else {
        Err(refused("takes neither client_secret_basic nor client_secret_post at its token endpoint"))
    }
}

/// A provider that does not say gets PKCE (RFC 7636, 5: servers without it ignore it); one that lists other methods
/// only is known not to support ours.
fn pkce(metadata: &Metadata) -> PkceSupport {
    match &metadata.code_challenge_methods_supported {
        Some(methods) if !methods.iter().any(|method| method == "S256") => PkceSupport::Unsupported,
        _ => PkceSupport::S256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(issuer: &str) -> Result<[String; 2], String> {
        metadata_urls(issuer).map(|urls| urls.map(String::from)).map_err(|error| error.message)
    }

    #[test]
    fn metadata_are_looked_for_in_both_places() {
        assert_eq!(
            urls("https://idp.example/a/b").unwrap(),
            [
                "https://idp.example/a/b/.well-known/openid-configuration",
                "https://idp.example/.well-known/oauth-authorization-server/a/b",
            ]
        );
        assert_eq!(
            urls("https://idp.example:8443").unwrap(),
            [
                "https://idp.example:8443/.well-known/openid-configuration",
                "https://idp.example:8443/.well-known/oauth-authorization-server",
            ]
        );
        for issuer in ["https://idp.example?x", "https://idp.example/#", "idp.example", ""] {
            assert!(urls(issuer).is_err(), "{issuer}");
        }
    }

    fn metadata(json: &str) -> Metadata {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn our_client_authenticates_in_a_way_that_both_know() {
        let method = |list: &str| {
            client_authentication(&metadata(&format!(
                r#"{{"token_endpoint_auth_methods_supported":{list}}}"#
            )))
        };
        let (basic, post) = (ClientAuthentication::ClientSecretBasic, ClientAuthentication::ClientSecretPost);
        assert_eq!(client_authentication(&metadata("{}")), Ok(basic));
        assert_eq!(method("null"), Ok(basic));
        assert_eq!(method(r#"["client_secret_post","client_secret_basic"]"#), Ok(basic));
        assert_eq!(method(r#"["private_key_jwt","client_secret_post"]"#), Ok(post));
        assert!(method(r#"["private_key_jwt"]"#).unwrap_err().message.contains("client_secret_post"));
    }

    #[test]
    fn pkce_is_left_out_only_where_it_is_known_to_be_missing() {
        for (json, expected) in [
            ("{}", PkceSupport::S256),
            (r#"{"code_challenge_methods_supported":["plain","S256"]}"#, PkceSupport::S256),
            (r#"{"code_challenge_methods_supported":["plain"]}"#, PkceSupport::Unsupported),
            (r#"{"code_challenge_methods_supported":[]}"#, PkceSupport::Unsupported),
        ] {
            assert_eq!(pkce(&metadata(json)), expected, "{json}");
        }
    }
}
