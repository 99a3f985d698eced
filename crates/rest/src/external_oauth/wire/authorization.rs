//! Authorizations, started and completed flows, and access tokens on the wire.

use grantkeeper_domain::authorizations::{AuthorizationView, Scopes, StartedFlow};
use grantkeeper_domain::ids::{AccountId, AuthorizationId, CredentialId, OrganizationId};
use grantkeeper_domain::tokens::LentToken;
use serde::Serialize;
use utoipa::ToSchema;

use super::scope_list::ScopeList;
use super::text::Text;
use super::time::Time;
use super::written_providers::ProviderJson;
use super::{WireProvider, WireUserInfo, WrittenProviders};
use crate::Api;
use crate::external_oauth::description::values;

/// An authorization. It has no member that could hold a token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Authorization)]
pub(in super::super) struct WireAuthorization<'a> {
    /// Its id; authorizing the same account at the same provider again keeps it.
    #[schema(value_type = String)]
    id: Text<AuthorizationId>,
    /// When the user authorized first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// The account that it belongs to.
    #[schema(value_type = String)]
    user_id: Text<AccountId>,
    /// The organization of that account.
    #[schema(value_type = String)]
    org_id: Text<OrganizationId>,
    /// The id of our client at the provider.
    oauth_client_id: &'a str,
    /// Names the stored, sealed tokens.
    #[schema(value_type = String)]
    credential_id: Text<CredentialId>,
    #[schema(value_type = WireProvider)]
    provider: ProviderJson,
    #[schema(schema_with = values::authorization_status)]
    status: &'static str,
    /// Why the status is what it is, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'a str>,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    status_since: Time,
    /// What the provider granted.
    #[schema(value_type = Vec<String>)]
    granted_scopes: ScopeList<&'a Scopes>,
    /// What was asked for and not granted.
    #[schema(value_type = Vec<String>)]
    missing_scopes: ScopeList<Scopes>,
    /// When the stored access token expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    access_token_expires_at: Option<Time>,
    /// When the grant expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    refresh_token_expires_at: Option<Time>,
    /// After a failed refresh: before this the provider is not asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Time>,
    /// When the tokens were refreshed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_refreshed_at: Option<Time>,
}

impl<'a> WireAuthorization<'a> {
    pub(in super::super) fn of(view: &'a AuthorizationView, api: &Api) -> Self {
        let AuthorizationView { authorization, provider, status, status_reason, status_since } = view;
        Self {
            id: Text(authorization.id),
            created_at: Time(authorization.created_at),
            user_id: Text(authorization.account_id),
            org_id: Text(authorization.organization_id),
            oauth_client_id: &provider.client_id,
            credential_id: Text(authorization.credential_id),
            provider: WrittenProviders::json(provider, api),
            status: status.as_str(),
            status_reason: status_reason.as_deref(),
            status_since: Time(*status_since),
            granted_scopes: ScopeList(&authorization.granted_scopes),
            missing_scopes: ScopeList(authorization.missing_scopes()),
            access_token_expires_at: authorization.expires_at.map(Time),
            refresh_token_expires_at: authorization.refresh_token_expires_at.map(Time),
            next_attempt_at: authorization.next_attempt_at.map(Time),
            last_refreshed_at: authorization.last_refreshed_at.map(Time),
        }
    }
}

/// A flow that was started.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StartedFlow)]
pub(in super::super) struct WireStartedFlow<'a> {
    /// Where the user's browser goes next: the provider's page, or one of ours that asks first.
    #[schema(format = "uri")]
    redirect_url: &'a str,
    /// The state that comes back with the code.
    state: &'a str,
}

impl<'a> WireStartedFlow<'a> {
    pub(in super::super) fn of(started: &'a StartedFlow) -> Self {
        Self { redirect_url: started.redirect_url.as_str(), state: started.state.expose() }
    }
}

/// A flow that was completed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CompletedFlow)]
pub(in super::super) struct WireCompletedFlow<'a> {
    authorized_provider: WireAuthorization<'a>,
    user_info: WireUserInfo<'a>,
}

impl<'a> WireCompletedFlow<'a> {
    pub(in super::super) fn of(view: &'a AuthorizationView, api: &Api) -> Self {
        Self {
            authorized_provider: WireAuthorization::of(view, api),
            user_info: WireUserInfo::of(&view.authorization.user),
        }
    }
}

/// The one answer of this API that carries a token of a provider: an access token, to the user it belongs to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessToken)]
pub(in super::super) struct WireToken<'a> {
    /// The provider's access token.
    access_token: &'a str,
    authorized_oauth_provider: WireAuthorization<'a>,
    /// When the token expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

impl<'a> WireToken<'a> {
    pub(in super::super) fn of(lent: &'a LentToken, api: &Api) -> Self {
        Self {
            access_token: lent.access_token.expose(),
            authorized_oauth_provider: WireAuthorization::of(&lent.authorization, api),
            expires_at: lent.expires_at.map(Time),
        }
    }
}
