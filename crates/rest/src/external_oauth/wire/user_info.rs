//! Users on the wire.

use grantkeeper_domain::authorizations::UserInfo;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Who the user is. `sub` and `email` are always strings; the nickname has both spellings, the reference's and the
/// one that the SDK reads.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserInfo)]
pub(in super::super) struct WireUserInfo<'a> {
    /// The provider's stable id of the user; numbers in decimal.
    sub: &'a str,
    /// The e-mail address; empty where the provider does not tell it.
    email: &'a str,
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<&'a str>,
    /// The family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<&'a str>,
    /// The name that the user goes by at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    nick_name: Option<&'a str>,
    /// The same, in the spelling of the SDK.
    #[serde(rename = "nickname", skip_serializing_if = "Option::is_none")]
    sdk_nickname: Option<&'a str>,
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a str>,
    /// The language.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    /// A line about the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// The provider's main document about the user, unchanged.
    #[serde(skip_serializing_if = "is_no_document")]
    #[schema(value_type = Object)]
    raw: &'a Value,
}

impl<'a> WireUserInfo<'a> {
    pub(in super::super) fn of(user: &'a UserInfo) -> Self {
        Self {
            sub: &user.sub,
            email: user.email.as_deref().unwrap_or_default(),
            name: user.name.as_deref(),
            given_name: user.given_name.as_deref(),
            family_name: user.family_name.as_deref(),
            nick_name: user.nick_name.as_deref(),
            sdk_nickname: user.nick_name.as_deref(),
            picture: user.picture.as_deref(),
            locale: user.locale.as_deref(),
            description: user.description.as_deref(),
            raw: user.main_document(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the member")]
fn is_no_document(raw: &&Value) -> bool {
    !raw.is_object()
}
