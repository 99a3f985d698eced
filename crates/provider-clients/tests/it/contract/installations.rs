//! Installations of a GitHub App.

use std::collections::BTreeSet;

use grantkeeper_domain::providers::{Installation, UpstreamError};

use super::{ALICE, Case};
use crate::world::secret;

impl Case<'_> {
    pub(super) async fn installations(&self) {
        let Some(installations) = self.world.client.installations(&self.world.endpoints) else { return };
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        if self.deployment.app_slug.is_none() {
            let refused = installations.installations(&self.connection(), &tokens.access_token).await;
            assert_eq!(refused, Err(UpstreamError::NotSupported), "there is no app");
            return;
        }
        // None, one page, one full page, and several.
        for number in [0, 3, 100, 250] {
            self.set(|settings| settings.installations = number);
            let listed = installations.installations(&self.connection(), &tokens.access_token).await;
            let listed = listed.unwrap_or_else(|error| panic!("{error}"));
            let ids: BTreeSet<_> = listed.iter().map(|installation| installation.id).collect();
            assert_eq!(ids.len(), usize::try_from(number).unwrap(), "each once");
            let account = |installation: &Installation| installation.account.clone();
            assert!(listed.iter().filter_map(account).all(|account| !account.login.is_empty()));
            assert!(listed.iter().all(|installation| installation.account.is_some()));
        }
        self.set(|settings| settings.replica_lag = 2);
        let new = self.tokens(ALICE).await;
        let listed = installations.installations(&self.connection(), &new.access_token).await;
        assert!(listed.is_ok(), "the token is new");
        let refused = installations.installations(&self.connection(), &secret("unknown")).await;
        assert_eq!(refused, Err(UpstreamError::TokenRefused));
    }
}
