//! Providers, authorizations, tokens and jobs behind ports: the heart of Grantkeeper, with no I/O of its own.
//!
//! A folder per noun; in each the entity, its `ports`, and one file per use case. Use cases are plain structs over
//! `Arc<dyn Port>`: fill in the ports that one names and call its `run`, or let [`UseCases::over`] assemble all of
//! them over one [`Ports`]. The `memory` feature brings an in-memory store, the `mock` feature the mocks of every
//! port; see the two programs in `examples/`.
#![deny(missing_docs)]

pub mod accounts;
pub mod audit;
pub mod authorizations;
mod background;
mod clean_up;
#[cfg(test)]
mod fixtures;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
pub mod ids;
pub mod jobs;
mod lease;
pub mod links;
pub mod login;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
mod persist;
mod ports;
pub mod providers;
pub mod revocations;
pub mod sealing;
pub mod secret;
pub mod services;
mod store;
pub mod tokens;
mod use_cases;

pub use background::BackgroundTasks;
pub use clean_up::CleanUp;
pub use lease::Lease;
pub use ports::{Ports, Store};
pub use secret::Secret;
#[cfg(any(test, feature = "mock"))]
pub use store::MockUnitOfWork;
pub use store::{Change, CommitError, Row, StoreError, Unique, UnitOfWork, Version};
pub use use_cases::{Settings, UseCases};
