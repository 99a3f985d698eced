//! What OpenID Connect adds to OAuth, for every provider that speaks it.

mod defect;
mod discovery;
mod id_token;
mod id_tokens;
mod keys;
mod userinfo;

pub(crate) use discovery::{Discovery, OpenidIssuer};
pub(crate) use id_tokens::{IdTokens, IdentityFromIdToken, OpenidIdentity, ReadClaims, without_flow_claims};
pub(crate) use userinfo::UserinfoEndpoint;
