//! The store adapter: SQLite and PostgreSQL through diesel.
//!
//! [`DieselStore`] implements every storage port of the domain. Tables, rows and queries are private: a file per noun
//! holds the row, its way to the entity and back, the queries as plain values, and the port that runs them.
//!
//! - `sqlite` owns the connections and the threads that work on them, `postgres` the pool and the shared connections;
//!   whatever is particular to one of them is there.
//! - `connection` and `database` run a query on either; `columns`, `schema`, `locked` and `unnest` write it for either.
//! - `look_up` finds by a key what is asked for most, and reads for those who wait together (`gathering`).
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
mod due_refreshes;
mod failure;
mod flows;
mod gathering;
mod jobs;
mod known_providers;
mod leases;
mod locked;
mod login_identities;
mod logins;
mod look_up;
mod migrations;
mod moot_ends;
mod open_error;
mod organizations;
mod outcomes;
mod per_runtime;
mod postgres;
mod providers;
#[cfg(test)]
mod query_plans;
mod refreshes;
mod revocations;
mod rows;
mod schema;
mod sqlite;
mod store;
mod unnest;
mod uses;

pub use open_error::OpenError;
pub use store::{DieselStore, OpenOptions};
