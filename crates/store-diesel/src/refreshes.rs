//! The row beside every authorization that its refreshes are written down in: its lease, its journal, and when the next one
//! is due. The database itself adds it with the authorization, whoever writes that, and takes it away.

use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, case_when};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, SingleValue, SqlType, Text};
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::tokens::{
    NextRefresh, RefreshEnd, RefreshLease, RequestEnd, SignOfLife, UnansweredRequest,
};

use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::moot_ends::MootEnds;
use crate::rows::FromRow;
use crate::schema::refreshes;

diesel::define_sql_function! {
    /// The value, or the other one where there is none.
    fn coalesce<T: SqlType + SingleValue>(value: Nullable<T>, other: T) -> T;
}

#[derive(Clone, Debug, Queryable)]
pub(crate) struct RefreshRow {
    pub(crate) id: Id,
    _due_at: Option<Time>,
    pub(crate) holder: Option<String>,
    pub(crate) fence: i64,
    beat: i64,
    asked_fence: Option<i64>,
    asked_at: Option<Time>,
    asked_given_up: bool,
    pub(crate) last_used_at: Option<Time>,
}

impl FromRow for RefreshRow {
    type Row = Self;

    fn from_row(row: Self) -> Result<Self, Unreadable> {
        Ok(row)
    }
}

impl RefreshRow {
    pub(crate) fn sign_of_life(&self) -> SignOfLife {
        SignOfLife { fence: self.fence, beat: self.beat }
    }

    /// The entry of the journal.
    pub(crate) fn asked(&self) -> Option<UnansweredRequest> {
        let (fence, Time(asked_at)) = self.asked_fence.zip(self.asked_at)?;
        Some(UnansweredRequest { fence, asked_at, given_up: self.asked_given_up })
    }

    /// The lease of a row as it was just taken.
    pub(crate) fn lease(&self, holder: String) -> RefreshLease {
        let fence = self.fence;
        let unanswered = self.asked().filter(|asked| asked.fence != fence);
        RefreshLease { authorization_id: self.id.into(), holder, fence, unanswered }
    }
}

#[auto_type(type_case = "PascalCase")]
pub(crate) fn by_id(id: Id) -> _ {
    refreshes::table.filter(refreshes::authorization_id.eq(id))
}

/// [`Change::ScheduleRefresh`](grantkeeper_domain::Change::ScheduleRefresh).
pub(crate) async fn schedule(
    id: AuthorizationId,
    due_at: Option<DateTime<Utc>>,
    c: &mut Connection<'_>,
) -> Result<(), Failure> {
    let row = diesel::update(by_id(id.into())).set(refreshes::due_at.eq(due_at.map(Time)));
    c.execute(row).await.map(drop)
}

/// [`Change::ForgetRequests`](grantkeeper_domain::Change::ForgetRequests).
pub(crate) async fn forget_requests(id: AuthorizationId, c: &mut Connection<'_>) -> Result<(), Failure> {
    c.execute(diesel::update(by_id(id.into())).set(no_entry())).await.map(drop)
}

/// [`Change::EndRefresh`](grantkeeper_domain::Change::EndRefresh).
pub(crate) async fn end(end: RefreshEnd, c: &mut Connection<'_>) -> Result<(), Failure> {
    let due_at = match end.next {
        NextRefresh::Unchanged => None,
        NextRefresh::At(due) => Some(refreshes::due_at.eq(Some(Time(due)))),
        NextRefresh::Never => Some(refreshes::due_at.eq(None)),
    };
    let row = || by_id(end.authorization_id.into());
    let (held, asked) = (refreshes::fence.eq(end.fence), refreshes::asked_fence.eq(end.fence));
    let nobody = || None::<String>.into_sql::<Nullable<Text>>();
    // Somebody else may have the lease by now.
    let given_back = refreshes::holder.eq(case_when(held, nobody()).otherwise(refreshes::holder));
    let ended = match end.request {
        RequestEnd::Moot => return c.write(MootEnds::of([&end])).await,
        RequestEnd::Answered => {
            c.execute(diesel::update(row().filter(asked)).set((no_entry(), given_back, due_at))).await?
        }
        RequestEnd::Lost => {
            let given_up = refreshes::asked_given_up.eq(true);
            c.execute(diesel::update(row().filter(asked)).set((given_up, given_back, due_at))).await?
        }
    };
    // Somebody else has asked since, unless the authorization is gone.
    if ended == 0 && c.one::<RefreshRow>(row()).await?.is_some() {
        return Err(Failure::Conflict);
    }
    Ok(())
}

/// The journal without an entry.
#[auto_type]
pub(crate) fn no_entry() -> _ {
    let (fence, at): (Option<i64>, Option<Time>) = (None, None);
    (refreshes::asked_fence.eq(fence), refreshes::asked_at.eq(at), refreshes::asked_given_up.eq(false))
}

/// Takes leases, and writes the request down where the journal is empty.
macro_rules! leased {
    ($rows:expr, $holder:expr, $now:expr $(, $change:expr)?) => {{
        use $crate::refreshes::coalesce;
        use $crate::schema::refreshes;

        let (fence, now) = (refreshes::fence + 1, $now.into_sql::<$crate::columns::TimeColumn>());
        diesel::update($rows).set((
            refreshes::holder.eq(Some($holder)),
            refreshes::fence.eq(fence),
            refreshes::beat.eq(0_i64),
            refreshes::asked_fence.eq(coalesce(refreshes::asked_fence, fence).nullable()),
            refreshes::asked_at.eq(coalesce(refreshes::asked_at, now).nullable()),
            $($change,)?
        ))
    }};
}
pub(crate) use leased;
