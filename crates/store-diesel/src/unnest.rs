//! Many rows in one statement of PostgreSQL's: `unnest(…)` of one array for each column. So the statement is the same for
//! any number of rows, and is prepared once.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// Rows, column by column.
pub(crate) trait Unnest {
    /// The rows as a table by the name of `given`.
    fn unnest<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

/// What rows change in a table. The column `id` of each names the row that it changes.
pub(crate) trait Changes: Unnest {
    /// The table that is changed.
    const TABLE: &'static str;
    /// Its key.
    const KEY: &'static str;
    /// What becomes of its columns: `stored` is the row that is there, `given` the one that changes it.
    const SET: &'static str;
}

/// Changes many rows of a table. All of them are locked before, in the order of their keys: two that change the same rows at
/// a time wait for each other, and neither for ever.
#[derive(QueryId)]
pub(crate) struct ChangeInOrder<C>(C);

impl<C: Changes> ChangeInOrder<C> {
    pub(crate) fn of(changes: C) -> Self {
        Self(changes)
    }
}

impl<C: Changes> QueryFragment<Pg> for ChangeInOrder<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (table, key, set) = (C::TABLE, C::KEY, C::SET);
        out.push_sql(&format!("UPDATE {table} AS stored SET {set} FROM (SELECT given.* FROM "));
        self.0.unnest(out.reborrow())?;
        out.push_sql(&format!(
            " JOIN {table} AS stored ON stored.{key} = given.id
               ORDER BY stored.{key} FOR NO KEY UPDATE OF stored) AS given
             WHERE stored.{key} = given.id"
        ));
        Ok(())
    }
}

/// Makes a type of the columns of rows: from its rows, and to `unnest`, which gives the rows back.
macro_rules! unnested {
    (
        $(#[$doc:meta])*
        struct $columns:ident of $row:ident {
            $first:ident: $first_type:ty as $first_sql:ty
            $(, $column:ident: $type:ty as $sql:ty)* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(diesel::query_builder::QueryId)]
        pub(crate) struct $columns {
            $first: Vec<$first_type>,
            $($column: Vec<$type>,)*
        }

        impl $columns {
            /// The names of the columns, in their order.
            const NAMES: &str = concat!(stringify!($first) $(, ", ", stringify!($column))*);

            fn of(rows: Vec<$row>) -> Self {
                let mut columns = Self {
                    $first: Vec::with_capacity(rows.len()),
                    $($column: Vec::with_capacity(rows.len()),)*
                };
                for row in rows {
                    columns.$first.push(row.$first);
                    $(columns.$column.push(row.$column);)*
                }
                columns
            }
        }

        impl $crate::unnest::Unnest for $columns {
            fn unnest<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql("unnest(");
                out.push_bind_param::<diesel::sql_types::Array<$first_sql>, _>(&self.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<diesel::sql_types::Array<$sql>, _>(&self.$column)?;
                )*
                out.push_sql(") AS given (");
                out.push_sql(Self::NAMES);
                out.push_sql(")");
                Ok(())
            }
        }
    };
}
pub(crate) use unnested;
