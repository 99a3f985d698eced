//! Providers on the wire.

use grantkeeper_domain::providers::{Provider, ProviderStatus, ProviderView};
use serde::Serialize;

use super::rfc3339;
use crate::Api;

/// A provider. It has no member that could hold the client secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct WireProvider {
    id: String,
    org_id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    client_id: String,
    secure_config_id: String,
    skip_consent: bool,
    metadata: Metadata,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    scopes: Vec<String>,
    device_flow: bool,
    callback_url: String,
    supports_revocation: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_slug: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
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

    fn with_scope(provider: &Provider, revocation_scope: Option<&'static str>, api: &Api) -> Self {
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
            created_at: rfc3339(provider.created_at),
            updated_at: rfc3339(provider.updated_at),
            slug: provider.slug.as_ref().map(|slug| slug.as_str().to_owned()),
            scopes: provider.scopes.iter().map(str::to_owned).collect(),
            device_flow: provider.device_flow,
            callback_url: format!("{}/callback/{}", api.settings.public_url, provider.id),
            supports_revocation: revocation_scope.is_some(),
            revocation_scope,
            app_slug: provider.app_slug.clone(),
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
