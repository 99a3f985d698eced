//! What the rows of every noun have in common: how they become entities, and how they are written.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use grantkeeper_domain::Version;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::ids::{AccountId, AuthorizationId, ProviderId};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::secret::SecretHash;

use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};

/// An entity, or several that are joined, that is read from a row.
pub(crate) trait FromRow: Sized {
    type Row: Send + 'static;

    fn from_row(row: Self::Row) -> Result<Self, Unreadable>;
}

impl<A: FromRow, B: FromRow> FromRow for (A, B) {
    type Row = (A::Row, B::Row);

    fn from_row((a, b): Self::Row) -> Result<Self, Unreadable> {
        Ok((A::from_row(a)?, B::from_row(b)?))
    }
}

impl<A: FromRow, B: FromRow, C: FromRow> FromRow for (A, B, C) {
    type Row = (A::Row, B::Row, C::Row);

    fn from_row((a, b, c): Self::Row) -> Result<Self, Unreadable> {
        Ok((A::from_row(a)?, B::from_row(b)?, C::from_row(c)?))
    }
}

/// A time of a row that was not read itself.
impl FromRow for DateTime<Utc> {
    type Row = Time;

    fn from_row(row: Time) -> Result<Self, Unreadable> {
        Ok(row.into())
    }
}

/// The version of a row that was not read itself.
impl FromRow for Version {
    type Row = i64;

    fn from_row(row: i64) -> Result<Self, Unreadable> {
        Ok(Self::from_stored(row))
    }
}

/// Ids of rows that were not read themselves.
macro_rules! ids {
    ($($id:ident),+) => {$(
        impl FromRow for $id {
            type Row = Id;

            fn from_row(row: Id) -> Result<Self, Unreadable> {
                Ok(row.into())
            }
        }
    )+};
}
ids!(AccountId, AuthorizationId, ProviderId);

/// A count, which is never negative.
impl FromRow for u64 {
    type Row = i64;

    fn from_row(row: i64) -> Result<Self, Unreadable> {
        Ok(row.unsigned_abs())
    }
}

/// An entity that is written with the version it was read at. Each write gives back how many rows it wrote: one,
/// or none.
#[async_trait]
pub(crate) trait Versioned: Sync {
    /// The version it was read at.
    fn version(&self) -> Version;

    /// Adds it at [`Version::FIRST`], unless its id is taken.
    async fn insert(&self, c: &mut Connection<'_>) -> Result<usize, Failure>;

    /// Stores it with the version after `read`, where that is still the stored one.
    async fn replace(&self, read: Version, c: &mut Connection<'_>) -> Result<usize, Failure>;

    /// Removes it where its version is still the stored one.
    async fn remove(&self, c: &mut Connection<'_>) -> Result<usize, Failure>;
}

/// Writes an entity through the row that `$row::of` makes of it for a version.
macro_rules! versioned {
    ($entity:ident, $row:ident in $table:ident) => {
        #[async_trait::async_trait]
        impl $crate::rows::Versioned for $entity {
            fn version(&self) -> Version {
                self.version
            }

            async fn insert(&self, c: &mut Connection<'_>) -> Result<usize, Failure> {
                // The id is checked before the other uniqueness rules: whoever inserts a row twice hears of that.
                let row = $row::of(self, Version::FIRST);
                let row = diesel::insert_into($table::table).values(row);
                c.execute(row.on_conflict($table::id).do_nothing()).await
            }

            async fn replace(&self, read: Version, c: &mut Connection<'_>) -> Result<usize, Failure> {
                let stored = diesel::update($table::table)
                    .filter($table::id.eq(Id::from(self.id)))
                    .filter($table::version.eq(read.get()));
                c.execute(stored.set($row::of(self, read.next()))).await
            }

            async fn remove(&self, c: &mut Connection<'_>) -> Result<usize, Failure> {
                let stored = diesel::delete($table::table)
                    .filter($table::id.eq(Id::from(self.id)))
                    .filter($table::version.eq(self.version.get()));
                c.execute(stored).await
            }
        }
    };
}
pub(crate) use versioned;

/// The bytes of a secret that may be missing.
pub(crate) fn bytes(secret: Option<&SealedSecret>) -> Option<Vec<u8>> {
    secret.map(|sealed| sealed.as_bytes().to_vec())
}

/// The hash of a secret as it is kept.
pub(crate) fn hash_text(hash: &SecretHash) -> String {
    hash.as_str().to_owned()
}

/// Scopes as they are kept: a list in canonical order.
pub(crate) fn scope_list(scopes: &Scopes) -> Json<Vec<String>> {
    Json::Value(scopes.iter().map(str::to_owned).collect())
}
