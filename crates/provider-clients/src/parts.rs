//! What every client is made of.

use std::sync::Arc;

use grantkeeper_domain::providers::{ProviderEndpoints, RegistrationError};
use url::Url;

use crate::http::GuardedClient;
use crate::origins::Origins;
use crate::registration::refused;
use crate::settings::EndpointOverrides;

/// The parts for the client of one type.
#[derive(Clone)]
pub(crate) struct Parts {
    /// The one HTTP client.
    pub(crate) http: Arc<GuardedClient>,
    /// Where the well-known hosts are.
    pub(crate) origins: Origins,
    /// What the operator puts in the place of the type's own endpoints.
    pub(crate) overrides: EndpointOverrides,
}

impl Parts {
    /// Endpoints as they are to be pinned: with those of the operator, and each of them one that may be called.
    pub(crate) fn pin(&self, endpoints: ProviderEndpoints) -> Result<ProviderEndpoints, RegistrationError> {
        let endpoints = overridden(endpoints, &self.overrides);
        for url in called(&endpoints) {
            self.http.check(url).map_err(|refusal| refused(refusal.to_string()))?;
        }
        Ok(endpoints)
    }
}

fn overridden(endpoints: ProviderEndpoints, by: &EndpointOverrides) -> ProviderEndpoints {
    let required = |replaced: &Option<Url>, own: Url| replaced.clone().unwrap_or(own);
    let optional = |replaced: &Option<Url>, own: Option<Url>| replaced.clone().or(own);
    ProviderEndpoints {
        issuer: by.issuer.clone().unwrap_or(endpoints.issuer),
        api: optional(&by.api, endpoints.api),
        authorization: required(&by.authorization, endpoints.authorization),
        token: required(&by.token, endpoints.token),
        userinfo: optional(&by.userinfo, endpoints.userinfo),
        revocation: optional(&by.revocation, endpoints.revocation),
        introspection: endpoints.introspection,
        jwks: optional(&by.jwks, endpoints.jwks),
        device_authorization: optional(&by.device_authorization, endpoints.device_authorization),
        settings_url: optional(&by.settings_url, endpoints.settings_url),
        announces_iss: endpoints.announces_iss,
        client_authentication: endpoints.client_authentication,
        pkce: endpoints.pkce,
    }
}

/// What is called, and where people are sent to with parameters of ours.
fn called(endpoints: &ProviderEndpoints) -> impl Iterator<Item = &Url> {
    let optional = [
        &endpoints.api,
        &endpoints.userinfo,
        &endpoints.revocation,
        &endpoints.introspection,
        &endpoints.jwks,
        &endpoints.device_authorization,
    ];
    [&endpoints.authorization, &endpoints.token].into_iter().chain(optional.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use grantkeeper_testkit::entities;

    use super::*;

    #[test]
    fn the_operators_endpoints_win_one_by_one() {
        let url = |path: &str| Some(Url::parse(&format!("https://proxy.example/{path}")).unwrap());
        let own = entities::endpoints("idp.example");
        let by = EndpointOverrides { token: url("token"), api: url("api"), ..EndpointOverrides::default() };
        let pinned = overridden(own.clone(), &by);
        assert_eq!(pinned, ProviderEndpoints { token: by.token.unwrap(), api: by.api, ..own });
    }
}
