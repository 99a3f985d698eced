//! `external-auth access-token`.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use grantkeeper_client::shown;
use grantkeeper_client::tokens::{LentToken, LinkToken, Patience, Wanted};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use url::Url;

use super::signed_in;
use crate::failure::Failure;

/// Print an access token, and nothing else: exit status 0. Without a link, print the page to link on: exit status 1.
#[derive(Debug, Args)]
pub(crate) struct AccessToken {
    /// The provider, by its slug or id.
    #[arg(value_name = "ID", required_unless_present = "remote", conflicts_with = "remote")]
    provider: Option<String>,
    /// The provider that has this git remote, in any spelling that git takes.
    #[arg(long = "match", value_name = "REMOTE")]
    remote: Option<String>,
    /// Print what the provider has told beside the token instead, by its dotted path: scope
    #[arg(long, value_name = "PATH")]
    extra: Option<String>,
}

/// What there is. It may be a token, so it has no `Debug`.
pub(crate) enum Found {
    Token(Box<LentToken>),
    Extra(Value),
    NotLinked(Url),
}

impl Found {
    /// Scripts ask with `if`.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Token(_) | Self::Extra(_) => ExitCode::SUCCESS,
            Self::NotLinked(_) => ExitCode::FAILURE,
        }
    }
}

/// For scripts: no word more than that.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(token) => f.write_str(token.access_token.expose()),
            Self::Extra(Value::String(text)) => f.write_str(text),
            Self::Extra(value) => value.fmt(f),
            Self::NotLinked(url) => f.write_str(url.as_str()),
        }
    }
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        match self {
            Self::Token(token) => {
                members.serialize_entry("accessToken", token.access_token.expose())?;
                members.serialize_entry("type", &token.kind)?;
                members.serialize_entry("username", token.username.expose())?;
                members.serialize_entry("password", token.password.expose())?;
                members.serialize_entry("tokenExtra", &token.extra)?;
            }
            Self::Extra(value) => members.serialize_entry("value", value)?,
            Self::NotLinked(url) => members.serialize_entry("url", url.as_str())?,
        }
        members.end()
    }
}

impl AccessToken {
    pub(super) async fn run(&self) -> Result<Found, Failure> {
        let (wanted, name) = match (&self.provider, &self.remote) {
            (_, Some(remote)) => (Wanted::Remote(remote), remote.as_str()),
            (provider, None) => {
                let name = provider.as_deref().unwrap_or_default();
                (Wanted::Provider(name), name)
            }
        };
        let found = signed_in::service()?.link_token(wanted, Patience::Ask).await;
        let token = match found.map_err(|error| signed_in::about(name, error))? {
            LinkToken::NotLinked { url } => return Ok(Found::NotLinked(url)),
            LinkToken::Linked(token) => token,
        };
        match &self.extra {
            None => Ok(Found::Token(token)),
            Some(path) => match token.extra_at(path) {
                Some(value) => Ok(Found::Extra(value.clone())),
                None => Err(nothing_at(path, &token)),
            },
        }
    }
}

fn nothing_at(path: &str, token: &LentToken) -> Failure {
    let names: Vec<_> = token.extra.keys().map(|name| shown(name)).collect();
    let there_is = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    Failure::of(format!("the provider has told no {} beside the token; there is {there_is}", shown(path)))
}
