//! Providers.

use async_trait::async_trait;
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::ids::{OrganizationId, ProviderId};
use grantkeeper_domain::providers::{
    GitHosts, Provider, ProviderCatalog, ProviderEndpoints, ProviderKind, ProviderStatus, Slug,
};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::rows::{FromRow, scope_list, versioned};
use crate::schema::providers;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = providers, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct ProviderRow {
    id: Id,
    organization_id: Id,
    slug: Option<String>,
    name: String,
    kind: String,
    status: String,
    client_id: String,
    client_secret: Vec<u8>,
    credential_id: Id,
    host: Option<String>,
    endpoints: Json<ProviderEndpoints>,
    scopes: Json<Vec<String>>,
    device_flow: bool,
    app_slug: Option<String>,
    skip_consent: Option<bool>,
    keep_alive: bool,
    created_at: Time,
    updated_at: Time,
    version: i64,
    git_hosts: Option<Json<Vec<String>>>,
}

impl ProviderRow {
    fn of(provider: &Provider, version: Version) -> Self {
        let git_hosts = provider.git_hosts.to_texts();
        Self {
            id: provider.id.into(),
            organization_id: provider.organization_id.into(),
            slug: provider.slug.as_ref().map(|slug| slug.as_str().to_owned()),
            name: provider.name.clone(),
            kind: provider.kind.as_str().to_owned(),
            status: provider.status.as_str().to_owned(),
            client_id: provider.client_id.clone(),
            client_secret: provider.client_secret.as_bytes().to_vec(),
            credential_id: provider.credential_id.into(),
            host: provider.host.clone(),
            endpoints: Json::Value(provider.endpoints.clone()),
            scopes: scope_list(&provider.scopes),
            device_flow: provider.device_flow,
            app_slug: provider.app_slug.clone(),
            skip_consent: provider.skip_consent,
            keep_alive: provider.keep_alive,
            created_at: provider.created_at.into(),
            updated_at: provider.updated_at.into(),
            version: version.get(),
            git_hosts: (!git_hosts.is_empty()).then_some(Json::Value(git_hosts)),
        }
    }
}

impl FromRow for Provider {
    type Row = ProviderRow;

    fn from_row(row: ProviderRow) -> Result<Self, Unreadable> {
        let slug = row.slug.as_deref().map(Slug::parse).transpose();
        let git_hosts = row.git_hosts.map(|hosts| hosts.read("providers.git_hosts")).transpose()?;
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            slug: slug.map_err(|_| Unreadable("providers.slug"))?,
            name: row.name,
            kind: ProviderKind::from_name(&row.kind).ok_or(Unreadable("providers.kind"))?,
            status: ProviderStatus::from_name(&row.status).ok_or(Unreadable("providers.status"))?,
            client_id: row.client_id,
            client_secret: SealedSecret::from_bytes(row.client_secret),
            credential_id: row.credential_id.into(),
            host: row.host,
            endpoints: row.endpoints.read("providers.endpoints")?,
            scopes: row.scopes.read("providers.scopes")?.into_iter().collect(),
            device_flow: row.device_flow,
            app_slug: row.app_slug,
            git_hosts: GitHosts::parse(git_hosts.unwrap_or_default())
                .map_err(|_| Unreadable("providers.git_hosts"))?,
            skip_consent: row.skip_consent,
            keep_alive: row.keep_alive,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Provider, ProviderRow in providers);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    providers::table.filter(providers::id.eq(id))
}

#[auto_type]
pub(crate) fn of_organization(organization: Id) -> _ {
    providers::table
        .filter(providers::organization_id.eq(organization))
        .order((providers::created_at, providers::id))
}

#[async_trait]
impl ProviderCatalog for DieselStore {
    async fn provider(
        &self,
        organization: OrganizationId,
        id: ProviderId,
    ) -> Result<Option<Provider>, StoreError> {
        let theirs = providers::organization_id.eq(Id::from(organization));
        self.one(by_id(id.into()).filter(theirs)).await
    }

    async fn provider_anywhere(&self, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn providers(&self, organization: OrganizationId) -> Result<Vec<Provider>, StoreError> {
        self.all(of_organization(organization.into())).await
    }
}
