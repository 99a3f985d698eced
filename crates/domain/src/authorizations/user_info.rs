//! The normalized profile of a user at a provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// The provider's documents, unchanged, each under the name of what it is: `user`, `emails`, `id_token_claims`.
    pub raw: Value,
}

/// The names under which a document about the user may stand in [`UserInfo::raw`], the most telling first.
const DOCUMENTS: [&str; 2] = ["user", "id_token_claims"];

impl UserInfo {
    /// The provider's main document about the user; null where it was too large to be kept.
    pub fn main_document(&self) -> &Value {
        let main = DOCUMENTS.iter().find_map(|name| self.raw.get(name));
        main.unwrap_or(if self.raw.get("emails").is_some() { &Value::Null } else { &self.raw })
    }

    /// The same with what is absent taken from another profile of the same user. An address and whether it is verified
    /// go together.
    #[must_use]
    pub(crate) fn filled_from(mut self, other: &Self) -> Self {
        if self.email.is_none() {
            self.email.clone_from(&other.email);
            self.email_verified = other.email_verified;
        }
        for (own, others) in [
            (&mut self.name, &other.name),
            (&mut self.given_name, &other.given_name),
            (&mut self.family_name, &other.family_name),
            (&mut self.nick_name, &other.nick_name),
            (&mut self.picture, &other.picture),
            (&mut self.locale, &other.locale),
            (&mut self.description, &other.description),
        ] {
            if own.is_none() {
                own.clone_from(others);
            }
        }
        if let (Value::Object(own), Value::Object(others)) = (&mut self.raw, &other.raw) {
            for (name, document) in others {
                own.entry(name).or_insert_with(|| document.clone());
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_absent_is_filled_and_nothing_else() {
        let profile = UserInfo {
            sub: "1".to_owned(),
            name: Some("Ada".to_owned()),
            raw: json!({"user": {"name": "Ada"}}),
            ..UserInfo::default()
        };
        let told = UserInfo {
            sub: "1".to_owned(),
            name: Some("ada lovelace".to_owned()),
            email: Some("ada@example.test".to_owned()),
            email_verified: Some(true),
            locale: Some("en".to_owned()),
            raw: json!({"id_token_claims": {"sub": "1"}}),
            ..UserInfo::default()
        };
        let filled = profile.filled_from(&told);
        assert_eq!((filled.name.as_deref(), filled.locale.as_deref()), (Some("Ada"), Some("en")));
        assert_eq!((filled.email.as_deref(), filled.email_verified), (Some("ada@example.test"), Some(true)));
        assert_eq!(filled.raw, json!({"user": {"name": "Ada"}, "id_token_claims": {"sub": "1"}}));
        assert_eq!(filled.main_document(), &json!({"name": "Ada"}));
    }

    #[test]
    fn an_address_keeps_its_own_flag() {
        let with = |email: &str, verified| UserInfo {
            email: Some(email.to_owned()),
            email_verified: verified,
            ..UserInfo::default()
        };
        let filled = with("new@example.test", None).filled_from(&with("old@example.test", Some(true)));
        assert_eq!((filled.email.as_deref(), filled.email_verified), (Some("new@example.test"), None));
    }

    #[test]
    fn the_claims_of_an_id_token_are_the_main_document_where_there_is_no_other() {
        let user = UserInfo { raw: json!({"id_token_claims": {"sub": "1"}}), ..UserInfo::default() };
        assert_eq!(user.main_document(), &json!({"sub": "1"}));
        let user = UserInfo { raw: json!({"emails": []}), ..UserInfo::default() };
        assert_eq!(user.main_document(), &Value::Null, "a list of addresses is not about the user");
        // Profiles that were kept before documents had names.
        let user = UserInfo { raw: json!({"sub": "1"}), ..UserInfo::default() };
        assert_eq!(user.main_document(), &json!({"sub": "1"}));
    }
}
