//! Authorizations.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::authorizations::{Authorization, AuthorizationStore, GrantState, UserInfo};
use grantkeeper_domain::ids::{AccountId, AuthorizationId, OrganizationId, ProviderId};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Json, Time, TimeColumn};
use crate::connection::{Connection, Query};
use crate::failure::{Failure, Unreadable};
use crate::look_up::{Key, Row};
use crate::refreshes::coalesce;
use crate::rows::{FromRow, bytes, scope_list, versioned};
use crate::schema::{authorizations, providers};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = authorizations, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct AuthorizationRow {
    id: Id,
    organization_id: Id,
    account_id: Id,
    provider_id: Id,
    credential_id: Id,
    issuer: String,
    subject: String,
    user_info: Json<UserInfo>,
    requested_scopes: Json<Vec<String>>,
    granted_scopes: Json<Vec<String>>,
    access_token: Vec<u8>,
    issued_at: Time,
    expires_at: Option<Time>,
    refresh_token: Option<Vec<u8>>,
    refresh_token_expires_at: Option<Time>,
    grant_state: String,
    dead_reason: Option<String>,
    grant_since: Time,
    last_failure: Option<String>,
    next_attempt_at: Option<Time>,
    last_refreshed_at: Option<Time>,
    created_at: Time,
    version: i64,
    redirect_uri: Option<String>,
    lost_refresh: Option<i64>,
    failing_since: Option<Time>,
    authorized_at: Option<Time>,
    used_at: Option<Time>,
}

impl AuthorizationRow {
    fn of(authorization: &Authorization, version: Version) -> Self {
        let (grant_state, dead_reason) = match &authorization.grant {
            GrantState::Live => ("live", None),
            GrantState::Dead { reason } => ("dead", Some(reason.clone())),
        };
        Self {
            id: authorization.id.into(),
            organization_id: authorization.organization_id.into(),
            account_id: authorization.account_id.into(),
            provider_id: authorization.provider_id.into(),
            credential_id: authorization.credential_id.into(),
            issuer: authorization.issuer.clone(),
            subject: authorization.subject.clone(),
            user_info: Json::Value(authorization.user.clone()),
            requested_scopes: scope_list(&authorization.requested_scopes),
            granted_scopes: scope_list(&authorization.granted_scopes),
            access_token: authorization.access_token.as_bytes().to_vec(),
            issued_at: authorization.issued_at.into(),
            expires_at: authorization.expires_at.map(Time),
            refresh_token: bytes(authorization.refresh_token.as_ref()),
            refresh_token_expires_at: authorization.refresh_token_expires_at.map(Time),
            grant_state: grant_state.to_owned(),
            dead_reason,
            grant_since: authorization.grant_since.into(),
            last_failure: authorization.last_failure.clone(),
            next_attempt_at: authorization.next_attempt_at.map(Time),
            last_refreshed_at: authorization.last_refreshed_at.map(Time),
            created_at: authorization.created_at.into(),
            version: version.get(),
            redirect_uri: authorization.redirect_uri.clone(),
            lost_refresh: authorization.lost_refresh,
            failing_since: authorization.failing_since.map(Time),
            authorized_at: Some(authorization.authorized_at.into()),
            used_at: Some(authorization.used_at.into()),
        }
    }
}

impl FromRow for Authorization {
    type Row = AuthorizationRow;

    fn from_row(row: AuthorizationRow) -> Result<Self, Unreadable> {
        let grant = match (row.grant_state.as_str(), row.dead_reason) {
            ("live", None) => GrantState::Live,
            ("dead", Some(reason)) => GrantState::Dead { reason },
            _ => return Err(Unreadable("authorizations.grant_state")),
        };
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            account_id: row.account_id.into(),
            provider_id: row.provider_id.into(),
            credential_id: row.credential_id.into(),
            issuer: row.issuer,
            subject: row.subject,
            user: row.user_info.read("authorizations.user_info")?,
            redirect_uri: row.redirect_uri,
            requested_scopes: row
                .requested_scopes
                .read("authorizations.requested_scopes")?
                .into_iter()
                .collect(),
            granted_scopes: row.granted_scopes.read("authorizations.granted_scopes")?.into_iter().collect(),
            access_token: SealedSecret::from_bytes(row.access_token),
            issued_at: row.issued_at.into(),
            expires_at: row.expires_at.map(Into::into),
            refresh_token: row.refresh_token.map(SealedSecret::from_bytes),
            refresh_token_expires_at: row.refresh_token_expires_at.map(Into::into),
            grant,
            grant_since: row.grant_since.into(),
            lost_refresh: row.lost_refresh,
            last_failure: row.last_failure,
            failing_since: row.failing_since.map(Into::into),
            next_attempt_at: row.next_attempt_at.map(Into::into),
            last_refreshed_at: row.last_refreshed_at.map(Into::into),
            created_at: row.created_at.into(),
            // What a version wrote that did not know of it was authorized when it was made, as far as can be told.
            authorized_at: row.authorized_at.unwrap_or(row.created_at).into(),
            used_at: row.used_at.or(row.authorized_at).unwrap_or(row.created_at).into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Authorization, AuthorizationRow in authorizations);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    authorizations::table.inner_join(providers::table).filter(authorizations::id.eq(id))
}

type WithProviderVersion = (<authorizations::table as Table>::AllColumns, providers::version);

const WITH_PROVIDER_VERSION: WithProviderVersion = (authorizations::all_columns, providers::version);

#[auto_type]
pub(crate) fn with_provider_version(id: Id) -> _ {
    let columns: WithProviderVersion = WITH_PROVIDER_VERSION;
    authorizations::table.inner_join(providers::table).filter(authorizations::id.eq(id)).select(columns)
}

#[auto_type]
pub(crate) fn with_provider_versions(ids: Vec<Id>) -> _ {
    let columns: WithProviderVersion = WITH_PROVIDER_VERSION;
    authorizations::table.inner_join(providers::table).filter(authorizations::id.eq_any(ids)).select(columns)
}

/// The id of an authorization, which is read with the version of its provider.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct AuthorizationKey(Id);

impl Key for AuthorizationKey {
    type Entity = (Authorization, Version);

    fn query(self) -> impl Query<Row<Self>> {
        with_provider_version(self.0)
    }

    fn query_all(keys: Vec<Self>) -> impl Query<Row<Self>> + Clone {
        with_provider_versions(keys.into_iter().map(|key| key.0).collect())
    }

    fn of((row, _): &Row<Self>) -> Self {
        Self(row.id)
    }
}

#[auto_type]
pub(crate) fn of_account(account: Id) -> _ {
    authorizations::table
        .inner_join(providers::table)
        .filter(authorizations::account_id.eq(account))
        .order((authorizations::created_at, authorizations::id))
}

/// When somebody last authorized: in these words, for there is an index of them.
type AuthorizedAt = coalesce<TimeColumn, authorizations::authorized_at, authorizations::created_at>;

fn authorized_at() -> AuthorizedAt {
    coalesce(authorizations::authorized_at, authorizations::created_at)
}

#[auto_type]
pub(crate) fn authorized_since(since: Time, limit: i64) -> _ {
    let authorized_at: AuthorizedAt = authorized_at();
    authorizations::table
        .filter(authorized_at.ge(since))
        .order((authorized_at.desc(), authorizations::id.desc()))
        .select((authorizations::account_id, authorizations::provider_id, authorized_at))
        .limit(limit)
}

#[auto_type]
pub(crate) fn by_identity(account: Id, provider: Id, issuer: String, subject: String) -> _ {
    authorizations::table
        .filter(authorizations::account_id.eq(account))
        .filter(authorizations::provider_id.eq(provider))
        .filter(authorizations::issuer.eq(issuer))
        .filter(authorizations::subject.eq(subject))
}

#[auto_type]
pub(crate) fn at_provider(provider: Id, limit: i64) -> _ {
    authorizations::table
        .filter(authorizations::provider_id.eq(provider))
        .order(authorizations::id)
        .limit(limit)
}

impl DieselStore {
    /// An authorization with its provider, which is known from then on.
    async fn with_provider(
        &self,
        id: AuthorizationId,
    ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        let found: Option<(Authorization, Provider)> = self.one(by_id(id.into())).await?;
        Ok(found.map(|(authorization, provider)| (authorization, self.known_providers.keep(provider))))
    }
}

#[async_trait]
impl AuthorizationStore for DieselStore {
    async fn authorization(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        let key = AuthorizationKey(id.into());
        let Some((authorization, version)) = self.database.look_up(&self.authorizations, key).await? else {
            return Ok(None);
        };
        let found = match self.known_providers.at(authorization.provider_id, version) {
            Some(provider) => Some((authorization, provider)),
            // Both once more, so that they are of one moment.
            None => self.with_provider(id).await?,
        };
        Ok(found.filter(|(authorization, _)| authorization.organization_id == organization))
    }

    async fn authorizations_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError> {
        self.all(of_account(account.into())).await
    }

    async fn authorized_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(AccountId, ProviderId, DateTime<Utc>)>, StoreError> {
        self.all(authorized_since(Time(since), limit.into())).await
    }

    async fn authorization_for_identity<'a>(
        &self,
        account: AccountId,
        provider: ProviderId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<Authorization>, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.one(by_identity(account.into(), provider.into(), issuer, subject)).await
    }

    async fn authorizations_at(
        &self,
        provider: ProviderId,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<Authorization>, StoreError> {
        let page = at_provider(provider.into(), limit.into());
        match after {
            Some(after) => self.all(page.filter(authorizations::id.gt(Id::from(after)))).await,
            None => self.all(page).await,
        }
    }
}
