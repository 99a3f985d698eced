//! Flows.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, count_star};
use diesel::prelude::*;
use grantkeeper_domain::authorizations::{CodeInUse, Flow, FlowOutcome, FlowRoute, FlowStage, FlowStore};
use grantkeeper_domain::ids::{AccountId, FlowId, ProviderId};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::outcomes::OutcomeColumns;
use crate::rows::{FromRow, Versioned, bytes, hash_text, scope_list, versioned};
use crate::schema::flows;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = flows, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct FlowRow {
    id: Id,
    organization_id: Id,
    account_id: Id,
    provider_id: Id,
    route: String,
    cookie_hash: Option<String>,
    state_hash: Option<String>,
    redirect_uri: String,
    pkce_verifier: Option<Vec<u8>>,
    nonce: Vec<u8>,
    scopes: Json<Vec<String>>,
    force_consent: bool,
    endpoints: String,
    stage: String,
    code_hash: Option<String>,
    code_since: Option<Time>,
    finished_at: Option<Time>,
    outcome: Option<String>,
    authorization_id: Option<Id>,
    reason: Option<String>,
    created_at: Time,
    expires_at: Time,
    version: i64,
    return_to: Option<String>,
}

impl FlowRow {
    fn of(flow: &Flow, version: Version) -> Self {
        let (route, cookie_hash) = match &flow.route {
            FlowRoute::Caller => ("caller", None),
            FlowRoute::Browser { cookie_hash } => ("browser", cookie_hash.as_ref()),
        };
        let stage = StageColumns::of(&flow.stage);
        Self {
            id: flow.id.into(),
            organization_id: flow.organization_id.into(),
            account_id: flow.account_id.into(),
            provider_id: flow.provider_id.into(),
            route: route.to_owned(),
            cookie_hash: cookie_hash.map(hash_text),
            state_hash: flow.state_hash.as_ref().map(hash_text),
            redirect_uri: flow.redirect_uri.clone(),
            pkce_verifier: bytes(flow.pkce_verifier.as_ref()),
            nonce: flow.nonce.as_bytes().to_vec(),
            scopes: scope_list(&flow.scopes),
            force_consent: flow.force_consent,
            endpoints: hash_text(&flow.endpoints),
            stage: stage.name.to_owned(),
            code_hash: stage.code.map(|code| hash_text(&code.code_hash)),
            code_since: stage.code.map(|code| Time(code.since)),
            finished_at: stage.finished_at,
            outcome: stage.end.outcome,
            authorization_id: stage.end.authorization_id,
            reason: stage.end.reason,
            created_at: flow.created_at.into(),
            expires_at: flow.expires_at.into(),
            version: version.get(),
            return_to: flow.return_to.clone(),
        }
    }

    fn route(&self) -> Result<FlowRoute, Unreadable> {
        match (self.route.as_str(), &self.cookie_hash) {
            ("caller", None) => Ok(FlowRoute::Caller),
            ("browser", hash) => {
                Ok(FlowRoute::Browser { cookie_hash: hash.clone().map(SecretHash::from_stored) })
            }
            _ => Err(Unreadable("flows.route")),
        }
    }

    fn stage(&self) -> Result<FlowStage, Unreadable> {
        let code_hash = self.code_hash.clone().map(SecretHash::from_stored);
        let code =
            code_hash.zip(self.code_since).map(|(code_hash, Time(since))| CodeInUse { code_hash, since });
        match (self.stage.as_str(), code, self.finished_at) {
            ("unconfirmed", None, None) => Ok(FlowStage::Unconfirmed),
            ("pending", None, None) => Ok(FlowStage::Pending),
            ("exchanging", Some(code), None) => Ok(FlowStage::Exchanging(code)),
            ("finished", redeemed, Some(Time(at))) => {
                Ok(FlowStage::Finished { redeemed, outcome: self.outcome()?, at })
            }
            _ => Err(Unreadable("flows.stage")),
        }
    }

    fn outcome(&self) -> Result<FlowOutcome, Unreadable> {
        let columns = OutcomeColumns {
            outcome: self.outcome.clone(),
            authorization_id: self.authorization_id,
            reason: self.reason.clone(),
        };
        columns.read().ok_or(Unreadable("flows.outcome"))
    }
}

/// A stage and its outcome, spread over their columns.
#[derive(Default)]
struct StageColumns<'a> {
    name: &'static str,
    code: Option<&'a CodeInUse>,
    finished_at: Option<Time>,
    end: OutcomeColumns,
}

impl<'a> StageColumns<'a> {
    fn of(stage: &'a FlowStage) -> Self {
        match stage {
            FlowStage::Unconfirmed => Self { name: "unconfirmed", ..Self::default() },
            FlowStage::Pending => Self { name: "pending", ..Self::default() },
            FlowStage::Exchanging(code) => Self { name: "exchanging", code: Some(code), ..Self::default() },
            FlowStage::Finished { redeemed, outcome, at } => Self {
                name: "finished",
                code: redeemed.as_ref(),
                finished_at: Some(Time(*at)),
                end: OutcomeColumns::of(outcome),
            },
        }
    }
}

impl FromRow for Flow {
    type Row = FlowRow;

    fn from_row(row: FlowRow) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            account_id: row.account_id.into(),
            provider_id: row.provider_id.into(),
            route: row.route()?,
            stage: row.stage()?,
            state_hash: row.state_hash.map(SecretHash::from_stored),
            redirect_uri: row.redirect_uri,
            return_to: row.return_to,
            pkce_verifier: row.pkce_verifier.map(SealedSecret::from_bytes),
            nonce: SealedSecret::from_bytes(row.nonce),
            scopes: row.scopes.read("flows.scopes")?.into_iter().collect(),
            force_consent: row.force_consent,
            endpoints: SecretHash::from_stored(row.endpoints),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Flow, FlowRow in flows);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    flows::table.filter(flows::id.eq(id))
}

#[auto_type]
pub(crate) fn by_state(provider: Id, state: String) -> _ {
    flows::table
        .filter(flows::provider_id.eq(provider))
        .filter(flows::state_hash.eq(state))
        .order((flows::created_at.desc(), flows::id.desc()))
        .limit(1_i64)
}

#[auto_type]
pub(crate) fn exchanging(provider: Id, since: Time) -> _ {
    flows::table
        .filter(flows::provider_id.eq(provider))
        .filter(flows::code_since.ge(since))
        .filter(flows::stage.eq("exchanging"))
        .select(count_star())
}

#[auto_type]
pub(crate) fn expired(before: Time) -> _ {
    flows::table.filter(flows::expires_at.lt(before))
}

/// Two that come at once read the same version, and only one of them writes the next.
async fn use_up(
    id: FlowId,
    code: SecretHash,
    now: DateTime<Utc>,
    c: &mut Connection<'_>,
) -> Result<Option<Flow>, Failure> {
    let flow: Option<Flow> = c.one(by_id(id.into())).await?;
    let Some(flow) = flow.filter(|flow| flow.is_usable(now)) else {
        return Ok(None);
    };
    let read = flow.version;
    let flow = flow.exchanging(code, now);
    Ok((flow.replace(read, c).await? == 1).then_some(flow))
}

#[async_trait]
impl FlowStore for DieselStore {
    async fn flow(&self, id: FlowId) -> Result<Option<Flow>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn flow_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
        account: Option<AccountId>,
    ) -> Result<Option<Flow>, StoreError> {
        let state = hash_text(state);
        let newest = by_state(provider.into(), state);
        match account {
            Some(account) => self.one(newest.filter(flows::account_id.eq(Id::from(account)))).await,
            None => self.one(newest).await,
        }
    }

    async fn use_up(
        &self,
        id: FlowId,
        code: &SecretHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Flow>, StoreError> {
        let code = code.clone();
        self.write(move |c| Box::pin(use_up(id, code, now, c))).await
    }

    async fn exchanges_under_way(
        &self,
        provider: ProviderId,
        since: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        Ok(self.one(exchanging(provider.into(), since.into())).await?.unwrap_or_default())
    }

    async fn purge_flows(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(expired(Time(before)))).await
    }
}
