//! What an app may do with the tokens that it was given: revoke them, and ask about them
//! (<https://docs.github.com/en/rest/apps/oauth-applications>).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    ProviderConnection, RefreshRequest, RefreshTokens, RevocationScope, RevokeTokens, TokenSet,
    TokenToRevoke, UpstreamError, ValidateTokens,
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use url::Url;

use super::HEADERS;
use super::deployment::{at_api, is_cloud, segment};
use super::new_token::{asked_again, refuses_token};
use crate::failure::unavailable;
use crate::grants::Grants;
use crate::http::{Answer, Call, GuardedClient};

/// How long a deletion may take that must leave time for others and for the last resort.
const SHORT: Duration = Duration::from_secs(4);

/// Calls with the client's credentials.
pub(super) struct AppTokens {
    pub(super) http: Arc<GuardedClient>,
    pub(super) grants: Arc<Grants>,
}

#[async_trait]
impl RevokeTokens for AppTokens {
    /// The person's consent stays, and so do other tokens of theirs.
    fn scope(&self) -> RevocationScope {
        RevocationScope::Token
    }

    /// GitHub deletes single access tokens and says nothing about their refresh tokens. So a refresh token is used up
    /// first, which ends the old pair at once, and the access token that comes of it is deleted: after that nobody holds
    /// a token that is good. A refresh token that is refused was dead, and its access token may still live;
    /// so it may when the refresh token could not be used up otherwise, which is then still to be done.
    async fn revoke_token(
        &self,
        connection: &ProviderConnection,
        tokens: &TokenToRevoke,
    ) -> Result<(), UpstreamError> {
        let used_up = match &tokens.refresh_token {
            Some(refresh_token) => self.use_up(connection, refresh_token).await,
            None => Ok(None),
        };
        if let Ok(Some(new)) = &used_up {
            return self.take_back(connection, new).await;
        }
        let deleted = match &tokens.access_token {
            Some(access_token) => self.delete(connection, access_token).await.map(drop),
            None => Ok(()),
        };
        used_up.and(deleted)
    }
}

/// How a deletion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deletion {
    Done,
    /// GitHub does not know the token, or no longer, or not yet.
    Unknown,
}

impl AppTokens {
    /// Redeems a refresh token. `None`: it was dead.
    async fn use_up(
        &self,
        connection: &ProviderConnection,
        refresh_token: &Secret,
    ) -> Result<Option<TokenSet>, UpstreamError> {
        let refresh_token = Secret::new(refresh_token.expose().to_owned());
        let request = RefreshRequest { refresh_token, scopes: Scopes::default(), redirect_uri: None };
        match self.grants.refresh_token(connection, &request).await {
            Ok(tokens) => Ok(Some(tokens)),
            Err(UpstreamError::GrantRefused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends a pair that only we have, and only now: the next attempt would know nothing of it.
    async fn take_back(&self, connection: &ProviderConnection, new: &TokenSet) -> Result<(), UpstreamError> {
        let is_done = |deleted: &Result<Deletion, UpstreamError>| *deleted == Ok(Deletion::Done);
        let delete = async || {
            let deleting = self.http.within(SHORT, self.delete(connection, &new.access_token));
            deleting.await.unwrap_or_else(|| Err(unavailable("timeout")))
        };
        match asked_again(&self.http, |deleted| !is_done(deleted), delete).await {
            Ok(_) => Ok(()),
            Err(error) if !is_cloud(&connection.client.endpoints) => Err(error),
            Err(error) => self.report_leaked(connection, new).await.map_err(|_| error),
        }
    }

    /// The last resort: GitHub's own hosts end any token that somebody says has leaked, and write to its owner
    /// (<https://docs.github.com/en/rest/credentials/revoke>). Whoever proves who they are is refused.
    async fn report_leaked(
        &self,
        connection: &ProviderConnection,
        new: &TokenSet,
    ) -> Result<(), UpstreamError> {
        let tokens = [Some(&new.access_token), new.refresh_token.as_ref()];
        let credentials: Vec<&str> = tokens.into_iter().flatten().map(Secret::expose).collect();
        let url = address(connection, "/credentials/revoke")?;
        let answer =
            self.send(Call::json(Method::POST, &url, &json!({ "credentials": credentials }))).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(unavailable("unknown_error"));
        }
        tracing::warn!("GitHub was told that tokens have leaked, since it did not delete them");
        Ok(())
    }

    /// Deletes an access token.
    async fn delete(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Deletion, UpstreamError> {
        let answer = self.about(Method::DELETE, connection, access_token).await?;
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => Ok(Deletion::Unknown),
            status if status.is_success() => Ok(Deletion::Done),
            _ => Err(unavailable("unknown_error")),
        }
    }

    async fn about(
        &self,
        method: Method,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Answer, UpstreamError> {
        let path = format!("/applications/{}/token", segment(&connection.client.client_id));
        let url = address(connection, &path)?;
        let call = Call::json(method, &url, &json!({"access_token": access_token.expose()}));
        let answer = self.send(call.basic(connection)).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(UpstreamError::ClientRefused { code: "incorrect_client_credentials".to_owned() });
        }
        Ok(answer)
    }

    /// What GitHub says of an access token that it takes for one of our client's. One of another client is unknown to it.
    pub(super) async fn check(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Answer, UpstreamError> {
        let check = async || {
            let answer = self.about(Method::POST, connection, access_token).await?;
            match answer.status {
                StatusCode::NOT_FOUND => Err(UpstreamError::TokenRefused),
                status if status.is_success() => Ok(answer),
                _ => Err(unavailable("unknown_error")),
            }
        };
        asked_again(&self.http, refuses_token, check).await
    }

    async fn send(&self, call: Call) -> Result<Answer, UpstreamError> {
        let call = HEADERS.iter().fold(call, |call, (name, value)| call.header(*name, value));
        let answer = self.http.send(call).await?;
        match answer.trouble(self.http.now()) {
            Some(trouble) => Err(trouble),
            None => Ok(answer),
        }
    }
}

#[async_trait]
impl ValidateTokens for AppTokens {
    async fn validate_token(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<(), UpstreamError> {
        self.check(connection, access_token).await.map(drop)
    }
}

fn address(connection: &ProviderConnection, path: &str) -> Result<Url, UpstreamError> {
    at_api(&connection.client.endpoints, path).ok_or(UpstreamError::NotSupported)
}
