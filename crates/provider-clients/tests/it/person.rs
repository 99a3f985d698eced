//! The person in front of the browser.

use std::collections::BTreeMap;

use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{AuthorizationRequest, PkceSupport, ProviderClient, PublicClient};
use serde_json::json;
use url::Url;

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/callback/provider-1";
pub(crate) const NONCE: &str = "a nonce of the flow";
/// The pair of RFC 7636, Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const STATE: &str = "a state of the flow";

/// What the provider sent the person back with.
pub(crate) struct Consent {
    pub(crate) code: String,
    /// All parameters, for those who want to look.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Goes to the provider's page as `login` and agrees.
pub(crate) async fn consents(
    client: &dyn ProviderClient,
    public: &PublicClient,
    login: &str,
    scopes: &Scopes,
) -> Consent {
    let proves = public.endpoints.pkce == PkceSupport::S256;
    let request = AuthorizationRequest {
        redirect_uri: REDIRECT_URI.to_owned(),
        state: Secret::new(STATE.to_owned()),
        scopes: scopes.clone(),
        code_challenge: proves.then(|| CHALLENGE.to_owned()),
        nonce: Some(NONCE.to_owned()),
        force_consent: true,
        offline_access: true,
    };
    let mut page = client.authorization_url(public, &request);
    page.query_pairs_mut().append_pair("login_hint", login);
    let answer = browser().get(page).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(REDIRECT_URI));
    let parameters: BTreeMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!(parameters["state"], STATE);
    Consent { code: parameters["code"].clone(), parameters }
}

/// Decides about a device at the simulator, as `login`.
pub(crate) async fn decides(simulator: &str, user_code: &str, decision: &str, login: &str) {
    let body = json!({ "userCode": user_code, "decision": decision, "sub": login }).to_string();
    let request = browser().post(format!("{simulator}/control/device"));
    let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{user_code}: {}", answer.status());
}

/// An HTTP client that does not follow redirects.
#[expect(clippy::disallowed_methods, reason = "people's browsers are not guarded")]
pub(crate) fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
