//! Whom Microsoft's ID tokens are about
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>).

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{Identity, ProviderConnection, ProviderEndpoints, UpstreamError};
use serde_json::{Map, Value};
use url::Url;

use super::directory::{ORGANIZATIONS, PERSONAL_ACCOUNTS, is_id};
use crate::failure::untrusted;
use crate::openid::{IdTokens, IdentityFromIdToken, without_flow_claims};
use crate::profile;
use crate::token_endpoint::TokenAnswer;

/// Reads the ID token that every grant has to bring.
pub(super) struct MicrosoftIdentity {
    pub(super) id_tokens: IdTokens,
}

#[async_trait]
impl IdentityFromIdToken for MicrosoftIdentity {
    async fn identity(
        &self,
        connection: &ProviderConnection,
        answer: &TokenAnswer,
        nonce: Option<&Secret>,
    ) -> Result<Option<Identity>, UpstreamError> {
        let claims = self.id_tokens.claims(connection, answer, nonce).await?;
        let claims = claims.ok_or_else(|| untrusted("id_token_missing"))?;
        identity(&connection.client.endpoints, claims).map(Some)
    }
}

/// The person is `oid` in the directory that issued the token.
fn identity(endpoints: &ProviderEndpoints, claims: Map<String, Value>) -> Result<Identity, UpstreamError> {
    let issuer = issuer(endpoints, &claims).ok_or_else(|| untrusted("id_token_issuer"))?;
    let user = profile::microsoft_id_token(without_flow_claims(claims))
        .ok_or_else(|| untrusted("id_token_subject_missing"))?;
    Ok(Identity { issuer, subject: user.sub.clone(), user })
}

/// `iss`, where it is a directory's that may sign in here, and `tid` names the same one.
fn issuer(endpoints: &ProviderEndpoints, claims: &Map<String, Value>) -> Option<String> {
    let issuer = claims.get("iss")?.as_str().filter(|issuer| endpoints.is_issuer(issuer))?;
    let tenant = claims.get("tid")?.as_str().filter(|tenant| is_id(tenant))?;
    let names_it = issuer.split('/').any(|segment| segment == tenant);
    let may_sign_in = tenant != PERSONAL_ACCOUNTS || takes_personal_accounts(endpoints);
    (names_it && may_sign_in).then(|| issuer.to_owned())
}

/// `organizations` shares its issuer with `common`, so what was registered shows only in the paths.
fn takes_personal_accounts(endpoints: &ProviderEndpoints) -> bool {
    let is_for_organizations =
        |mut path: std::str::Split<'_, char>| path.any(|segment| segment == ORGANIZATIONS);
    ![&endpoints.authorization, &endpoints.token]
        .into_iter()
        .filter_map(Url::path_segments)
        .any(is_for_organizations)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::directory::Directory;
    use super::*;
    use crate::origins::Origins;

    const KUMO: &str = "8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f";

    fn issuer_of(tenant: &str) -> String {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    }

    fn endpoints(tenant: &str, issuer: &str) -> ProviderEndpoints {
        Directory::parse(Some(tenant)).unwrap().endpoints(issuer_of(issuer), &Origins::real())
    }

    fn read(endpoints: &ProviderEndpoints, claims: Value) -> Result<(String, String), UpstreamError> {
        let Value::Object(claims) = claims else { panic!("an object") };
        identity(endpoints, claims).map(|identity| (identity.issuer, identity.subject))
    }

    #[test]
    fn the_person_is_the_object_in_the_directory() {
        let claims =
            |tenant: &str| json!({"iss": issuer_of(tenant), "tid": tenant, "sub": "pairwise", "oid": "o"});
        for endpoints in [endpoints("common", "{tenantid}"), endpoints(KUMO, KUMO)] {
            let expected = (issuer_of(KUMO), "o".to_owned());
            assert_eq!(read(&endpoints, claims(KUMO)), Ok(expected));
        }
        let personal = Ok((issuer_of(PERSONAL_ACCOUNTS), "o".to_owned()));
        assert_eq!(read(&endpoints("common", "{tenantid}"), claims(PERSONAL_ACCOUNTS)), personal);
        assert_eq!(read(&endpoints("consumers", PERSONAL_ACCOUNTS), claims(PERSONAL_ACCOUNTS)), personal);
    }

    #[test]
    fn another_directory_is_not_trusted() {
        let refused = Err(untrusted("id_token_issuer"));
        let claims =
            |issuer: &str, tenant: &str| json!({"iss": issuer_of(issuer), "tid": tenant, "oid": "o"});
        let other = "11111111-2222-3333-4444-555555555555";
        let common = || endpoints("common", "{tenantid}");
        for (endpoints, claims) in [
            (endpoints(KUMO, KUMO), claims(other, other)),
            (endpoints(KUMO, KUMO), claims(KUMO, other)),
            (common(), claims(KUMO, other)),
            (common(), claims("{tenantid}", KUMO)),
            (common(), claims(KUMO, "v2.0")),
            (common(), json!({"iss": issuer_of(KUMO), "oid": "o"})),
            (common(), json!({"iss": "https://login.microsoftonline.us/v2.0", "tid": KUMO, "oid": "o"})),
            (endpoints("organizations", "{tenantid}"), claims(PERSONAL_ACCOUNTS, PERSONAL_ACCOUNTS)),
            (endpoints("consumers", PERSONAL_ACCOUNTS), claims(KUMO, KUMO)),
        ] {
            assert_eq!(read(&endpoints, claims.clone()), refused, "{claims}");
        }
    }

    #[test]
    fn the_pairwise_subject_does_not_take_the_objects_place() {
        let claims = json!({"iss": issuer_of(KUMO), "tid": KUMO, "sub": "pairwise"});
        assert_eq!(
            read(&endpoints("common", "{tenantid}"), claims),
            Err(untrusted("id_token_subject_missing"))
        );
    }
}
