//! The client against a service whose answers are scripted, word for word as the APIs give them.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod device_flow;
mod links;
mod login;
mod scripted;
mod tokens;
mod trouble;
