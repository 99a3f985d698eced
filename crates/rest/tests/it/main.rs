//! The REST surface through the real router, over the in-memory store, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod anonymous;
mod audit;
mod browser;
mod described;
mod device;
mod external_auth;
mod health;
mod jobs;
mod limits;
mod link_pages;
mod login;
mod malformed;
mod openapi;
mod providers;
mod revocations;
mod schema;
mod secrets;
mod service;
mod slow_bodies;
mod tokens;
