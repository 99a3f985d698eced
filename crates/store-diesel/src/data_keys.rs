//! Wrapped data keys and the canary.

use async_trait::async_trait;
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::ids::{DataKeyId, OrganizationId};
use grantkeeper_domain::sealing::{DataKeyStore, SealedSecret, WrappedDataKey};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::failure::{Failure, Unreadable};
use crate::rows::{FromRow, one};
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
}

fn canary(c: &mut SqliteConnection) -> Result<Option<SealedSecret>, Failure> {
    let bytes = key_canary::table.select(key_canary::canary).first(c).optional()?;
    Ok(bytes.map(SealedSecret::from_bytes))
}

#[async_trait]
impl DataKeyStore for DieselStore {
    async fn data_key(&self, id: DataKeyId) -> Result<Option<WrappedDataKey>, StoreError> {
        self.read(move |c| one(by_id(id.into()).first(c))).await
    }

    async fn newest_data_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<WrappedDataKey>, StoreError> {
        self.read(move |c| one(newest_first(organization.into()).first(c))).await
    }

    async fn add_first_data_key(&self, key: WrappedDataKey) -> Result<WrappedDataKey, StoreError> {
        self.write(move |c| {
            if let Some(first) = one(newest_first(key.organization_id.into()).first(c))? {
                return Ok(first);
            }
            diesel::insert_into(data_keys::table).values(DataKeyRow::from(&key)).execute(c)?;
            Ok(key)
        })
        .await
    }

    async fn canary(&self) -> Result<Option<SealedSecret>, StoreError> {
        self.read(canary).await
    }

    async fn add_canary(&self, new: SealedSecret) -> Result<SealedSecret, StoreError> {
        self.write(move |c| {
            if let Some(first) = canary(c)? {
                return Ok(first);
            }
            let row = (key_canary::id.eq(1), key_canary::canary.eq(new.as_bytes()));
            diesel::insert_into(key_canary::table).values(row).execute(c)?;
            Ok(new)
        })
        .await
    }
}
