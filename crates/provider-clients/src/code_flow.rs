//! The authorization code grant and refreshing, as every provider does it (RFC 6749, 4.1 and 6; RFC 7636).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{
    AuthorizationRequest, CodeExchange, ProviderConnection, PublicClient, RefreshTokens, TokenSet,
    UpstreamError,
};
use url::Url;

use crate::http::{Call, GuardedClient};
use crate::token_endpoint::{ErrorTable, TokenAnswer, read_token_answer};

/// Redeems codes and refresh tokens at a provider's token endpoint.
pub(crate) struct CodeFlow {
    pub(crate) http: Arc<GuardedClient>,
    /// What this type of provider means by its error codes.
    pub(crate) errors: ErrorTable,
}

impl CodeFlow {
    /// Redeems an authorization code (RFC 6749, 4.1.3).
    pub(crate) async fn exchange(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenAnswer, UpstreamError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", exchange.code.expose()),
            ("redirect_uri", &exchange.redirect_uri),
        ];
        if let Some(verifier) = &exchange.pkce_verifier {
            form.push(("code_verifier", verifier.expose()));
        }
        self.ask(connection, &form).await
    }

    async fn ask(
        &self,
        connection: &ProviderConnection,
        form: &[(&str, &str)],
    ) -> Result<TokenAnswer, UpstreamError> {
        let call = Call::post_as_client(&connection.client.endpoints.token, connection, form);
        let answer = self.http.send(call).await?;
        read_token_answer(&answer, &self.errors, self.http.now())
    }
}

#[async_trait]
impl RefreshTokens for CodeFlow {
    /// An ID token that comes with it is not looked at: who the user is was settled when the code was redeemed, and
    /// asking the provider again is [`IdentifyUser`](grantkeeper_domain::providers::IdentifyUser)'s.
    async fn refresh_token(
        &self,
        connection: &ProviderConnection,
        refresh_token: &Secret,
    ) -> Result<TokenSet, UpstreamError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        Ok(self.ask(connection, &form).await?.tokens)
    }
}

/// The page of the provider to which the person goes (RFC 6749, 4.1.1). Parameters that its address has already stay,
/// unless they are ours to say.
pub(crate) fn authorization_url(client: &PublicClient, request: &AuthorizationRequest) -> Url {
    let scope = request.scopes.to_wire();
    let mut ours = vec![
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", &request.redirect_uri),
        ("state", request.state.expose()),
    ];
    if !scope.is_empty() {
        ours.push(("scope", &scope));
    }
    if let Some(challenge) = &request.code_challenge {
        ours.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    }
    if let Some(nonce) = &request.nonce {
        ours.push(("nonce", nonce));
    }
    if request.force_consent {
        ours.push(("prompt", "consent"));
    }
    let mut url = client.endpoints.authorization.clone();
    let theirs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let theirs = theirs.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
    url.query_pairs_mut().clear().extend_pairs(theirs).extend_pairs(ours);
    url
}

/// The parameters that no published address may preset.
const OURS: [&str; 9] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use grantkeeper_domain::authorizations::Scopes;
    use grantkeeper_domain::providers::ProviderEndpoints;
    use grantkeeper_testkit::entities;

    use super::*;

    fn client(authorization: &str) -> PublicClient {
        let endpoints = ProviderEndpoints {
            authorization: Url::parse(authorization).unwrap(),
            ..entities::endpoints("idp.example")
        };
        PublicClient { endpoints, client_id: "client 1".into() }
    }

    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            redirect_uri: "https://broker.example/callback/1?x=y".into(),
            state: Secret::new("st+ate".into()),
            scopes: Scopes::parse("openid email"),
            code_challenge: Some("challenge".into()),
            nonce: Some("nonce".into()),
            force_consent: true,
        }
    }

    fn parameters(url: &Url) -> BTreeMap<String, String> {
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(map.len(), pairs.len(), "nothing twice in {url}");
        map
    }

    fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn a_full_request_says_everything_once() {
        let url = authorization_url(&client("https://idp.example/authorize"), &request());
        assert!(url.as_str().starts_with("https://idp.example/authorize?"));
        let expected = map([
            ("response_type", "code"),
            ("client_id", "client 1"),
            ("redirect_uri", "https://broker.example/callback/1?x=y"),
            ("state", "st+ate"),
            ("scope", "email openid"),
            ("code_challenge", "challenge"),
            ("code_challenge_method", "S256"),
            ("nonce", "nonce"),
            ("prompt", "consent"),
        ]);
        assert_eq!(parameters(&url), expected);
    }

    #[test]
    fn what_is_not_wanted_is_left_out() {
        let request = AuthorizationRequest {
            scopes: Scopes::default(),
            code_challenge: None,
            nonce: None,
            force_consent: false,
            ..request()
        };
        let url = authorization_url(&client("https://idp.example/authorize"), &request);
        let names: Vec<_> = parameters(&url).into_keys().collect();
        assert_eq!(names, ["client_id", "redirect_uri", "response_type", "state"]);
    }

    #[test]
    fn parameters_of_the_endpoint_stay_but_cannot_preset_ours() {
        let client =
            client("https://idp.example/a?tenant=t%201&redirect_uri=https://evil.example&prompt=none");
        let url = authorization_url(&client, &AuthorizationRequest { force_consent: false, ..request() });
        let parameters = parameters(&url);
        assert_eq!(parameters["tenant"], "t 1");
        assert_eq!(parameters["redirect_uri"], "https://broker.example/callback/1?x=y");
        assert!(!parameters.contains_key("prompt"));
    }
}
