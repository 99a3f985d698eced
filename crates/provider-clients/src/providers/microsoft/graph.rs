//! What Microsoft Graph adds to the ID token (<https://learn.microsoft.com/en-us/graph/api/user-get>).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{
    ExpectedUser, IdentifyUser, Identity, ProviderConnection, UpstreamError, ValidateTokens,
};
use serde_json::Value;

use super::directory::PERSONAL_ACCOUNTS;
use crate::failure::untrusted;
use crate::http::GuardedClient;
use crate::profile;
use crate::resources::ProtectedResources;

/// Asks Graph about the person. Who that is only an ID token can tell: without one there is nothing to ask about.
pub(super) struct GraphUser {
    pub(super) http: Arc<GuardedClient>,
}

#[async_trait]
impl IdentifyUser for GraphUser {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let expected = expected.ok_or(UpstreamError::NotSupported)?;
        // Graph does not name a directory: only a person of one that this registration is for can be theirs.
        if !connection.client.endpoints.is_issuer(expected.issuer) {
            return Err(untrusted("userinfo_subject"));
        }
        match self.me(connection, access_token).await? {
            Some(user) => enriched(user, expected),
            None => Err(UpstreamError::NotSupported),
        }
    }
}

/// Stands where Graph would be asked with a token that is not for it: the ID token has told all there is.
pub(super) struct NobodyToAsk;

#[async_trait]
impl IdentifyUser for NobodyToAsk {
    async fn identify_user<'a>(
        &self,
        _: &ProviderConnection,
        _: &Secret,
        _: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        Err(UpstreamError::NotSupported)
    }
}

#[async_trait]
impl ValidateTokens for GraphUser {
    /// A token without `User.Read` may not see the person, but is known.
    async fn validate_token(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<(), UpstreamError> {
        self.me(connection, access_token).await.map(|_| ())
    }
}

impl GraphUser {
    async fn me(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Option<Value>, UpstreamError> {
        let url = connection.client.endpoints.userinfo.as_ref().ok_or(UpstreamError::NotSupported)?;
        let resources = ProtectedResources { http: &self.http, access_token, headers: &[] };
        resources.document_if_allowed(url).await
    }
}

/// The person stays who they are; all else is Graph's.
fn enriched(user: Value, expected: ExpectedUser<'_>) -> Result<Identity, UpstreamError> {
    let Value::Object(user) = user else {
        return Err(untrusted("userinfo_subject_missing"));
    };
    let mut user = profile::microsoft_graph(user).ok_or_else(|| untrusted("userinfo_subject_missing"))?;
    if !is_same_person(&user.sub, expected) {
        return Err(untrusted("userinfo_subject"));
    }
    expected.subject.clone_into(&mut user.sub);
    Ok(Identity { issuer: expected.issuer.to_owned(), subject: expected.subject.to_owned(), user })
}

/// Graph's `id` is the ID token's `oid`; of a personal account it is the last 16 digits of it.
fn is_same_person(id: &str, expected: ExpectedUser<'_>) -> bool {
    if id.eq_ignore_ascii_case(expected.subject) {
        return true;
    }
    let is_personal = expected.issuer.split('/').any(|segment| segment == PERSONAL_ACCOUNTS);
    let digits = expected.subject.strip_prefix("00000000-0000-0000-").map(|digits| digits.replace('-', ""));
    is_personal && digits.is_some_and(|digits| digits.len() == 16 && id.eq_ignore_ascii_case(&digits))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WORK: &str = "https://login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0";
    const PERSONAL: &str = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    const OBJECT: &str = "3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b";
    const PADDED: &str = "00000000-0000-0000-0f1e-2d3c4b5a6978";

    #[test]
    fn a_personal_account_is_the_same_without_its_zeros() {
        for (id, issuer, subject, same) in [
            (OBJECT, WORK, OBJECT, true),
            ("3F1B8A52-2d4c-4f6e-9b0a-7c5d1e2f3a4b", WORK, OBJECT, true),
            ("0f1e2d3c4b5a6978", PERSONAL, PADDED, true),
            ("0F1E2D3C4B5A6978", PERSONAL, PADDED, true),
            (PADDED, PERSONAL, PADDED, true),
            ("0f1e2d3c4b5a6978", WORK, PADDED, false),
            ("0f1e2d3c4b5a6979", PERSONAL, PADDED, false),
            ("1e2d3c4b5a6978", PERSONAL, PADDED, false),
            ("0f1e2d3c4b5a6978", PERSONAL, "00000000-0000-0001-0f1e-2d3c4b5a6978", false),
            ("", PERSONAL, "00000000-0000-0000-", false),
            (PADDED, WORK, OBJECT, false),
        ] {
            assert_eq!(is_same_person(id, ExpectedUser { issuer, subject }), same, "{id} {subject}");
        }
    }

    #[test]
    fn the_person_stays_who_the_id_token_said() {
        let me = json!({"id": "0f1e2d3c4b5a6978", "displayName": "Hana Sato", "jobTitle": "Controller"});
        let expected = ExpectedUser { issuer: PERSONAL, subject: PADDED };
        let identity = enriched(me.clone(), expected).unwrap();
        assert_eq!(identity.as_expected(), expected);
        assert_eq!(identity.user.sub, PADDED);
        assert_eq!(identity.user.description.as_deref(), Some("Controller"));
        let another = ExpectedUser { issuer: WORK, subject: OBJECT };
        assert_eq!(enriched(me, another), Err(untrusted("userinfo_subject")));
        for nobody in [json!([]), json!({"displayName": "Hana"})] {
            assert_eq!(enriched(nobody, expected), Err(untrusted("userinfo_subject_missing")));
        }
    }
}
