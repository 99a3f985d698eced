//! Provider clients against the simulated provider, and against servers that mean harm.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audiences;
mod bitbucket;
mod contract;
mod deployments;
mod device_flow;
mod github;
mod hostile;
mod id_tokens;
mod microsoft;
mod oidc;
mod person;
mod readme;
mod registration;
mod scripted_api;
mod token_answers;
mod world;
