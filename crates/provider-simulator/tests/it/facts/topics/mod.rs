//! What is checked of every deployment, one file per topic. A topic reads its rows and compares them with what goes
//! over the wire.

pub(super) mod access_tokens;
pub(super) mod authorization;
pub(super) mod client_authentication;
pub(super) mod code_lifetime;
pub(super) mod device;
pub(super) mod documents;
pub(super) mod id_tokens;
pub(super) mod introspection;
pub(super) mod live_tokens;
pub(super) mod metadata;
pub(super) mod mistakes;
pub(super) mod nothing;
pub(super) mod pkce;
pub(super) mod rate_limits;
pub(super) mod refresh_token_lifetime;
pub(super) mod refresh_tokens;
pub(super) mod revocation;
pub(super) mod rotation;
pub(super) mod scopes;
pub(super) mod token_answers;
