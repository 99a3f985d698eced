//! Leases that are given back without having asked: a worker that has claimed more than it may refresh now puts off the
//! rest, all in one statement.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable};
use grantkeeper_domain::tokens::{NextRefresh, RefreshEnd};

use crate::columns::{Id, IdColumn, Time, TimeColumn};
use crate::connection::Batch;
use crate::refreshes::no_entry;
use crate::schema::refreshes;
use crate::unnest::unnested;

struct MootEnd {
    id: Id,
    fence: i64,
    /// Whether the next refresh is due at another time than before.
    is_put_off: bool,
    due_at: Option<Time>,
}

impl From<&RefreshEnd> for MootEnd {
    fn from(end: &RefreshEnd) -> Self {
        let (is_put_off, due_at) = match end.next {
            NextRefresh::Unchanged => (false, None),
            NextRefresh::At(due) => (true, Some(Time(due))),
            NextRefresh::Never => (true, None),
        };
        Self { id: end.authorization_id.into(), fence: end.fence, is_put_off, due_at }
    }
}

unnested! {
    /// Ends of refreshes, column by column.
    struct EndColumns of MootEnd {
        id: Id as IdColumn,
        fence: i64 as BigInt,
        is_put_off: bool as Bool,
        due_at: Option<Time> as Nullable<TimeColumn>,
    }
}

/// Ends of refreshes whose requests are moot, at most one of each authorization.
pub(crate) struct MootEnds(Vec<MootEnd>);

impl MootEnds {
    pub(crate) fn of<'a>(ends: impl IntoIterator<Item = &'a RefreshEnd>) -> Self {
        Self(ends.into_iter().map(MootEnd::from).collect())
    }
}

impl Batch for MootEnds {
    type Statement = EndMoot;

    fn statement(self) -> EndMoot {
        EndMoot(EndColumns::of(self.0))
    }

    fn write_each(self, c: &mut SqliteConnection) -> QueryResult<()> {
        for end in self.0 {
            let row = refreshes::table.find(end.id);
            let asked = row.filter(refreshes::asked_fence.eq(end.fence));
            diesel::update(asked).set(no_entry()).execute(c)?;
            // Somebody else may have the lease by now.
            let held = diesel::update(row.filter(refreshes::fence.eq(end.fence)));
            let due_at = end.is_put_off.then_some(refreshes::due_at.eq(end.due_at));
            held.set((refreshes::holder.eq(None::<String>), due_at)).execute(c)?;
        }
        Ok(())
    }
}

/// Gives leases back, and takes the entries of their own requests out of the journals.
#[derive(QueryId)]
pub(crate) struct EndMoot(EndColumns);

impl QueryFragment<Pg> for EndMoot {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE refreshes AS refresh SET
               holder = CASE WHEN refresh.fence = ended.fence THEN NULL ELSE refresh.holder END,
               due_at = CASE WHEN refresh.fence = ended.fence AND ended.is_put_off
                 THEN ended.due_at ELSE refresh.due_at END,
               asked_fence = nullif(refresh.asked_fence, ended.fence),
               asked_at = CASE WHEN refresh.asked_fence = ended.fence THEN NULL ELSE refresh.asked_at END,
               asked_given_up = refresh.asked_given_up AND refresh.asked_fence <> ended.fence
             FROM (SELECT given.* FROM ",
        );
        self.0.unnest(out.reborrow())?;
        out.push_sql(
            " JOIN refreshes AS refresh ON refresh.authorization_id = given.id
               ORDER BY refresh.authorization_id FOR NO KEY UPDATE OF refresh) AS ended
             WHERE refresh.authorization_id = ended.id",
        );
        Ok(())
    }
}
