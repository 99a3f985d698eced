//! The REST surface through the real router, over the in-memory store, in virtual time.

mod anonymous;
mod browser;
mod health;
mod jobs;
mod malformed;
mod providers;
mod secrets;
mod service;
mod tokens;
