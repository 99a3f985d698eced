//! The normalized profile of a user at a provider.

use serde::{Deserialize, Serialize};

/// Who the user is, in the same words for every provider. Empty values are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInfo {
    /// The provider's stable id of the user; numbers in decimal.
    pub sub: String,
    /// The full name.
    pub name: Option<String>,
    /// The given name, only where the provider keeps it apart.
    pub given_name: Option<String>,
    /// The family name, only where the provider keeps it apart.
    pub family_name: Option<String>,
    /// The name the user goes by at the provider (a login).
    pub nick_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider has verified the address; `None`: it does not say.
    pub email_verified: Option<bool>,
    /// An absolute https URL of a picture.
    pub picture: Option<String>,
    /// The language.
    pub locale: Option<String>,
    /// A line about the user.
    pub description: Option<String>,
    /// The provider's main user document, unchanged.
    pub raw: serde_json::Value,
}
