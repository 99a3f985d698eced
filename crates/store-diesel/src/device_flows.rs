//! Device flows.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{auto_type, count_star, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use grantkeeper_domain::authorizations::{
    DeviceFlow, DeviceFlowStore, DeviceStage, EXCHANGE_LIMIT, MOST_UNATTENDED,
};
use grantkeeper_domain::ids::{AccountId, DeviceFlowId, ProviderId};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::outcomes::OutcomeColumns;
use crate::rows::{FromRow, hash_text, scope_list, versioned};
use crate::schema::device_flows;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = device_flows, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct DeviceFlowRow {
    id: Id,
    organization_id: Id,
    account_id: Id,
    provider_id: Id,
    handle_hash: String,
    device_code: Vec<u8>,
    scopes: Json<Vec<String>>,
    endpoints: String,
    interval_micros: i64,
    next_poll_at: Time,
    stage: String,
    polling_since: Option<Time>,
    finished_at: Option<Time>,
    outcome: Option<String>,
    authorization_id: Option<Id>,
    reason: Option<String>,
    created_at: Time,
    expires_at: Time,
    version: i64,
    unattended: bool,
}

impl DeviceFlowRow {
    fn of(flow: &DeviceFlow, version: Version) -> Self {
        let (stage, polling_since, finished_at, end) = match &flow.stage {
            DeviceStage::Pending => ("pending", None, None, OutcomeColumns::default()),
            DeviceStage::Polling { since } => {
                ("polling", Some(Time(*since)), None, OutcomeColumns::default())
            }
            DeviceStage::Finished { outcome, at } => {
                ("finished", None, Some(Time(*at)), OutcomeColumns::of(outcome))
            }
        };
        Self {
            id: flow.id.into(),
            organization_id: flow.organization_id.into(),
            account_id: flow.account_id.into(),
            provider_id: flow.provider_id.into(),
            handle_hash: hash_text(&flow.handle_hash),
            device_code: flow.device_code.as_bytes().to_vec(),
            scopes: scope_list(&flow.scopes),
            endpoints: hash_text(&flow.endpoints),
            // What is too long to be counted is longer than any flow lives.
            interval_micros: flow.interval.num_microseconds().unwrap_or(i64::MAX),
            next_poll_at: flow.next_poll_at.into(),
            stage: stage.to_owned(),
            polling_since,
            finished_at,
            outcome: end.outcome,
            authorization_id: end.authorization_id,
            reason: end.reason,
            created_at: flow.created_at.into(),
            expires_at: flow.expires_at.into(),
            version: version.get(),
            unattended: flow.unattended,
        }
    }

    fn stage(&self) -> Result<DeviceStage, Unreadable> {
        let end = OutcomeColumns {
            outcome: self.outcome.clone(),
            authorization_id: self.authorization_id,
            reason: self.reason.clone(),
        };
        match (self.stage.as_str(), self.polling_since, self.finished_at) {
            ("pending", None, None) => Ok(DeviceStage::Pending),
            ("polling", Some(Time(since)), None) => Ok(DeviceStage::Polling { since }),
            ("finished", None, Some(Time(at))) => {
                let outcome = end.read().ok_or(Unreadable("device_flows.outcome"))?;
                Ok(DeviceStage::Finished { outcome, at })
            }
            _ => Err(Unreadable("device_flows.stage")),
        }
    }
}

impl FromRow for DeviceFlow {
    type Row = DeviceFlowRow;

    fn from_row(row: DeviceFlowRow) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            account_id: row.account_id.into(),
            provider_id: row.provider_id.into(),
            stage: row.stage()?,
            handle_hash: SecretHash::from_stored(row.handle_hash),
            device_code: SealedSecret::from_bytes(row.device_code),
            scopes: row.scopes.read("device_flows.scopes")?.into_iter().collect(),
            endpoints: SecretHash::from_stored(row.endpoints),
            interval: TimeDelta::microseconds(row.interval_micros),
            next_poll_at: row.next_poll_at.into(),
            unattended: row.unattended,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(DeviceFlow, DeviceFlowRow in device_flows);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    device_flows::table.filter(device_flows::id.eq(id))
}

#[auto_type]
pub(crate) fn by_handle(provider: Id, handle: String, account: Id) -> _ {
    device_flows::table
        .filter(device_flows::provider_id.eq(provider))
        .filter(device_flows::handle_hash.eq(handle))
        .filter(device_flows::account_id.eq(account))
}

/// How many there are of the same account at the same provider that are newer, and not over.
const NEWER: &str = "(SELECT count(*) FROM device_flows AS newer WHERE newer.account_id = device_flows.account_id \
    AND newer.provider_id = device_flows.provider_id AND newer.finished_at IS NULL \
    AND (newer.created_at, newer.id) > (device_flows.created_at, device_flows.id))";

/// [`DeviceFlow::is_unattended`] and among the newest of their kind, longest overdue first. One that was polled until `dead` has lost whoever polled it.
#[auto_type]
pub(crate) fn unattended(overdue: Time, dead: Time, now: Time, limit: i64) -> _ {
    let newer: SqlLiteral<BigInt> = sql(NEWER);
    let most: i64 = MOST_UNATTENDED.into();
    device_flows::table
        .filter(device_flows::finished_at.is_null())
        .filter(device_flows::polling_since.is_null().or(device_flows::polling_since.le(dead)))
        .filter(device_flows::next_poll_at.le(overdue))
        .filter(device_flows::expires_at.gt(now))
        .filter(newer.lt(most))
        .order((device_flows::next_poll_at, device_flows::id))
        .limit(limit)
}

#[auto_type]
pub(crate) fn polling(provider: Id, since: Time) -> _ {
    device_flows::table
        .filter(device_flows::provider_id.eq(provider))
        .filter(device_flows::polling_since.ge(since))
        .select(count_star())
}

#[auto_type]
pub(crate) fn expired(before: Time) -> _ {
    device_flows::table.filter(device_flows::expires_at.lt(before))
}

#[async_trait]
impl DeviceFlowStore for DieselStore {
    async fn device_flow(&self, id: DeviceFlowId) -> Result<Option<DeviceFlow>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn device_flow_by_handle(
        &self,
        provider: ProviderId,
        handle: &SecretHash,
        account: AccountId,
    ) -> Result<Option<DeviceFlow>, StoreError> {
        self.one(by_handle(provider.into(), hash_text(handle), account.into())).await
    }

    async fn unattended_device_flows(
        &self,
        overdue: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DeviceFlow>, StoreError> {
        let dead = Time(now - EXCHANGE_LIMIT);
        self.all(unattended(Time(overdue), dead, Time(now), limit.into())).await
    }

    async fn polls_under_way(&self, provider: ProviderId, since: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.one(polling(provider.into(), since.into())).await?.unwrap_or_default())
    }

    async fn purge_device_flows(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(expired(Time(before)))).await
    }
}
