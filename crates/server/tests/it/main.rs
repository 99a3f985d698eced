//! End to end: the real binary as an operator runs it, against the simulated provider and against providers and
//! clients that nobody here wrote.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod ahead;
mod browser;
mod callers;
mod chromium;
mod client_commands;
mod commands;
mod demo;
mod device;
mod elsewhere;
mod emulated;
mod external_auth;
mod fleet;
mod form;
mod gate;
mod git;
mod golem_client;
mod hand_outs;
mod installation;
mod limits;
mod link_pages;
mod login_pages;
mod logins;
mod migrations;
mod oidc_device;
mod oidc_provider;
mod openid_provider;
mod providers;
mod raw_requests;
mod refresh_models;
mod refused_providers;
mod replicas;
mod resilience;
mod restarts;
mod schemathesis;
mod sdk;
mod secrets;
mod simulated;
mod start_up;
mod stores;
mod tls;
mod tools;
mod unavailable;
mod waiting;
mod world;
