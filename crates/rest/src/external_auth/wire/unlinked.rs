//! The end of a link on the wire.

use grantkeeper_domain::links::Unlinked;
use serde::Serialize;
use utoipa::ToSchema;

use super::reason;

/// What became of the tokens of a link that is gone.
#[derive(Serialize, ToSchema)]
#[schema(as = Unlinked)]
pub(in super::super) struct WireUnlinked {
    /// Whether the provider has revoked them.
    token_revoked: bool,
    /// Why it has not yet, with a code in brackets at the end; empty where it has, or has no way to revoke.
    token_revocation_error: String,
}

impl WireUnlinked {
    pub(in super::super) fn of(unlinked: &Unlinked) -> Self {
        let Unlinked { revoked, failure } = unlinked;
        Self {
            token_revoked: *revoked,
            token_revocation_error: failure.as_deref().map_or_else(String::new, reason::of_revocation),
        }
    }
}
