//! API tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::accounts::{Account, ApiToken, ApiTokenStore, TokenPurpose};
use grantkeeper_domain::ids::{AccountId, ApiTokenId};
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::{Connection, Query};
use crate::failure::{Failure, Unreadable};
use crate::look_up::{Key, Row};
use crate::rows::{FromRow, versioned};
use crate::schema::{accounts, api_tokens};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = api_tokens, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct ApiTokenRow {
    id: Id,
    account_id: Id,
    organization_id: Id,
    hash: String,
    purpose: String,
    opened_with: Option<Id>,
    created_at: Time,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
    revoked_at: Option<Time>,
    version: i64,
}

impl ApiTokenRow {
    fn of(token: &ApiToken, version: Version) -> Self {
        let (purpose, opened_with) = match token.purpose {
            TokenPurpose::Api => ("api", None),
            TokenPurpose::Agent => ("agent", None),
            TokenPurpose::Session { opened_with } => ("session", Some(opened_with.into())),
        };
        Self {
            id: token.id.into(),
            account_id: token.account_id.into(),
            organization_id: token.organization_id.into(),
            hash: token.hash.as_str().to_owned(),
            purpose: purpose.to_owned(),
            opened_with,
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(Time),
            last_used_at: token.last_used_at.map(Time),
            revoked_at: token.revoked_at.map(Time),
            version: version.get(),
        }
    }
}

impl FromRow for ApiToken {
    type Row = ApiTokenRow;

    fn from_row(row: ApiTokenRow) -> Result<Self, Unreadable> {
        let purpose = match (row.purpose.as_str(), row.opened_with) {
            ("api", None) => TokenPurpose::Api,
            ("agent", None) => TokenPurpose::Agent,
            ("session", Some(opened_with)) => TokenPurpose::Session { opened_with: opened_with.into() },
            _ => return Err(Unreadable("api_tokens.purpose")),
        };
        Ok(Self {
            id: row.id.into(),
            account_id: row.account_id.into(),
            organization_id: row.organization_id.into(),
            hash: SecretHash::from_stored(row.hash),
            purpose,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Into::into),
            last_used_at: row.last_used_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(ApiToken, ApiTokenRow in api_tokens);

#[auto_type]
pub(crate) fn by_hash(hash: String) -> _ {
    api_tokens::table.inner_join(accounts::table).filter(api_tokens::hash.eq(hash))
}

#[auto_type]
pub(crate) fn by_hashes(hashes: Vec<String>) -> _ {
    api_tokens::table.inner_join(accounts::table).filter(api_tokens::hash.eq_any(hashes))
}

/// The hash of a token, which is read with its account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey(String);

impl Key for TokenKey {
    type Entity = (ApiToken, Account);

    fn query(self) -> impl Query<Row<Self>> {
        by_hash(self.0)
    }

    fn query_all(keys: Vec<Self>) -> impl Query<Row<Self>> + Clone {
        by_hashes(keys.into_iter().map(|key| key.0).collect())
    }

    fn of((row, _): &Row<Self>) -> Self {
        Self(row.hash.clone())
    }
}

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    api_tokens::table.filter(api_tokens::id.eq(id))
}

#[auto_type]
pub(crate) fn of_account(account: Id) -> _ {
    api_tokens::table
        .filter(api_tokens::account_id.eq(account))
        .order((api_tokens::created_at, api_tokens::id))
}

#[auto_type]
pub(crate) fn expired(before: Time) -> _ {
    api_tokens::table.filter(api_tokens::expires_at.lt(before))
}

#[async_trait]
impl ApiTokenStore for DieselStore {
    async fn token_by_hash(&self, hash: &SecretHash) -> Result<Option<(ApiToken, Account)>, StoreError> {
        let key = TokenKey(hash.as_str().to_owned());
        Ok(self.database.look_up(&self.api_tokens, key).await?)
    }

    async fn token(&self, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn tokens_of(&self, account: AccountId) -> Result<Vec<ApiToken>, StoreError> {
        self.all(of_account(account.into())).await
    }

    async fn purge_expired_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(expired(Time(before)))).await
    }
}
