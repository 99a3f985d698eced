//! Organizations, accounts, identities and tokens as commands show them.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use grantkeeper_domain::accounts::{Account, ApiToken, Organization, Standing, TokenPurpose};
use grantkeeper_domain::login::LoginIdentity;
use serde::{Serialize, Serializer};

/// A time: RFC 3339 in UTC, to the second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) DateTime<Utc>);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An organization.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownOrganization {
    pub(super) id: String,
    pub(super) name: String,
    /// Empty: the default, loopback.
    pub(super) redirect_uris: Vec<String>,
    pub(super) standing: &'static str,
    pub(super) created_at: Time,
}

impl From<&Organization> for ShownOrganization {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.id.to_string(),
            name: organization.name.as_str().to_owned(),
            redirect_uris: organization.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
            standing: organization.standing.as_str(),
            created_at: Time(organization.created_at),
        }
    }
}

impl ShownOrganization {
    /// Where its flows may return to, in words.
    pub(super) fn redirects(&self) -> String {
        if self.redirect_uris.is_empty() {
            "loopback addresses (the default)".to_owned()
        } else {
            self.redirect_uris.join(", ")
        }
    }
}

/// An account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownAccount {
    pub(super) id: String,
    pub(super) organization_id: String,
    pub(super) email: String,
    pub(super) role: &'static str,
    pub(super) standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suspended_at: Option<Time>,
    pub(super) created_at: Time,
}

impl From<&Account> for ShownAccount {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            organization_id: account.organization_id.to_string(),
            email: account.email.as_str().to_owned(),
            role: account.role.as_str(),
            standing: account.standing.as_str(),
            suspended_at: account.suspended_at.map(Time),
            created_at: Time(account.created_at),
        }
    }
}

impl ShownAccount {
    /// Whether anybody gets in as it, in a word.
    pub(super) fn standing(&self) -> &'static str {
        match self.suspended_at {
            Some(_) if self.standing == Standing::Active.as_str() => "suspended",
            _ => self.standing,
        }
    }
}

/// Somebody at a provider who signs in as an account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownIdentity {
    pub(super) id: String,
    pub(super) account_id: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) linked_at: Time,
}

impl From<&LoginIdentity> for ShownIdentity {
    fn from(identity: &LoginIdentity) -> Self {
        Self {
            id: identity.id.to_string(),
            account_id: identity.account_id.to_string(),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            linked_at: Time(identity.created_at),
        }
    }
}

/// What is known of an API token; the token itself is shown once, by the command that issues it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownToken {
    pub(super) id: String,
    pub(super) account_id: String,
    /// `api`, `agent` of one that reads access tokens and no more, or `browser` of one that is the session of a browser.
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_used_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revoked_at: Option<Time>,
}

/// The kind of an agent's token.
const AGENT: &str = "agent";

impl ShownToken {
    /// Whether it is an agent's.
    pub(super) fn is_agent(&self) -> bool {
        self.kind == AGENT
    }

    pub(super) fn of(token: &ApiToken, now: DateTime<Utc>) -> Self {
        let status = match token.revoked_at {
            Some(_) => "revoked",
            None if token.is_usable(now) => "usable",
            None => "expired",
        };
        let kind = match token.purpose {
            TokenPurpose::Api => "api",
            TokenPurpose::Agent => AGENT,
            TokenPurpose::Session { .. } => "browser",
        };
        Self {
            id: token.id.to_string(),
            account_id: token.account_id.to_string(),
            kind,
            status,
            created_at: Time(token.created_at),
            expires_at: token.expires_at.map(Time),
            last_used_at: token.last_used_at.map(Time),
            revoked_at: token.revoked_at.map(Time),
        }
    }
}

/// A time that may be missing, in words.
pub(super) fn or_dash(time: Option<Time>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.to_string())
}
