//! One file per type of provider.

mod oidc;

pub(crate) use oidc::OidcClient;
