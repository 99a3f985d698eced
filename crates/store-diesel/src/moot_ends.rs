//! Leases that are given back without having asked: a worker that has claimed more than it may refresh now puts off the
//! rest, all in one statement.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};
use grantkeeper_domain::tokens::{NextRefresh, RefreshEnd};

use crate::columns::{Id, IdColumn, Time, TimeColumn};
use crate::connection::Batch;
use crate::refreshes::no_entry;
use crate::schema::refreshes;
use crate::unnest::{ChangeInOrder, Changes, unnested};

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
    type Statement = ChangeInOrder<EndColumns>;

    fn statement(self) -> Self::Statement {
        ChangeInOrder::of(EndColumns::of(self.0))
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

/// Leases are given back, and the entries of their own requests go out of the journals.
impl Changes for EndColumns {
    const TABLE: &'static str = "refreshes";
    const KEY: &'static str = "authorization_id";
    const SET: &'static str = "
        holder = CASE WHEN stored.fence = given.fence THEN NULL ELSE stored.holder END,
        due_at = CASE WHEN stored.fence = given.fence AND given.is_put_off
          THEN given.due_at ELSE stored.due_at END,
        asked_fence = nullif(stored.asked_fence, given.fence),
        asked_at = CASE WHEN stored.asked_fence = given.fence THEN NULL ELSE stored.asked_at END,
        asked_given_up = stored.asked_given_up AND stored.asked_fence <> given.fence";
}
