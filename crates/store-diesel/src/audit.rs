//! The audit log.

use async_trait::async_trait;
use diesel::dsl::{auto_type, count_star};
use diesel::prelude::*;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry, AuditLog, AuditOutcome};
use grantkeeper_domain::ids::OrganizationId;
use grantkeeper_domain::secret::Fingerprint;

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::Statement;
use crate::failure::Unreadable;
use crate::rows::FromRow;
use crate::schema::audit_entries;

#[derive(Queryable, Insertable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
pub(crate) struct AuditRow {
    id: Id,
    at: Time,
    organization_id: Id,
    actor: String,
    actor_account_id: Option<Id>,
    actor_token_id: Option<Id>,
    action: String,
    outcome: String,
    reason: Option<String>,
    provider_id: Option<Id>,
    authorization_id: Option<Id>,
    subject: Option<String>,
    token: Option<String>,
    request_id: Option<String>,
}

impl From<&AuditEntry> for AuditRow {
    fn from(entry: &AuditEntry) -> Self {
        let (actor, account_id, token_id) = match entry.actor {
            Actor::Account { account_id, token_id } => ("account", Some(account_id), Some(token_id)),
            Actor::Operator => ("operator", None, None),
            Actor::ServiceFor { account_id } => ("service", Some(account_id), None),
            Actor::Service => ("service", None, None),
        };
        Self {
            id: entry.id.into(),
            at: entry.at.into(),
            organization_id: entry.organization_id.into(),
            actor: actor.to_owned(),
            actor_account_id: account_id.map(Into::into),
            actor_token_id: token_id.map(Into::into),
            action: entry.action.as_str().to_owned(),
            outcome: entry.outcome.as_str().to_owned(),
            reason: entry.reason.clone(),
            provider_id: entry.provider_id.map(Into::into),
            authorization_id: entry.authorization_id.map(Into::into),
            subject: entry.subject.clone(),
            token: entry.token.as_ref().map(|token| token.as_str().to_owned()),
            request_id: entry.request_id.clone(),
        }
    }
}

impl FromRow for AuditEntry {
    type Row = AuditRow;

    fn from_row(row: AuditRow) -> Result<Self, Unreadable> {
        let actor = match (row.actor.as_str(), row.actor_account_id, row.actor_token_id) {
            ("account", Some(account), Some(token)) => {
                Actor::Account { account_id: account.into(), token_id: token.into() }
            }
            ("operator", None, None) => Actor::Operator,
            ("service", Some(account), None) => Actor::ServiceFor { account_id: account.into() },
            ("service", None, None) => Actor::Service,
            _ => return Err(Unreadable("audit_entries.actor")),
        };
        Ok(Self {
            id: row.id.into(),
            at: row.at.into(),
            organization_id: row.organization_id.into(),
            actor,
            action: action(&row.action)?,
            outcome: outcome(&row.outcome)?,
            reason: row.reason,
            provider_id: row.provider_id.map(Into::into),
            authorization_id: row.authorization_id.map(Into::into),
            subject: row.subject,
            token: row.token.map(Fingerprint::from_stored),
            request_id: row.request_id,
        })
    }
}

/// A line of the tally.
impl FromRow for (AuditAction, AuditOutcome, u64) {
    type Row = (String, String, i64);

    fn from_row((name, end, count): Self::Row) -> Result<Self, Unreadable> {
        // A count is never negative.
        Ok((action(&name)?, outcome(&end)?, count.unsigned_abs()))
    }
}

fn action(name: &str) -> Result<AuditAction, Unreadable> {
    AuditAction::from_name(name).ok_or(Unreadable("audit_entries.action"))
}

fn outcome(name: &str) -> Result<AuditOutcome, Unreadable> {
    AuditOutcome::from_name(name).ok_or(Unreadable("audit_entries.outcome"))
}

/// Appends an entry; the one thing that is ever done to the table.
pub(crate) fn append(entry: &AuditEntry) -> impl Statement + use<> {
    diesel::insert_into(audit_entries::table).values(AuditRow::from(entry))
}

#[auto_type]
pub(crate) fn newest_first(organization: Id, limit: i64) -> _ {
    audit_entries::table
        .filter(audit_entries::organization_id.eq(organization))
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
}

#[auto_type]
pub(crate) fn tally(organization: Id) -> _ {
    audit_entries::table
        .filter(audit_entries::organization_id.eq(organization))
        .group_by((audit_entries::action, audit_entries::outcome))
        .order((audit_entries::action, audit_entries::outcome))
        .select((audit_entries::action, audit_entries::outcome, count_star()))
}

#[async_trait]
impl AuditLog for DieselStore {
    async fn newest_entries(
        &self,
        organization: OrganizationId,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.all(newest_first(organization.into(), limit.into())).await
    }

    async fn tally(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(AuditAction, AuditOutcome, u64)>, StoreError> {
        self.all(tally(organization.into())).await
    }
}
