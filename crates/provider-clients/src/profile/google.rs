//! Google's claims.

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::ClaimsSource;
use super::oidc::oidc;

/// Reads Google's userinfo or the claims of its ID token. Google has no logins.
pub(crate) fn google(claims: Map<String, Value>, source: ClaimsSource) -> Option<UserInfo> {
    Some(UserInfo { nick_name: None, ..oidc(claims, source)? })
}
