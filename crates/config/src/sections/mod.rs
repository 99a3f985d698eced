//! The settings, one file per section: the type, its defaults and its rules.

pub(crate) mod browser;
pub(crate) mod database_url;
pub(crate) mod external_auth;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod network;
pub(crate) mod providers;
pub(crate) mod public_url;
pub(crate) mod simulator;
pub(crate) mod tokens;
mod web_address;
