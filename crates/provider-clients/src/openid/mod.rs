//! What OpenID Connect adds to OAuth, for every provider that speaks it.

mod defect;
mod discovery;
mod id_token;
mod id_tokens;
mod keys;
mod profile;
mod userinfo;

pub(crate) use discovery::{Discovery, OpenidIssuer};
pub(crate) use id_tokens::IdTokens;
pub(crate) use userinfo::UserinfoEndpoint;
