//! Providers on the wire.

use grantkeeper_domain::providers::{Provider, ProviderStatus, ProviderView, RevocationScope};
use serde::Serialize;
use utoipa::ToSchema;

use super::time::Time;
use crate::Api;
use crate::external_oauth::description::values;

/// A provider. It has no member that could hold the client secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Provider)]
#[expect(clippy::struct_excessive_bools, reason = "these are the members that the API has")]
pub(in super::super) struct WireProvider {
    /// Its id; it stays the same whatever is changed.
    id: String,
    /// The organization that it belongs to.
    org_id: String,
    /// Its name, for people.
    name: String,
    #[serde(rename = "type")]
    #[schema(schema_with = values::provider_type)]
    kind: &'static str,
    #[schema(schema_with = values::provider_status)]
    status: &'static str,
    /// The id of our client at the provider.
    client_id: String,
    /// Names the stored, sealed client credentials; it stays the same when the secret is replaced.
    secure_config_id: String,
    /// Whether the parameter that forces the provider's consent page is left out.
    skip_consent: bool,
    metadata: Metadata,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    /// The short id, unique within the organization; a provider that could not be deleted has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    /// What is asked of the provider for every user.
    scopes: Vec<String>,
    /// Whether users may authorize without a browser at hand (RFC 8628).
    device_flow: bool,
    /// Whether refresh tokens that nobody uses are kept from dying of it.
    keep_alive: bool,
    /// The redirect URI to enter at the provider, for flows over our own pages.
    callback_url: String,
    /// Whether deleting an authorization ends it at the provider as well.
    supports_revocation: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = values::revocation_scope)]
    revocation_scope: Option<&'static str>,
    /// The slug of a GitHub App.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_slug: Option<String>,
    /// Where its git repositories are, where that is not what its type and host tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    git_hosts: Vec<String>,
}

/// Where the provider is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProviderMetadata)]
struct Metadata {
    /// What it was registered with: a URL, or a tenant. For the provider in the cloud the bare host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// Where users manage what they have authorized.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings_url: Option<String>,
}

impl WireProvider {
    pub(in super::super) fn of(view: &ProviderView, api: &Api) -> Self {
        Self::with_scope(&view.provider, view.revocation_scope, api)
    }

    /// As a part of an authorization, which has no view of its provider.
    pub(super) fn within_authorization(provider: &Provider, api: &Api) -> Self {
        Self::with_scope(provider, provider.revocation_scope(&*api.clients), api)
    }

    fn with_scope(provider: &Provider, revocation_scope: Option<RevocationScope>, api: &Api) -> Self {
        Self {
            id: provider.id.to_string(),
            org_id: provider.organization_id.to_string(),
            name: provider.name.clone(),
            kind: provider.kind.as_str(),
            status: status(provider),
            client_id: provider.client_id.clone(),
            secure_config_id: provider.credential_id.to_string(),
            skip_consent: provider.skip_consent.unwrap_or(false),
            metadata: Metadata {
                host: provider.host.clone().or_else(|| provider.host_name()),
                settings_url: provider.endpoints.settings_url.as_ref().map(ToString::to_string),
            },
            created_at: Time(provider.created_at),
            updated_at: Time(provider.updated_at),
            slug: provider.slug.as_ref().map(|slug| slug.as_str().to_owned()),
            scopes: provider.scopes.iter().map(str::to_owned).collect(),
            device_flow: provider.device_flow,
            keep_alive: provider.keep_alive,
            callback_url: format!("{}/callback/{}", api.settings.public_url, provider.id),
            supports_revocation: revocation_scope.is_some(),
            revocation_scope: revocation_scope.map(RevocationScope::as_str),
            app_slug: provider.app_slug.clone(),
            git_hosts: provider.git_hosts.to_texts(),
        }
    }
}

fn status(provider: &Provider) -> &'static str {
    match provider.status {
        ProviderStatus::Active => "active",
        ProviderStatus::Inactive => "inactive",
        ProviderStatus::Disabled => "disabled",
        ProviderStatus::Deleting | ProviderStatus::DeletionFailed => "deleted",
    }
}
