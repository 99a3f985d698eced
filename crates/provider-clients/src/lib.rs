//! Clients of OAuth providers over one guarded HTTP client.
//!
//! [`ProviderDirectory`] is what the domain sees: it finds the client for a type of provider. A client is one file in
//! `providers`, thin over the pieces that all of them share: the code flow, the tolerant reader of token answers,
//! revocation, and what OpenID Connect adds (discovery, ID tokens, userinfo). Every call goes through the guarded HTTP
//! client of `http`, which follows no redirects and connects to no address that the [`NetworkPolicy`] refuses.
//!
//! Failures are [`UpstreamError`](grantkeeper_domain::providers::UpstreamError)s, and those hold codes only: no text, no
//! body and no URL of a provider travels in them.
#![deny(missing_docs)]

mod code_flow;
mod directory;
mod failure;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod openid;
mod providers;
mod revocation;
mod settings;
mod token_endpoint;

pub use directory::{ProviderDirectory, ProviderDirectoryError};
pub use http::NetworkPolicy;
pub use settings::{ClientSettings, EndpointOverrides, Limits};
