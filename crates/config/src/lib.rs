//! Typed settings from file, environment and flags, validated.
//!
//! [`Settings::load`] merges three layers, each stronger than the one before:
//!
//! 1. a TOML file, of which [`EXAMPLE`] is one with every setting in it;
//! 2. the environment: `GRANTKEEPER_LISTEN`, and `GRANTKEEPER_TOKENS__CALLER_WAIT` for `caller_wait` in `[tokens]`.
//!    `GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__ORGANIZATION` is `organization` in `[login.providers.github]`.
//!    Lists are separated by commas; an empty variable is one that is not set. `GRANTKEEPER_KEY` and
//!    `GRANTKEEPER_KEY_FILE` are short for `GRANTKEEPER_KEYS__KEY` and `GRANTKEEPER_KEYS__FILE`. Left alone are
//!    `GRANTKEEPER_CONFIG`, which names the file, what the commands take that are clients of a service
//!    (`GRANTKEEPER_URL`, `GRANTKEEPER_TOKEN`, `GRANTKEEPER_GIT_WAIT`), and what Kubernetes sets for a service of that
//!    name (`GRANTKEEPER_SERVICE_…`, `GRANTKEEPER_PORT…`);
//! 3. overrides, which the program takes from its flags.
//!
//! A setting that is unknown or wrong is an error, never ignored. [`ConfigErrors`] tells all of them at once, each
//! with its key, where it came from and what to do.
#![deny(missing_docs)]

mod layer;
mod problem;
mod reader;
mod sections;
mod settings;

pub use ipnet::IpNet;

pub use problem::{ConfigErrors, Problem};
pub use sections::browser::Browser;
pub use sections::database_url::DatabaseUrl;
pub use sections::external_auth::ExternalAuth;
pub use sections::jobs::Jobs;
pub use sections::keys::{KeyText, Keys};
pub use sections::limits::Limits;
pub use sections::log::{Log, LogFormat};
pub use sections::login::{Login, LoginProvider, NewAccounts};
pub use sections::network::{AllowedPeer, Network};
pub use sections::providers::{EndpointReplacements, Providers};
pub use sections::public_url::PublicUrl;
pub use sections::simulator::Simulator;
pub use sections::tokens::{HandOutRecord, Tokens};
pub use settings::Settings;

/// A configuration file with every setting, its default and what it does.
pub const EXAMPLE: &str = include_str!("../grantkeeper.example.toml");
