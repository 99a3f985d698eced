//! Links, end to end: what the dashboard, the command line and machines see and do, and what comes of it at the provider.

mod agents;
mod client;
mod device;
mod git;
mod github;
mod links;
mod listening;
mod published_requests;
mod ways;
pub(crate) mod world;
