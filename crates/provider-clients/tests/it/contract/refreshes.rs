//! Refreshing, by what becomes of the refresh token.

use std::time::Duration;

use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{ProviderKind, RefreshModel, RefreshRequest, TokenSet};

use super::{ALICE, Case};
use crate::world::{refused, secret};

impl Case<'_> {
    pub(super) async fn refreshes(&self) {
        self.fresh();
        match self.deployment.refresh {
            RefreshModel::Reusable => self.the_refresh_token_stays().await,
            RefreshModel::Rotating => self.the_old_refresh_token_is_dead_at_once().await,
            RefreshModel::RotatingWithGrace(grace) => self.the_old_refresh_token_dies_later(grace).await,
            RefreshModel::RotatingTolerant => self.the_old_refresh_token_stays_good().await,
        }
        self.an_answer_without_a_refresh_token_keeps_the_old_one().await;
        self.refusals_of_a_refresh_are_told_apart().await;
        self.a_refresh_token_that_grew_old_is_dead().await;
        self.the_redirect_uri_is_repeated_where_it_is_wanted().await;
    }

    /// A refresh that works and brings an access token that works.
    async fn refreshed(&self, refresh_token: &Secret) -> TokenSet {
        let tokens = self.refresh(refresh_token).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tokens.expires_in, self.deployment.lifetime.map(Duration::from_secs));
        assert_eq!(self.missing(&tokens), Scopes::default());
        assert_eq!(self.validate(&tokens.access_token).await, Ok(()));
        tokens
    }

    /// The same, with another refresh token.
    async fn rotated(&self, refresh_token: &Secret) -> Secret {
        let next = self.refreshed(refresh_token).await.refresh_token.expect("a new refresh token");
        assert_ne!(next.expose(), refresh_token.expose());
        next
    }

    async fn the_refresh_token_stays(&self) {
        let refresh_token = self.refresh_token(ALICE).await;
        for _ in 0..2 {
            assert!(self.refreshed(&refresh_token).await.refresh_token.is_none());
        }
    }

    async fn the_old_refresh_token_is_dead_at_once(&self) {
        let old = self.refresh_token(ALICE).await;
        let new = self.rotated(&old).await;
        self.rotated(&new).await;
        assert_eq!(refused(self.refresh(&old).await), self.refresh_token_refused());
    }

    async fn the_old_refresh_token_dies_later(&self, grace: Duration) {
        let old = self.refresh_token(ALICE).await;
        let new = self.rotated(&old).await;
        self.world.clock.advance(grace.saturating_sub(Duration::from_secs(1)));
        let again = self.refreshed(&old).await.refresh_token.expect("the refresh token in use");
        assert_eq!(again.expose(), new.expose(), "as the first answer, which may have been lost");
        self.world.clock.advance(Duration::from_secs(2));
        assert_eq!(refused(self.refresh(&old).await), self.refresh_token_refused());
        self.rotated(&new).await;
    }

    async fn the_old_refresh_token_stays_good(&self) {
        let old = self.refresh_token(ALICE).await;
        let new = self.rotated(&old).await;
        self.rotated(&old).await;
        self.rotated(&new).await;
    }

    async fn an_answer_without_a_refresh_token_keeps_the_old_one(&self) {
        self.fresh();
        let refresh_token = self.refresh_token(ALICE).await;
        self.set(|settings| settings.refresh_omits_refresh_token = true);
        for _ in 0..2 {
            let answer = self.refresh(&refresh_token).await.unwrap_or_else(|error| panic!("{error}"));
            assert!(answer.refresh_token.is_none());
            assert_eq!(self.validate(&answer.access_token).await, Ok(()));
        }
    }

    async fn refusals_of_a_refresh_are_told_apart(&self) {
        self.fresh();
        let refresh_token = self.refresh_token(ALICE).await;
        let wrong = refused(self.refresh_with("wrong-secret", &refresh_token).await);
        assert_eq!(wrong, self.client_refused(), "which costs the grant nothing");
        assert!(self.refresh(&refresh_token).await.is_ok());
        assert_eq!(refused(self.refresh(&secret("unknown")).await), self.refresh_token_refused());
    }

    async fn a_refresh_token_that_grew_old_is_dead(&self) {
        self.fresh();
        self.set(|settings| settings.refresh_token_lifetime = Some(60));
        let refresh_token = self.refresh_token(ALICE).await;
        self.world.clock.advance(Duration::from_secs(61));
        assert_eq!(refused(self.refresh(&refresh_token).await), self.refresh_token_refused());
    }
    async fn the_redirect_uri_is_repeated_where_it_is_wanted(&self) {
        self.fresh();
        let refresh_token = self.refresh_token(ALICE).await;
        let redirect_uri = Some("http://127.0.0.1:9/other".to_owned());
        let request = RefreshRequest { redirect_uri, ..self.refresh_request(&refresh_token) };
        let refresh = self.world.client.refresh().expect("every type here refreshes");
        let refreshed = refresh.refresh_token(&self.connection(), &request).await;
        if self.deployment.kind == ProviderKind::Gitlab {
            assert_eq!(refused(refreshed), self.refresh_token_refused(), "it is sent, and compared");
        } else {
            assert!(refreshed.is_ok(), "nobody else is told");
        }
    }
}
