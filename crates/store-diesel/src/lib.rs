//! The store adapter: SQLite and PostgreSQL through diesel.
//!
//! [`DieselStore`] implements every storage port of the domain. Tables, rows and queries are private: a file per noun
//! holds the row, its way to the entity and back, the queries as plain values, and the port that runs them.
//!
//! - `sqlite` owns the connections and the threads that work on them, `postgres` the pool and the shared connections;
//!   whatever is particular to one of them is there.
//! - `connection` and `database` run a query on either; `columns`, `schema` and `locked` write it for either.
//! - `migrations` decides whether a database is fit to be opened, and brings it up to date.
#![deny(missing_docs)]

mod accounts;
mod api_tokens;
mod audit;
mod authorizations;
mod columns;
mod commit;
mod connection;
mod data_keys;
mod database;
mod device_flows;
mod failure;
mod flows;
mod jobs;
mod leases;
mod locked;
mod migrations;
mod open_error;
mod organizations;
mod outcomes;
mod postgres;
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
