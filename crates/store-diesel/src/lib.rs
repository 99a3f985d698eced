//! The store adapter: SQLite through diesel, on threads of its own.
//!
//! [`DieselStore`] implements every storage port of the domain. Tables, rows and queries are private: a file per noun
//! holds the row, its way to the entity and back, the queries as plain values, and the port that runs them.
//!
//! - `sqlite` owns the connections and the threads that work on them; whatever is particular to SQLite is there.
//! - `columns` and `schema` name the columns in types that each database maps to its own.
//! - `migrations` decides whether a database is fit to be opened, and brings it up to date.
#![deny(missing_docs)]

mod accounts;
mod api_tokens;
mod audit;
mod authorizations;
mod columns;
mod commit;
mod data_keys;
mod failure;
mod flows;
mod jobs;
mod leases;
mod migrations;
mod open_error;
mod organizations;
mod providers;
#[cfg(test)]
mod query_plans;
mod revocations;
mod rows;
mod schema;
mod sqlite;
mod store;

pub use open_error::OpenError;
pub use store::{DieselStore, OpenOptions};
