//! Providers on the wire.

use grantkeeper_domain::providers::{PkceSupport, ProviderView};
use serde::Serialize;
use utoipa::ToSchema;

use crate::external_auth::description::values;

/// A provider that a user can link.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkProvider)]
#[expect(clippy::struct_excessive_bools, reason = "these are the members that published clients read")]
pub(super) struct WireProvider<'a> {
    /// Its slug, or its id where it has none.
    id: String,
    #[serde(rename = "type")]
    #[schema(schema_with = values::provider_type)]
    kind: &'static str,
    /// Whether users may link it by device code (RFC 8628).
    device: bool,
    /// Its name, for people.
    display_name: &'a str,
    /// Always empty: this service has no pictures.
    display_icon: &'static str,
    /// Whether expired access tokens are refreshed.
    allow_refresh: bool,
    /// Whether the provider can be asked whether an access token is good.
    allow_validate: bool,
    /// Whether unlinking revokes the tokens at the provider.
    supports_revocation: bool,
    /// How flows of the web are protected (RFC 7636, 4.2).
    code_challenge_methods_supported: &'static [&'static str],
}

impl<'a> WireProvider<'a> {
    pub(super) fn of(view: &'a ProviderView) -> Self {
        let provider = &view.provider;
        Self {
            id: provider.named(),
            kind: provider.kind.as_str(),
            device: provider.device_flow,
            display_name: &provider.name,
            display_icon: "",
            allow_refresh: view.refreshes,
            allow_validate: view.validates,
            supports_revocation: view.revocation_scope.is_some(),
            code_challenge_methods_supported: match provider.endpoints.pkce {
                PkceSupport::S256 => &["S256"],
                PkceSupport::Unsupported => &[],
            },
        }
    }
}
