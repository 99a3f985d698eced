//! What tests hold in their hands: a clock that stands still, randomness with a seed, a sealer without cryptography,
//! entities with sensible fields, and the suites that every store has to pass.
//!
//! An adapter's tests run a whole suite over its store in one line each, one `#[test]` per rule:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use grantkeeper_domain::{memory::MemoryStore, Store};
//! async fn fresh_store() -> Arc<dyn Store> {
//!     Arc::new(MemoryStore::new())
//! }
//!
//! mod contract {
//!     grantkeeper_testkit::store_contract_tests!(super::fresh_store());
//! }
//!
//! mod races {
//!     grantkeeper_testkit::store_race_tests!(super::fresh_store());
//! }
//! ```
#![deny(missing_docs)]

#[macro_use]
mod rules;

mod clock;
pub mod entities;
pub mod postgres;
mod randomness;
pub mod scripted_provider;
mod sealer;
pub mod store_contract;
pub mod store_races;

pub use clock::FixedClock;
pub use randomness::SeededRandom;
pub use rules::{RunningRule, StoreUnderTest, run_rule};
pub use sealer::TestSealer;

#[cfg(test)]
mod memory_store;
