//! Revoking: what it takes away, and what it leaves.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::providers::{
    ProviderConnection, ProviderKind, RevocationScope, RevokeTokens, TokenSet, TokenToRevoke, UpstreamError,
};
use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace};

use super::{ALICE, Case};
use crate::deployments::Revocation;
use crate::world::{CLIENT_SECRET, connection_of, refused, secret};

fn both(tokens: &TokenSet) -> TokenToRevoke {
    TokenToRevoke {
        access_token: Some(secret(tokens.access_token.expose())),
        refresh_token: tokens.refresh_token.as_ref().map(|token| secret(token.expose())),
    }
}

impl Case<'_> {
    pub(super) async fn revocations(&self) {
        let endpoints = &self.world.endpoints;
        let Some((revocation, revoke)) = self.deployment.revocation.zip(self.world.client.revoke(endpoints))
        else {
            return;
        };
        self.a_revocation_takes_what_it_says(revocation, &revoke).await;
        self.a_revocation_that_failed_can_be_tried_again(&revoke).await;
        self.a_stumble_leaves_no_good_token(&revoke).await;
        self.what_is_gone_counts_as_revoked(&revoke).await;
        self.a_used_up_refresh_token_keeps_nothing_alive(&revoke).await;
        self.a_refresh_token_alone_can_be_revoked(&revoke).await;
        if revocation.authenticated {
            self.a_wrong_secret_revokes_nothing(&revoke).await;
        }
    }

    /// The same person at another client, which may belong to the same project.
    fn other_client(&self) -> ProviderConnection {
        connection_of(self.world.endpoints.clone(), "client-2", CLIENT_SECRET)
    }

    async fn a_revocation_takes_what_it_says(&self, revocation: Revocation, revoke: &Arc<dyn RevokeTokens>) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        let again = self.tokens(ALICE).await;
        let elsewhere = self.tokens_for(&self.other_client(), ALICE).await;
        let bobs = self.tokens("bob").await;
        assert_eq!(revoke.revoke_token(&self.connection(), &both(&tokens)).await, Ok(()));

        assert!(self.is_dead(&tokens).await);
        let refresh_token = tokens.refresh_token.as_ref().expect("a refresh token");
        assert_eq!(refused(self.refresh(refresh_token).await), self.refresh_token_refused());
        assert_eq!(self.is_dead(&again).await, revocation.ends_other_grants, "another grant");
        assert_eq!(self.is_dead_at(&self.other_client(), &elsewhere).await, revocation.ends_other_clients);
        assert!(!self.is_dead(&bobs).await, "another person");
    }

    async fn is_dead(&self, tokens: &TokenSet) -> bool {
        self.is_dead_at(&self.connection(), tokens).await
    }

    async fn is_dead_at(&self, connection: &ProviderConnection, tokens: &TokenSet) -> bool {
        let validate = self
            .world
            .client
            .validate(&self.world.endpoints, &self.world.scopes)
            .expect("every type here validates");
        match validate.validate_token(connection, &tokens.access_token).await {
            Ok(()) => false,
            Err(UpstreamError::TokenRefused) => true,
            Err(error) => panic!("{error}"),
        }
    }

    async fn a_revocation_that_failed_can_be_tried_again(&self, revoke: &Arc<dyn RevokeTokens>) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        let effect = FaultEffect::Status { status: 503, retry_after: Some(7), body: None };
        self.site.set_faults([Fault::once(FaultPlace::Revoke, effect).until_cleared()]);
        let error = revoke.revoke_token(&self.connection(), &both(&tokens)).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        self.site.set_faults([]);
        assert_eq!(revoke.revoke_token(&self.connection(), &both(&tokens)).await, Ok(()));
        assert!(self.is_dead(&tokens).await);
    }

    /// Not even one that the revocation itself has brought into the world.
    async fn a_stumble_leaves_no_good_token(&self, revoke: &Arc<dyn RevokeTokens>) {
        for stumbles in 1..=self.stumbles_to_survive() {
            self.fresh();
            let before = self.site.issued_secrets().len();
            let tokens = self.tokens(ALICE).await;
            let stumble =
                Fault::status(FaultPlace::Revoke, 502).times(stumbles.try_into().expect("one or more"));
            self.site.set_faults([stumble]);
            let mut revoked = revoke.revoke_token(&self.connection(), &both(&tokens)).await;
            for _ in 0..stumbles {
                if revoked.is_err() {
                    revoked = revoke.revoke_token(&self.connection(), &both(&tokens)).await;
                }
            }
            assert_eq!(revoked, Ok(()), "after {stumbles}");
            for issued in &self.site.issued_secrets()[before..] {
                let found = self.validate(&secret(issued)).await;
                assert_eq!(found, Err(UpstreamError::TokenRefused), "after {stumbles}");
            }
        }
    }

    /// How many calls in a row may fail. The fourth one at GitHub's own hosts is another way to revoke.
    fn stumbles_to_survive(&self) -> u32 {
        match self.deployment.kind {
            ProviderKind::Github if self.deployment.host.is_self_managed() => 2,
            _ => 3,
        }
    }

    async fn what_is_gone_counts_as_revoked(&self, revoke: &Arc<dyn RevokeTokens>) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        for _ in 0..2 {
            assert_eq!(revoke.revoke_token(&self.connection(), &both(&tokens)).await, Ok(()));
        }
        let unknown = TokenToRevoke {
            access_token: Some(secret("unknown")),
            refresh_token: Some(secret("unknown too")),
        };
        assert_eq!(revoke.revoke_token(&self.connection(), &unknown).await, Ok(()));
        let calls = self.site.stats().revoke_calls.len();
        let nothing = TokenToRevoke { access_token: None, refresh_token: None };
        assert_eq!(revoke.revoke_token(&self.connection(), &nothing).await, Ok(()));
        assert_eq!(self.site.stats().revoke_calls.len(), calls, "nobody is asked about nothing");
    }

    /// The answer that had the next refresh token got lost. The provider may still know the access token.
    async fn a_used_up_refresh_token_keeps_nothing_alive(&self, revoke: &Arc<dyn RevokeTokens>) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        let known = TokenToRevoke { refresh_token: Some(secret("used up")), ..both(&tokens) };
        assert_eq!(revoke.revoke_token(&self.connection(), &known).await, Ok(()));
        let sends_one =
            self.deployment.revocation.is_some_and(|revocation| revocation.scope == RevocationScope::Project);
        assert_eq!(self.is_dead(&tokens).await, !sends_one);
    }

    async fn a_refresh_token_alone_can_be_revoked(&self, revoke: &Arc<dyn RevokeTokens>) {
        self.fresh();
        let mut tokens = self.tokens(ALICE).await;
        let refresh_token = tokens.refresh_token.take().expect("a refresh token");
        let alone = TokenToRevoke { access_token: None, refresh_token: Some(secret(refresh_token.expose())) };
        match revoke.revoke_token(&self.connection(), &alone).await {
            Ok(()) => assert_eq!(refused(self.refresh(&refresh_token).await), self.refresh_token_refused()),
            Err(error) => assert_eq!(error, UpstreamError::NotSupported, "never a pretended success"),
        }
    }

    async fn a_wrong_secret_revokes_nothing(&self, revoke: &Arc<dyn RevokeTokens>) {
        self.fresh();
        let tokens = self.tokens(ALICE).await;
        let wrong = self.connection_with("wrong-secret");
        let error = revoke.revoke_token(&wrong, &both(&tokens)).await.unwrap_err();
        assert!(matches!(error, UpstreamError::ClientRefused { .. }), "{error:?}");
        assert!(!self.is_dead(&tokens).await);
    }
}
