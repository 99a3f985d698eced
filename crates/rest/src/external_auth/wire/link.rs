//! Links on the wire.

use grantkeeper_domain::links::{CheckedLink, Links};
use serde::Serialize;
use utoipa::ToSchema;

use super::provider::WireProvider;
use super::reason;
use super::time::Time;

/// What a user can link, and has.
#[derive(Serialize, ToSchema)]
#[schema(as = Links)]
pub(in super::super) struct WireLinks<'a> {
    /// The providers of the organization, linked or not.
    providers: Vec<WireProvider<'a>>,
    /// The user's links, one for each provider that is linked.
    links: Vec<WireLink>,
}

/// A user's link to a provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
struct WireLink {
    /// The `id` of the provider.
    provider_id: String,
    /// When it was first linked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was linked or refreshed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    /// Whether the access token can be refreshed.
    has_refresh_token: bool,
    /// When the access token expires; `0001-01-01T00:00:00Z` where the provider does not say.
    #[schema(value_type = String, format = DateTime)]
    expires: Time,
    /// Whether there is a token that the provider takes, as far as anybody knows: only a definite answer makes it false.
    authenticated: bool,
    /// Why the link does not hold, or could not be checked, with a code in brackets at the end; empty where all is well.
    validate_error: String,
}

impl<'a> WireLinks<'a> {
    pub(in super::super) fn of(links: &'a Links) -> Self {
        Self {
            providers: links.providers.iter().map(WireProvider::of).collect(),
            links: links.links.iter().map(WireLink::of).collect(),
        }
    }
}

impl WireLink {
    fn of(checked: &CheckedLink) -> Self {
        let CheckedLink { link, authenticated, failure } = checked;
        Self {
            provider_id: link.provider.named(),
            created_at: Time(link.authorization.created_at),
            updated_at: Time(link.updated_at()),
            has_refresh_token: link.authorization.refresh_token.is_some(),
            expires: Time::or_none(link.authorization.expires_at),
            authenticated: *authenticated,
            validate_error: failure
                .as_deref()
                .map_or_else(String::new, |code| reason::of_link(*authenticated, code)),
        }
    }
}
