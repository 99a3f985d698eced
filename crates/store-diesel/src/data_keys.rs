//! Wrapped data keys and the canary.

use async_trait::async_trait;
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::accounts::Organization;
use grantkeeper_domain::ids::{DataKeyId, OrganizationId};
use grantkeeper_domain::sealing::{DataKeyStore, SealedSecret, WrappedDataKey};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::locked::Locked;
use crate::organizations;
use crate::rows::FromRow;
use crate::schema::{data_keys, key_canary};

#[derive(Queryable, Insertable)]
#[diesel(table_name = data_keys)]
pub(crate) struct DataKeyRow {
    id: Id,
    organization_id: Id,
    wrapped: Vec<u8>,
    created_at: Time,
}

impl From<&WrappedDataKey> for DataKeyRow {
    fn from(key: &WrappedDataKey) -> Self {
        Self {
            id: key.id.into(),
            organization_id: key.organization_id.into(),
            wrapped: key.wrapped.as_bytes().to_vec(),
            created_at: key.created_at.into(),
        }
    }
}

impl FromRow for WrappedDataKey {
    type Row = DataKeyRow;

    fn from_row(row: DataKeyRow) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            wrapped: SealedSecret::from_bytes(row.wrapped),
            created_at: row.created_at.into(),
        })
    }
}

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    data_keys::table.filter(data_keys::id.eq(id))
}

#[auto_type]
pub(crate) fn newest_first(organization: Id) -> _ {
    data_keys::table
        .filter(data_keys::organization_id.eq(organization))
        .order((data_keys::created_at.desc(), data_keys::id.desc()))
        .limit(1_i64)
}

#[auto_type]
fn canary() -> _ {
    key_canary::table.select(key_canary::canary)
}

impl FromRow for SealedSecret {
    type Row = Vec<u8>;

    fn from_row(row: Vec<u8>) -> Result<Self, Unreadable> {
        Ok(Self::from_bytes(row))
    }
}

/// Adds a key, unless the organization has one: the first of two that come at once wins, and both get it.
async fn add_first(key: WrappedDataKey, c: &mut Connection<'_>) -> Result<WrappedDataKey, Failure> {
    let organization = key.organization_id.into();
    c.one::<Organization>(Locked::waiting(organizations::by_id(organization))).await?;
    if let Some(first) = c.one(newest_first(organization)).await? {
        return Ok(first);
    }
    c.execute(diesel::insert_into(data_keys::table).values(DataKeyRow::from(&key))).await?;
    Ok(key)
}

/// Adds a canary, unless there is one.
async fn add_first_canary(new: SealedSecret, c: &mut Connection<'_>) -> Result<SealedSecret, Failure> {
    let row = (key_canary::id.eq(1), key_canary::canary.eq(new.as_bytes().to_vec()));
    let row = diesel::insert_into(key_canary::table).values(row);
    c.execute(row.on_conflict(key_canary::id).do_nothing()).await?;
    Ok(c.one(canary()).await?.unwrap_or(new))
}

#[async_trait]
impl DataKeyStore for DieselStore {
    async fn data_key(&self, id: DataKeyId) -> Result<Option<WrappedDataKey>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn newest_data_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<WrappedDataKey>, StoreError> {
        self.one(newest_first(organization.into())).await
    }

    async fn add_first_data_key(&self, key: WrappedDataKey) -> Result<WrappedDataKey, StoreError> {
        self.write(|c| Box::pin(add_first(key, c))).await
    }

    async fn canary(&self) -> Result<Option<SealedSecret>, StoreError> {
        self.one(canary()).await
    }

    async fn add_canary(&self, new: SealedSecret) -> Result<SealedSecret, StoreError> {
        self.write(|c| Box::pin(add_first_canary(new, c))).await
    }
}
