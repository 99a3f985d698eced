//! The page of the provider to which the person goes (RFC 6749, 4.1.1; RFC 7636, 4.3).

use grantkeeper_domain::providers::{AuthorizationRequest, PublicClient};
use url::Url;

use crate::dialect::Dialect;

/// The address of that page. Parameters that the endpoint's address has already stay, unless they are ours to say.
pub(crate) fn authorization_url(
    dialect: &Dialect,
    client: &PublicClient,
    request: &AuthorizationRequest,
) -> Url {
    let scopes = (dialect.sent_scopes)(&request.scopes);
    let scope = scopes.to_wire();
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
    // Only an ID token repeats it, and without this scope there is none (OpenID Connect Core, 3.1.2.1).
    if let Some(nonce) = request.nonce.as_ref().filter(|_| scopes.contains("openid")) {
        ours.push(("nonce", nonce));
    }
    if let Some(prompt) = dialect.consent_prompt.filter(|_| request.force_consent) {
        ours.push(("prompt", prompt));
    }
    ours.extend(dialect.authorization_parameters);
    ours.extend(dialect.offline_parameter.filter(|_| request.offline_access));
    let mut url = client.endpoints.authorization.clone();
    let theirs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let is_ours = |name: &str| {
        let offline = dialect.offline_parameter.map(|(name, _)| name);
        OURS.iter().chain(&offline).chain(ours.iter().map(|(name, _)| name)).any(|ours| *ours == name)
    };
    let theirs = theirs.iter().filter(|(name, _)| !is_ours(name));
    url.query_pairs_mut().clear().extend_pairs(theirs).extend_pairs(&ours);
    url
}

/// The parameters that no published address may preset, whether we send them or not.
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

    use grantkeeper_domain::Secret;
    use grantkeeper_domain::authorizations::Scopes;
    use grantkeeper_domain::providers::ProviderEndpoints;
    use grantkeeper_testkit::entities;

    use super::*;

    const CONSENT: Dialect = Dialect { consent_prompt: Some("consent"), ..Dialect::STANDARD };

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
            offline_access: true,
        }
    }

    fn parameters(url: &Url) -> BTreeMap<String, String> {
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(map.len(), pairs.len(), "nothing twice in {url}");
        map
    }

    fn names(dialect: &Dialect, request: &AuthorizationRequest) -> Vec<String> {
        let url = authorization_url(dialect, &client("https://idp.example/authorize"), request);
        parameters(&url).into_keys().collect()
    }

    fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn a_full_request_says_everything_once() {
        let url = authorization_url(&CONSENT, &client("https://idp.example/authorize"), &request());
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
        assert_eq!(names(&CONSENT, &request), ["client_id", "redirect_uri", "response_type", "state"]);
    }

    #[test]
    fn a_dialect_that_cannot_force_consent_does_not_try() {
        assert!(!names(&Dialect::STANDARD, &request()).contains(&"prompt".to_owned()));
    }

    #[test]
    fn a_nonce_goes_with_openid_only() {
        let request = AuthorizationRequest { scopes: Scopes::parse("read_user"), ..request() };
        assert!(!names(&CONSENT, &request).contains(&"nonce".to_owned()));
    }

    #[test]
    fn a_dialect_has_its_own_parameters_and_scopes() {
        let dialect = Dialect {
            authorization_parameters: &[("response_mode", "query")],
            sent_scopes: |scopes| scopes.iter().filter(|scope| *scope != "email").collect(),
            ..Dialect::STANDARD
        };
        let client = client("https://idp.example/authorize?response_mode=fragment");
        let parameters = parameters(&authorization_url(&dialect, &client, &request()));
        assert_eq!(parameters["response_mode"], "query");
        assert_eq!(parameters["scope"], "openid");
    }

    #[test]
    fn a_parameter_asks_for_a_refresh_token_only_where_one_is_wanted() {
        let dialect = Dialect { offline_parameter: Some(("access_type", "offline")), ..Dialect::STANDARD };
        let client = client("https://idp.example/authorize?access_type=preset");
        for (offline_access, expected) in [(true, Some("offline")), (false, None)] {
            let request = AuthorizationRequest { offline_access, ..request() };
            let parameters = parameters(&authorization_url(&dialect, &client, &request));
            assert_eq!(parameters.get("access_type").map(String::as_str), expected);
        }
        assert!(!names(&Dialect::STANDARD, &request()).contains(&"access_type".to_owned()));
    }

    #[test]
    fn parameters_of_the_endpoint_stay_but_cannot_preset_ours() {
        let client =
            client("https://idp.example/a?tenant=t%201&redirect_uri=https://evil.example&prompt=none");
        let request = AuthorizationRequest { force_consent: false, ..request() };
        let parameters = parameters(&authorization_url(&CONSENT, &client, &request));
        assert_eq!(parameters["tenant"], "t 1");
        assert_eq!(parameters["redirect_uri"], "https://broker.example/callback/1?x=y");
        assert!(!parameters.contains_key("prompt"));
    }
}
