//! The audit log.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::dsl::{auto_type, sql};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error as QueryError;
use diesel::sql_types::{BigInt, Nullable, Text};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry, AuditLog, AuditOutcome};
use grantkeeper_domain::ids::OrganizationId;
use grantkeeper_domain::secret::Fingerprint;

use crate::DieselStore;
use crate::columns::{Id, IdColumn, Time, TimeColumn};
use crate::connection::{Batch, Statement};
use crate::failure::Unreadable;
use crate::rows::FromRow;
use crate::schema::audit_entries;
use crate::unnest::{Unnest as _, unnested};

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
    count: i64,
    last_at: Option<Time>,
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
            count: entry.count.into(),
            last_at: entry.last_at.map(Time),
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
            count: row.count.try_into().map_err(|_| Unreadable("audit_entries.count"))?,
            last_at: row.last_at.map(Into::into),
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

unnested! {
    /// Rows of the log, column by column.
    struct AuditColumns of AuditRow {
        id: Id as IdColumn,
        at: Time as TimeColumn,
        organization_id: Id as IdColumn,
        actor: String as Text,
        actor_account_id: Option<Id> as Nullable<IdColumn>,
        actor_token_id: Option<Id> as Nullable<IdColumn>,
        action: String as Text,
        outcome: String as Text,
        reason: Option<String> as Nullable<Text>,
        provider_id: Option<Id> as Nullable<IdColumn>,
        authorization_id: Option<Id> as Nullable<IdColumn>,
        subject: Option<String> as Nullable<Text>,
        token: Option<String> as Nullable<Text>,
        request_id: Option<String> as Nullable<Text>,
        count: i64 as BigInt,
        last_at: Option<Time> as Nullable<TimeColumn>,
    }
}

/// Appends an entry.
pub(crate) fn append(entry: &AuditEntry) -> impl Statement + use<> {
    diesel::insert_into(audit_entries::table).values(AuditRow::from(entry))
}

/// Appends entries, at least one.
pub(crate) fn append_all(entries: &[&AuditEntry]) -> impl Batch + use<> {
    NewEntries(entries.iter().copied().map(AuditRow::from).collect())
}

/// New entries: one that is there already is an error.
struct NewEntries(Vec<AuditRow>);

impl Batch for NewEntries {
    type Statement = AppendColumns;

    fn statement(self) -> AppendColumns {
        AppendColumns(AuditColumns::of(self.0))
    }

    fn write_each(self, c: &mut SqliteConnection) -> QueryResult<()> {
        for row in self.0 {
            diesel::insert_into(audit_entries::table).values(row).execute(c)?;
        }
        Ok(())
    }
}

#[derive(QueryId)]
pub(crate) struct AppendColumns(AuditColumns);

impl QueryFragment<Pg> for AppendColumns {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        insert(&self.0, out)
    }
}

fn insert<'b>(rows: &'b AuditColumns, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql("INSERT INTO audit_entries (");
    out.push_sql(AuditColumns::NAMES);
    out.push_sql(") SELECT * FROM ");
    rows.unnest(out)
}

/// Entries about hand-outs: one that is there already comes to count as many as this one.
pub(crate) struct HandOuts(Vec<AuditRow>);

impl HandOuts {
    /// In the order of their ids, each once: of two with one id the greater counts.
    pub(crate) fn of(entries: &[AuditEntry]) -> Self {
        let mut by_id = BTreeMap::new();
        for entry in entries {
            let known = by_id.entry(entry.id).or_insert(entry);
            if known.count < entry.count {
                *known = entry;
            }
        }
        Self(by_id.into_values().map(AuditRow::from).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Batch for HandOuts {
    type Statement = CountColumns;

    fn statement(self) -> CountColumns {
        CountColumns(AuditColumns::of(self.0))
    }

    /// SQLite's guard of the log does not tell `ON CONFLICT DO UPDATE` from `INSERT OR REPLACE`, so it is not asked for.
    fn write_each(self, c: &mut SqliteConnection) -> QueryResult<()> {
        for row in self.0 {
            // Nearly all are new, and the guard looks whether this one is: no second look before each of them.
            if let Err(refusal) = diesel::insert_into(audit_entries::table).values(&row).execute(c) {
                count_up(&row, refusal, c)?;
            }
        }
        Ok(())
    }
}

/// Has an entry count as many as this one, where that is why it could not be inserted.
fn count_up(row: &AuditRow, refusal: QueryError, c: &mut SqliteConnection) -> QueryResult<()> {
    let known = audit_entries::table.find(row.id);
    let counted = (audit_entries::count, audit_entries::at, audit_entries::last_at);
    let found = known.select(counted).get_result::<(i64, Time, Option<Time>)>(c).optional();
    let Ok(Some((count, at, last_at))) = found else {
        return Err(refusal);
    };
    if count < row.count {
        let last_at = row.last_at.max(last_at).max(Some(at));
        let more = (audit_entries::count.eq(row.count), audit_entries::last_at.eq(last_at));
        diesel::update(known).set(more).execute(c)?;
    }
    Ok(())
}

#[derive(QueryId)]
pub(crate) struct CountColumns(AuditColumns);

impl QueryFragment<Pg> for CountColumns {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        insert(&self.0, out.reborrow())?;
        out.push_sql(
            " ON CONFLICT (id) DO UPDATE SET count = excluded.count,
             last_at = greatest(audit_entries.at, audit_entries.last_at, excluded.last_at)
             WHERE audit_entries.count < excluded.count",
        );
        Ok(())
    }
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
    // The sum of `bigint` is `numeric` on PostgreSQL, which nobody counts to.
    let counted: SqlLiteral<BigInt> = sql("CAST(sum(count) AS bigint)");
    audit_entries::table
        .filter(audit_entries::organization_id.eq(organization))
        .group_by((audit_entries::action, audit_entries::outcome))
        .order((audit_entries::action, audit_entries::outcome))
        .select((audit_entries::action, audit_entries::outcome, counted))
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
