//! What sets a type of provider apart where all of them do the same.

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::TokenSet;

use crate::token_endpoint::{ErrorTable, OPENID_ERRORS};

/// How a type of provider speaks OAuth.
#[expect(clippy::struct_excessive_bools, reason = "manners that have nothing to do with each other")]
pub(crate) struct Dialect {
    /// What it means by its error codes.
    pub(crate) errors: ErrorTable,
    /// What its authorization requests always say besides the usual.
    pub(crate) authorization_parameters: &'static [(&'static str, &'static str)],
    /// The parameter that asks for a refresh token, where it is a parameter that does.
    pub(crate) offline_parameter: Option<(&'static str, &'static str)>,
    /// The `prompt` that has the person asked even if they have agreed before; `None`: it knows no such thing.
    pub(crate) consent_prompt: Option<&'static str>,
    /// Of the scopes that are asked for, those that are sent.
    pub(crate) sent_scopes: fn(&Scopes) -> Scopes,
    /// The granted scopes in the spelling of those that were asked for, with what they imply; `None`: just those.
    pub(crate) granted_scopes: fn(&Scopes, &TokenSet) -> Option<Scopes>,
    /// Whether token requests repeat the scopes.
    pub(crate) scope_on_token_requests: bool,
    /// Whether a refresh repeats the redirect URI of the flow.
    pub(crate) redirect_uri_on_refresh: bool,
    /// Whether older versions have no device flow, and answer with 404 where it would be.
    pub(crate) device_flow_may_be_missing: bool,
    /// Whether our client authenticates in the device flow as at the token endpoint (RFC 8628, 3.1 and 3.4), in contrast
    /// to saying its name alone.
    pub(crate) secret_in_device_flow: bool,
    /// Hosts of the pages where people type user codes, besides those of the pinned endpoints.
    pub(crate) device_page_hosts: &'static [&'static str],
}

impl Dialect {
    /// As the RFCs and OpenID Connect have it.
    pub(crate) const STANDARD: Self = Self {
        errors: OPENID_ERRORS,
        authorization_parameters: &[],
        offline_parameter: None,
        consent_prompt: None,
        sent_scopes: Scopes::clone,
        granted_scopes: as_told,
        scope_on_token_requests: false,
        redirect_uri_on_refresh: false,
        device_flow_may_be_missing: false,
        secret_in_device_flow: true,
        device_page_hosts: &[],
    };

    /// The scopes as a token request repeats them, where it does.
    pub(crate) fn scope_to_repeat(&self, asked: &Scopes) -> Option<String> {
        let scope = (self.sent_scopes)(asked).to_wire();
        (self.scope_on_token_requests && !scope.is_empty()).then_some(scope)
    }
}

fn as_told(_: &Scopes, tokens: &TokenSet) -> Option<Scopes> {
    tokens.scopes.clone()
}
