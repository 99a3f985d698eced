//! `audit list`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::audit::{Actor, AuditEntry};
use serde::Serialize;

use super::named;
use super::shown::Time;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List the newest entries of an organization's audit log, newest first.
#[derive(Debug, Args)]
pub(crate) struct AuditList {
    /// The organization, by id or name.
    #[arg(long)]
    org: String,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    at: Time,
    /// `account`, `operator` or `service`.
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<String>,
    action: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// The fingerprint of the token that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// How often it happened within one second.
    count: u32,
    /// When it happened last, where it happened more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<Time>,
}

impl From<AuditEntry> for Entry {
    fn from(entry: AuditEntry) -> Self {
        let (actor, account_id, token_id) = match entry.actor {
            Actor::Account { account_id, token_id } => {
                ("account", Some(account_id.to_string()), Some(token_id.to_string()))
            }
            Actor::Operator => ("operator", None, None),
            Actor::ServiceFor { account_id } => ("service", Some(account_id.to_string()), None),
            Actor::Service => ("service", None, None),
        };
        Self {
            id: entry.id.to_string(),
            at: Time(entry.at),
            actor,
            account_id,
            token_id,
            action: entry.action.as_str(),
            outcome: entry.outcome.as_str(),
            reason: entry.reason,
            provider_id: entry.provider_id.map(|id| id.to_string()),
            authorization_id: entry.authorization_id.map(|id| id.to_string()),
            subject: entry.subject,
            token: entry.token.map(|token| token.as_str().to_owned()),
            request_id: entry.request_id,
            count: entry.count,
            last_at: entry.last_at.map(Time),
        }
    }
}

impl Entry {
    fn who(&self) -> String {
        self.account_id.clone().unwrap_or_else(|| self.actor.to_owned())
    }

    fn action(&self) -> String {
        match self.count {
            1 => self.action.to_owned(),
            count => format!("{} ({count} times)", self.action),
        }
    }

    fn outcome(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{} ({reason})", self.outcome),
            None => self.outcome.to_owned(),
        }
    }

    /// What it is about, the narrowest thing.
    fn about(&self) -> String {
        let about = self.authorization_id.as_ref().or(self.subject.as_ref()).or(self.provider_id.as_ref());
        about.cloned().unwrap_or_else(|| "-".to_owned())
    }
}

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |entry: &Entry| {
            [entry.at.to_string(), entry.who(), entry.action(), entry.outcome(), entry.about()]
        };
        let rows: Vec<_> = self.entries.iter().map(row).collect();
        write_table(f, ["AT", "WHO", "ACTION", "OUTCOME", "ABOUT"], &rows)
    }
}

impl AuditList {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Entries, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let found = named::organization(&*with.store, &self.org).await;
        let id = match &found {
            Ok(organization) => Some(organization.id),
            // The log of one that was deleted is still there.
            Err(_) => self.org.parse().ok(),
        };
        let entries = match id {
            Some(id) => with.store.newest_entries(id, self.limit).await?,
            None => Vec::new(),
        };
        if entries.is_empty() {
            found?;
        }
        Ok(Entries { entries: entries.into_iter().map(Entry::from).collect() })
    }
}
