//! What is looked up by a key, so often that those who ask at a time are read for together.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::connection::Query;
use crate::database::Database;
use crate::failure::{Failure, Unreadable};
use crate::gathering::Gathering;
use crate::per_runtime::PerRuntime;
use crate::postgres::Lines;
use crate::rows::FromRow;
use crate::sqlite::Reads;

/// A unique key, and what is found by it.
pub(crate) trait Key: Clone + Eq + Hash + Send + 'static {
    type Entity: FromRow + Clone + Send;

    /// What finds the row of one key.
    fn query(self) -> impl Query<Row<Self>>;

    /// What finds the rows of many keys.
    fn query_all(keys: Vec<Self>) -> impl Query<Row<Self>> + Clone;

    /// The key of a row.
    fn of(row: &Row<Self>) -> Self;
}

pub(crate) type Row<K> = <<K as Key>::Entity as FromRow>::Row;

/// Those who look something up by such a key. A row that cannot be read is the misfortune of those who asked for it.
pub(crate) type LookUps<K> = PerRuntime<Gathering<K, Result<<K as Key>::Entity, Unreadable>>>;

impl Database {
    /// The entity of a key, where there is one.
    pub(crate) async fn look_up<K: Key>(
        &self,
        look_ups: &LookUps<K>,
        key: K,
    ) -> Result<Option<K::Entity>, Failure> {
        let source = match self {
            Self::Sqlite(database) => Source::Sqlite(database.reads()),
            Self::Postgres(database) => Source::Postgres(Arc::clone(database.lines())),
        };
        let found = look_ups.here().ask(key, move |keys| source.clone().entities(keys)).await?;
        Ok(found.transpose()?)
    }
}

/// Where look-ups read. It does not keep the database open, as a read may be under way that nobody waits for any more.
#[derive(Clone)]
enum Source {
    Sqlite(Reads),
    Postgres(Arc<Lines>),
}

impl Source {
    async fn entities<K: Key>(
        self,
        keys: Vec<K>,
    ) -> Result<HashMap<K, Result<K::Entity, Unreadable>>, Failure> {
        let rows = match self {
            // One statement for so many keys would have to be compiled anew for each number of them.
            Self::Sqlite(reads) => reads.load_each(keys.into_iter().map(K::query).collect()).await?,
            Self::Postgres(lines) => lines.load(K::query_all(keys)).await?,
        };
        Ok(rows.into_iter().map(|row| (K::of(&row), K::Entity::from_row(row))).collect())
    }
}
