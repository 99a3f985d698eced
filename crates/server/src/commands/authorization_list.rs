//! `authorization list`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::authorizations::AuthorizationView;
use serde::Serialize;

use super::named::Whose;
use super::shown::{Time, or_dash};
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List authorizations with the state of their grants, oldest first for each account.
#[derive(Debug, Args)]
pub(crate) struct AuthorizationList {
    #[command(flatten)]
    whose: Whose,
    /// Only those that are not well: expired, at a provider that is paused or refuses us, or failing to refresh.
    #[arg(long)]
    troubled: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Authorizations {
    authorizations: Vec<Listed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    /// The account's e-mail address.
    email: String,
    /// The provider's slug; one that could not be deleted has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    provider_id: String,
    /// Who the account is at the provider.
    subject: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    status_since: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_refreshed_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Time>,
}

impl Listed {
    fn of(account: &Account, view: &AuthorizationView) -> Self {
        let AuthorizationView { authorization, provider, status, status_reason, status_since } = view;
        Self {
            id: authorization.id.to_string(),
            email: account.email.as_str().to_owned(),
            provider: provider.slug.as_ref().map(|slug| slug.as_str().to_owned()),
            provider_id: provider.id.to_string(),
            subject: authorization.subject.clone(),
            status: status.as_str(),
            status_reason: status_reason.clone(),
            status_since: Time(*status_since),
            access_token_expires_at: authorization.expires_at.map(Time),
            last_refreshed_at: authorization.last_refreshed_at.map(Time),
            next_attempt_at: authorization.next_attempt_at.map(Time),
        }
    }

    /// A reason is there only when something is, or was a moment ago, wrong.
    fn is_troubled(&self) -> bool {
        self.status_reason.is_some()
    }

    fn status(&self) -> String {
        match &self.status_reason {
            Some(reason) => format!("{} ({reason})", self.status),
            None => self.status.to_owned(),
        }
    }
}

impl fmt::Display for Authorizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authorizations.is_empty() {
            return f.write_str("there are no such authorizations");
        }
        let row = |listed: &Listed| {
            [
                listed.id.clone(),
                listed.email.clone(),
                listed.provider.clone().unwrap_or_else(|| listed.provider_id.clone()),
                listed.subject.clone(),
                listed.status(),
                listed.status_since.to_string(),
                or_dash(listed.access_token_expires_at),
                or_dash(listed.last_refreshed_at),
                or_dash(listed.next_attempt_at),
            ]
        };
        let rows: Vec<_> = self.authorizations.iter().map(row).collect();
        let head = [
            "ID",
            "EMAIL",
            "PROVIDER",
            "SUBJECT",
            "STATUS",
            "SINCE",
            "TOKEN EXPIRES",
            "REFRESHED",
            "NEXT TRY",
        ];
        write_table(f, head, &rows)
    }
}

impl AuthorizationList {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Authorizations, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let now = with.clock.now();
        let mut authorizations = Vec::new();
        for (_, account) in self.whose.accounts(&*with.store).await? {
            let found = with.store.authorizations_of(account.id).await?;
            authorizations.extend(
                found
                    .into_iter()
                    .map(|(row, provider)| Listed::of(&account, &AuthorizationView::of(row, provider, now)))
                    .filter(|listed| !self.troubled || listed.is_troubled()),
            );
        }
        Ok(Authorizations { authorizations })
    }
}
