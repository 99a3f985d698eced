//! What the rows of every noun have in common: how they become entities, and how they are written.

use diesel::SqliteConnection;
use diesel::prelude::*;
use grantkeeper_domain::Version;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::sealing::SealedSecret;

use crate::columns::Json;
use crate::failure::{Failure, Unreadable};

/// An entity, or a pair of joined ones, that is read from a row.
pub(crate) trait FromRow: Sized {
    type Row;

    fn from_row(row: Self::Row) -> Result<Self, Unreadable>;
}

impl<A: FromRow, B: FromRow> FromRow for (A, B) {
    type Row = (A::Row, B::Row);

    fn from_row((a, b): Self::Row) -> Result<Self, Unreadable> {
        Ok((A::from_row(a)?, B::from_row(b)?))
    }
}

/// The entity of a row, where there is one.
pub(crate) fn one<E: FromRow>(row: QueryResult<E::Row>) -> Result<Option<E>, Failure> {
    Ok(row.optional()?.map(E::from_row).transpose()?)
}

/// The entities of all rows.
pub(crate) fn all<E: FromRow>(rows: QueryResult<Vec<E::Row>>) -> Result<Vec<E>, Failure> {
    Ok(rows?.into_iter().map(E::from_row).collect::<Result<_, _>>()?)
}

/// An entity that is written with the version it was read at. Each write gives back how many rows it wrote: one,
/// or none.
pub(crate) trait Versioned {
    /// The version it was read at.
    fn version(&self) -> Version;

    /// Adds it at [`Version::FIRST`], unless its id is taken.
    fn insert(&self, c: &mut SqliteConnection) -> QueryResult<usize>;

    /// Stores it with the version after `read`, where that is still the stored one.
    fn replace(&self, read: Version, c: &mut SqliteConnection) -> QueryResult<usize>;

    /// Removes it where its version is still the stored one.
    fn remove(&self, c: &mut SqliteConnection) -> QueryResult<usize>;
}

/// Writes an entity through the row that `$row::of` makes of it for a version.
macro_rules! versioned {
    ($entity:ident, $row:ident in $table:ident) => {
        impl $crate::rows::Versioned for $entity {
            fn version(&self) -> Version {
                self.version
            }

            fn insert(&self, c: &mut SqliteConnection) -> QueryResult<usize> {
                // The id is checked before the other uniqueness rules: whoever inserts a row twice hears of that.
                diesel::insert_into($table::table)
                    .values($row::of(self, Version::FIRST))
                    .on_conflict($table::id)
                    .do_nothing()
                    .execute(c)
            }

            fn replace(&self, read: Version, c: &mut SqliteConnection) -> QueryResult<usize> {
                diesel::update($table::table)
                    .filter($table::id.eq(Id::from(self.id)))
                    .filter($table::version.eq(read.get()))
                    .set($row::of(self, read.next()))
                    .execute(c)
            }

            fn remove(&self, c: &mut SqliteConnection) -> QueryResult<usize> {
                diesel::delete($table::table)
                    .filter($table::id.eq(Id::from(self.id)))
                    .filter($table::version.eq(self.version.get()))
                    .execute(c)
            }
        }
    };
}
pub(crate) use versioned;

/// How many rows a query touched, as the ports count.
pub(crate) fn count(rows: QueryResult<usize>) -> Result<u64, Failure> {
    Ok(rows? as u64)
}

/// The bytes of a secret that may be missing.
pub(crate) fn bytes(secret: Option<&SealedSecret>) -> Option<Vec<u8>> {
    secret.map(|sealed| sealed.as_bytes().to_vec())
}

/// Scopes as they are kept: a list in canonical order.
pub(crate) fn scope_list(scopes: &Scopes) -> Json<Vec<String>> {
    Json(scopes.iter().map(str::to_owned).collect())
}
