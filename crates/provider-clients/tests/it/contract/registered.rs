//! What a registration learned, and what the client says that it can do.

use grantkeeper_domain::authorizations::Scopes;

use super::Case;

impl Case<'_> {
    pub(super) fn registration_tells_what_there_is(&self) {
        let (deployment, endpoints) = (self.deployment, &self.world.endpoints);
        assert_eq!(self.world.scopes, Scopes::parse(deployment.scopes));
        let (world, app_slug) = (self.world, self.deployment.app_slug);
        assert_eq!(world.client.check_scopes(&world.endpoints, app_slug, &world.scopes), Ok(()));
        assert_eq!(endpoints.client_authentication, deployment.authentication);
        assert_eq!(endpoints.pkce, deployment.pkce);
        assert_eq!(endpoints.issuer, self.world.address(deployment.issuer));

        let client = &self.world.client;
        assert!(client.refresh().is_some());
        assert_eq!(client.refresh_model(endpoints), deployment.refresh);
        let scope = client.revoke(endpoints).map(|revoke| revoke.scope());
        assert_eq!(scope, deployment.revocation.map(|revocation| revocation.scope));
        assert!(client.validate(endpoints, &self.world.scopes).is_some());
        assert_eq!(client.audience(endpoints).is_some(), deployment.audience.is_some());
        assert_eq!(client.device(endpoints).is_some(), deployment.device.is_some());
        assert_eq!(endpoints.device_authorization.is_some(), deployment.device.is_some());
        assert_eq!(client.installations(endpoints).is_some(), deployment.installations);
    }
}
