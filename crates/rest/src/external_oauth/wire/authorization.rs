//! Authorizations, started and completed flows, and access tokens on the wire.

use grantkeeper_domain::authorizations::{AuthorizationView, Scopes, StartedFlow};
use grantkeeper_domain::tokens::LentToken;
use serde::Serialize;
use utoipa::ToSchema;

use super::{WireProvider, WireUserInfo, rfc3339};
use crate::Api;
use crate::external_oauth::description::values;

/// An authorization. It has no member that could hold a token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Authorization)]
pub(in super::super) struct WireAuthorization {
    /// Its id; authorizing the same account at the same provider again keeps it.
    id: String,
    /// When the user authorized first.
    #[schema(format = DateTime)]
    created_at: String,
    /// The account that it belongs to.
    user_id: String,
    /// The organization of that account.
    org_id: String,
    /// The id of our client at the provider.
    oauth_client_id: String,
    /// Names the stored, sealed tokens.
    credential_id: String,
    provider: WireProvider,
    #[schema(schema_with = values::authorization_status)]
    status: &'static str,
    /// Why the status is what it is, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    /// Since when it is so.
    #[schema(format = DateTime)]
    status_since: String,
    /// What the provider granted.
    granted_scopes: Vec<String>,
    /// What was asked for and not granted.
    missing_scopes: Vec<String>,
    /// When the stored access token expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    access_token_expires_at: Option<String>,
    /// When the grant expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    refresh_token_expires_at: Option<String>,
    /// After a failed refresh: before this the provider is not asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// When the tokens were refreshed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_refreshed_at: Option<String>,
}

impl WireAuthorization {
    pub(in super::super) fn of(view: &AuthorizationView, api: &Api) -> Self {
        let AuthorizationView { authorization, provider, status, status_reason, status_since } = view;
        Self {
            id: authorization.id.to_string(),
            created_at: rfc3339(authorization.created_at),
            user_id: authorization.account_id.to_string(),
            org_id: authorization.organization_id.to_string(),
            oauth_client_id: provider.client_id.clone(),
            credential_id: authorization.credential_id.to_string(),
            provider: WireProvider::within_authorization(provider, api),
            status: status.as_str(),
            status_reason: status_reason.clone(),
            status_since: rfc3339(*status_since),
            granted_scopes: list(&authorization.granted_scopes),
            missing_scopes: list(&authorization.missing_scopes()),
            access_token_expires_at: authorization.expires_at.map(rfc3339),
            refresh_token_expires_at: authorization.refresh_token_expires_at.map(rfc3339),
            next_attempt_at: authorization.next_attempt_at.map(rfc3339),
            last_refreshed_at: authorization.last_refreshed_at.map(rfc3339),
        }
    }
}

fn list(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(str::to_owned).collect()
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
    authorized_provider: WireAuthorization,
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
    authorized_oauth_provider: WireAuthorization,
    /// When the token expires, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl<'a> WireToken<'a> {
    pub(in super::super) fn of(lent: &'a LentToken, api: &Api) -> Self {
        Self {
            access_token: lent.access_token.expose(),
            authorized_oauth_provider: WireAuthorization::of(&lent.authorization, api),
            expires_at: lent.expires_at.map(rfc3339),
        }
    }
}
