//! Clients of OAuth providers over one guarded HTTP client.
//!
//! [`ProviderDirectory`] is what the domain sees: it finds the client for a type of provider. A client is one file in
//! `providers` and one row in `directory`, thin over the pieces that all of them share: the grants and the device flow,
//! which go by a type's `dialect`, the tolerant reader of token answers with a closed table of error codes for each
//! type, revocation, and what OpenID Connect adds (discovery, ID tokens, userinfo). Every call goes through the guarded
//! HTTP client of `http`, which follows no redirects and connects to no address that the [`NetworkPolicy`] refuses.
//!
//! Failures are [`UpstreamError`](grantkeeper_domain::providers::UpstreamError)s, and those hold codes only: no text, no
//! body and no URL of a provider travels in them.
#![deny(missing_docs)]

mod audience;
mod authorization_url;
mod client;
mod device_flow;
mod dialect;
mod directory;
mod failure;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod grants;
mod http;
mod identity;
mod introspection;
mod openid;
mod origins;
mod parts;
mod profile;
mod providers;
mod registration;
mod resources;
mod revocation;
mod settings;
mod token_endpoint;
mod validation;

pub use directory::{ProviderDirectory, ProviderDirectoryError};
pub use http::NetworkPolicy;
pub use settings::{ClientSettings, EndpointOverrides, Limits};
