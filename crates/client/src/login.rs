//! Signing in: in a browser, by device code, or with a token that is there already.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::service::Wait;
use crate::{ClientError, Secret, Service};

/// An API token, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub account_id: String,
    /// From when on it is refused; the end of the year 9999 where it never is.
    pub expires_at: DateTime<Utc>,
}

/// An API token that was made just now.
#[derive(Deserialize)]
pub struct NewToken {
    #[serde(rename = "data")]
    token: Token,
    secret: SecretValue,
}

#[derive(Deserialize)]
struct SecretValue {
    value: Secret,
}

impl NewToken {
    /// What is known of it, and what to call with.
    pub fn into_parts(self) -> (Token, Secret) {
        (self.token, self.secret.value)
    }
}

/// A login in a browser that was started.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebLogin {
    /// The page to open.
    pub url: Url,
    /// What the person compares with the page.
    #[serde(default)]
    pub match_code: String,
    state: Secret,
}

/// A login by device code that was begun.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceLogin {
    /// Where the person types the code.
    pub url: Url,
    /// What the person types.
    pub user_code: String,
    /// When it is no longer good.
    pub expires: DateTime<Utc>,
    encoded_session: Secret,
}

impl Service {
    /// Starts a login in a browser, at the login provider of that name. The caller shows the code to compare.
    pub async fn start_web_login(&self, provider: &str) -> Result<WebLogin, ClientError> {
        let mut url = self.url().at(["v1", "login", "oauth2", "web", "authorize"]);
        url.query_pairs_mut().append_pair("provider", provider).append_pair("match-code", "shown");
        self.get(url, Wait::Short).await?.json()
    }

    /// Asks whether the person has signed in; to be asked once a second. `None`: not yet.
    pub async fn poll_web_login(&self, login: &WebLogin) -> Result<Option<NewToken>, ClientError> {
        let mut url = self.url().at(["v1", "login", "oauth2", "web", "poll"]);
        url.query_pairs_mut().append_pair("state", login.state.expose());
        let answer = self.get(url, Wait::Short).await?;
        if answer.status() == StatusCode::ACCEPTED { Ok(None) } else { answer.json().map(Some) }
    }

    /// Begins a login by device code, at the login provider that the operator has chosen for that.
    pub async fn start_device_login(&self) -> Result<DeviceLogin, ClientError> {
        self.post(self.url().at(["login", "oauth2", "device", "start"])).await?.json()
    }

    /// Waits until the person has answered.
    pub async fn complete_device_login(&self, login: &DeviceLogin) -> Result<NewToken, ClientError> {
        let url = self.url().at(["login", "oauth2", "device", "complete"]);
        self.post_json(url, &login.encoded_session.expose(), Wait::ForAPerson).await?.json()
    }

    /// The token that this calls with.
    pub async fn own_token(&self) -> Result<Token, ClientError> {
        self.get(self.own_token_url(), Wait::Short).await?.json()
    }

    /// Revokes the token that this calls with.
    pub async fn revoke_own_token(&self) -> Result<(), ClientError> {
        self.delete(self.own_token_url()).await?.success().map(drop)
    }

    fn own_token_url(&self) -> Url {
        self.url().at(["v1", "login", "token"])
    }
}
