//! Many rows in one statement of PostgreSQL's: `unnest(…)` of one array for each column. So the statement is the same for
//! any number of rows, and is prepared once.

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

            /// The rows as a table by the name of `given`.
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
