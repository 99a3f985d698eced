//! The store over both databases: the suites that every store passes, how it is opened, and what its schema holds by
//! itself.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod contract;
mod database;
mod look_ups;
mod migrating;
mod old_rows;
mod opening;
mod postgres;
mod postgres_failing;
mod postgres_opening;
mod postgres_proxy;
mod schema;
mod twins;
mod unavailable;
