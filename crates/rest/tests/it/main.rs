//! The REST surface through the real router, over the in-memory store, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod anonymous;
mod audit;
mod browser;
mod health;
mod jobs;
mod malformed;
mod providers;
mod secrets;
mod service;
mod tokens;
