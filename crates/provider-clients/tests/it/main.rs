//! Provider clients against the simulated provider, and against servers that mean harm.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod hostile;
mod id_tokens;
mod oidc;
mod person;
mod registration;
mod world;
