//! `oidc`: the plain OpenID provider at the root, as the RFCs have it.

use super::{Address, Issuer, Mount, SiteRow};
use crate::dialect::PLAIN;
use crate::routes;
use crate::settings::Settings;

/// The plain provider.
pub(super) const SITE: SiteRow = SiteRow {
    name: "oidc",
    mounts: &[Mount { path: "", routes: routes::configure }],
    web: Address { path: "", name: None },
    api: Address { path: "", name: None },
    issuer: Issuer::Here(""),
    dialect: &PLAIN,
    settings: Settings::default,
};
