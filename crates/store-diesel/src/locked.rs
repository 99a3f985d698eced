//! Row locks, where a database has them.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// How a query locks the rows that it finds, until the transaction ends.
pub(crate) trait Lock {
    const CLAUSE: &'static str;
}

/// Waits for whoever holds them.
#[derive(Clone, Copy, Debug, QueryId)]
pub(crate) struct Waiting;

impl Lock for Waiting {
    const CLAUSE: &'static str = " FOR NO KEY UPDATE";
}

/// Passes over those that somebody holds.
#[derive(Clone, Copy, Debug, QueryId)]
pub(crate) struct Skipping;

impl Lock for Skipping {
    const CLAUSE: &'static str = " FOR UPDATE SKIP LOCKED";
}

/// A query that locks its rows. On SQLite, whoever writes has the whole database to itself, and the clause is left out.
#[derive(Clone, Copy, Debug, QueryId)]
pub(crate) struct Locked<Q, L> {
    query: Q,
    lock: PhantomData<L>,
}

impl<Q> Locked<Q, Waiting> {
    /// Once the rows are let go, they are read as they are then.
    pub(crate) fn waiting(query: Q) -> Self {
        Self { query, lock: PhantomData }
    }
}

impl<Q> Locked<Q, Skipping> {
    /// Two that claim at once get different rows, and neither waits.
    pub(crate) fn skipping(query: Q) -> Self {
        Self { query, lock: PhantomData }
    }
}

impl<Q: Query, L> Query for Locked<Q, L> {
    type SqlType = Q::SqlType;
}

impl<Q, L, C> RunQueryDsl<C> for Locked<Q, L> {}

impl<Q: QueryFragment<Sqlite>, L> QueryFragment<Sqlite> for Locked<Q, L> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.query.walk_ast(out)
    }
}

impl<Q: QueryFragment<Pg>, L: Lock> QueryFragment<Pg> for Locked<Q, L> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(L::CLAUSE);
        Ok(())
    }
}
