//! End to end: the real binary as an operator runs it, against the simulated provider and against providers and
//! clients that nobody here wrote.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod callers;
mod commands;
mod demo;
mod installation;
mod oidc_provider;
mod openid_provider;
mod resilience;
mod sdk;
mod secrets;
mod start_up;
mod tools;
mod waiting;
