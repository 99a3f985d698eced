//! The device authorization grant, in every provider's dialect (RFC 8628).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    AuthorizeDevices, DeviceAnswer, DeviceAuthorization, ProviderConnection, ProviderEndpoints, UpstreamError,
};
use url::Url;

use crate::failure::untrusted;
use crate::grants::Grants;
use crate::http::Call;
use crate::token_endpoint::{PollRefusal, read_device_authorization, read_poll_refusal};

/// Asks for device codes and redeems them.
pub(crate) struct DeviceFlow {
    pub(crate) grants: Arc<Grants>,
}

/// RFC 8628, 3.4.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[async_trait]
impl AuthorizeDevices for DeviceFlow {
    async fn begin_device(
        &self,
        connection: &ProviderConnection,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorization, UpstreamError> {
        let Grants { http, dialect, .. } = &*self.grants;
        let endpoint = connection.client.endpoints.device_authorization.as_ref();
        let endpoint = endpoint.ok_or(UpstreamError::NotSupported)?;
        let scope = (dialect.sent_scopes)(scopes).to_wire();
        let form = [("scope", scope.as_str())];
        let form = if scope.is_empty() { &[] } else { form.as_slice() };
        let answer = http.send(self.call(endpoint, connection, form)).await?;
        if answer.status == 404 && dialect.device_flow_may_be_missing {
            return Err(UpstreamError::NotSupported);
        }
        let begun =
            read_device_authorization(&answer, &dialect.errors, http.now()).map_err(not_for_devices)?;
        self.with_trusted_pages(&connection.client.endpoints, begun)
    }

    async fn poll_device(
        &self,
        connection: &ProviderConnection,
        device_code: &Secret,
        scopes: &Scopes,
    ) -> Result<DeviceAnswer, UpstreamError> {
        let form = [("grant_type", GRANT_TYPE), ("device_code", device_code.expose())];
        let Grants { http, dialect, .. } = &*self.grants;
        let answer = http.send(self.call(&connection.client.endpoints.token, connection, &form)).await?;
        if let Some(refusal) = read_poll_refusal(&answer, &dialect.errors, http.now())? {
            return Ok(refusal.into());
        }
        let answer = self.grants.read(&answer).map_err(not_for_devices)?;
        // A device flow has no nonce: the request that the ID token answers is the poll itself.
        let tokens = self.grants.settle(connection, answer, scopes, None).await;
        Ok(DeviceAnswer::Granted(Box::new(tokens)))
    }
}

impl DeviceFlow {
    fn call(&self, endpoint: &Url, connection: &ProviderConnection, form: &[(&str, &str)]) -> Call {
        if self.grants.dialect.secret_in_device_flow {
            Call::post_as_client(endpoint, connection, form)
        } else {
            Call::post_as_public_client(endpoint, connection, form)
        }
    }

    /// A person who types a code where an answer says does so at the provider, or not at all (RFC 8628, 5.4).
    fn with_trusted_pages(
        &self,
        endpoints: &ProviderEndpoints,
        begun: DeviceAuthorization,
    ) -> Result<DeviceAuthorization, UpstreamError> {
        if !self.is_trusted_page(endpoints, &begun.verification_uri) {
            return Err(untrusted("verification_uri"));
        }
        let complete = begun.verification_uri_complete.filter(|page| self.is_trusted_page(endpoints, page));
        Ok(DeviceAuthorization { verification_uri_complete: complete, ..begun })
    }

    fn is_trusted_page(&self, endpoints: &ProviderEndpoints, page: &Url) -> bool {
        let Grants { http, dialect, .. } = &*self.grants;
        let is_of_the_provider = page.host_str().is_some_and(|host| {
            dialect.device_page_hosts.contains(&host) || endpoints.hosts().any(|own| own == host)
        });
        is_of_the_provider && (page.scheme() == "https" || http.check(page).is_ok())
    }
}

impl From<PollRefusal> for DeviceAnswer {
    fn from(refusal: PollRefusal) -> Self {
        match refusal {
            PollRefusal::Pending => Self::Pending,
            PollRefusal::SlowDown { interval } => Self::SlowDown { interval },
            PollRefusal::Denied => Self::Denied,
            PollRefusal::Expired => Self::Expired,
        }
    }
}

/// `invalid_client` is also what Google and Microsoft say about clients that are not registered for devices, whose
/// credentials are good for everything else. Wrong credentials show in any other call.
fn not_for_devices(error: UpstreamError) -> UpstreamError {
    match error {
        UpstreamError::ClientRefused { code }
            if matches!(code.as_str(), "invalid_client" | "unauthorized_client") =>
        {
            UpstreamError::Misconfigured { code }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_not_for_devices_keeps_its_credentials() {
        let code = |code: &str| code.to_owned();
        for word in ["invalid_client", "unauthorized_client"] {
            let found = not_for_devices(UpstreamError::ClientRefused { code: code(word) });
            assert_eq!(found, UpstreamError::Misconfigured { code: code(word) });
        }
        let other = UpstreamError::ClientRefused { code: code("incorrect_client_credentials") };
        assert_eq!(not_for_devices(other.clone()), other);
    }
}
