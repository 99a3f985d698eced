//! Box's users (<https://developer.box.com/reference/get-users-me/>).

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value};

use super::documents::user_only;
use super::fields::{picture, subject, text};

/// Reads `/2.0/users/me`. The login is the primary address, and nothing tells whether it is verified. The picture may
/// want a session: it is a hint.
pub(crate) fn box_com(user: Map<String, Value>) -> Option<UserInfo> {
    Some(UserInfo {
        sub: subject(&user, "id")?,
        name: text(&user, "name"),
        given_name: None,
        family_name: None,
        nick_name: None,
        email: text(&user, "login"),
        email_verified: None,
        picture: picture(&user, "avatar_url"),
        locale: text(&user, "language"),
        description: text(&user, "job_title"),
        raw: user_only(user),
    })
}
