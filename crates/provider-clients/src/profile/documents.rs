//! The documents that a profile was read from, kept as the provider wrote them.

use serde_json::{Map, Value};

/// Where claims come from, and so the name under which they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimsSource {
    /// The userinfo endpoint (OpenID Connect Core, 5.3).
    Userinfo,
    /// A verified ID token (OpenID Connect Core, 2).
    IdToken,
}

impl ClaimsSource {
    const fn name(self) -> &'static str {
        match self {
            Self::Userinfo => "user",
            Self::IdToken => "id_token_claims",
        }
    }
}

/// The largest document that is kept, in bytes. It lies in the database beside every authorization.
const LARGEST: usize = 64 * 1024;

/// The provider's user document and, where they were read, the addresses.
pub(super) fn user_and_emails(user: Map<String, Value>, emails: Option<Value>) -> Value {
    let emails = emails.map(|emails| ("emails", emails));
    keep([("user", Value::Object(user))].into_iter().chain(emails))
}

/// The provider's user document.
pub(super) fn user_only(user: Map<String, Value>) -> Value {
    user_and_emails(user, None)
}

/// Claims under the name of their source.
pub(super) fn claims_only(claims: Map<String, Value>, source: ClaimsSource) -> Value {
    keep([(source.name(), Value::Object(claims))])
}

/// Each document under its name; one that is too large is left out.
fn keep(documents: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let fits = |(_, document): &(&str, Value)| document.to_string().len() <= LARGEST;
    let kept = documents.into_iter().filter(fits);
    Value::Object(kept.map(|(name, document)| (name.to_owned(), document)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A document of that many bytes.
    fn document(bytes: usize) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("x".into(), "a".repeat(bytes - r#"{"x":""}"#.len()).into());
        document
    }

    #[test]
    fn a_document_that_is_too_large_is_left_out_and_the_others_stay() {
        let emails = json!(["a@b.example"]);
        let large = user_and_emails(document(LARGEST + 1), Some(emails.clone()));
        assert_eq!(large, json!({"emails": emails}));
        let fits = user_and_emails(document(LARGEST), Some(emails.clone()));
        assert_eq!(fits, json!({"user": document(LARGEST), "emails": emails}));
    }

    #[test]
    fn claims_are_kept_under_the_name_of_their_source() {
        let claims = || document(20);
        assert_eq!(claims_only(claims(), ClaimsSource::Userinfo), json!({"user": claims()}));
        assert_eq!(claims_only(claims(), ClaimsSource::IdToken), json!({"id_token_claims": claims()}));
    }
}
