//! The SQLite store: the suites that every store passes, how it is opened, and what its schema holds by itself.

mod contract;
mod database;
mod opening;
mod schema;
mod unavailable;
