//! The authorization code flow from the metadata to the revocation.

use grantkeeper_provider_simulator::{ErrorsStatus, ExpiresIn, ScopeSeparator, Settings, TokenFormat};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::{REDIRECT_URI, VERIFIER, open, open_with_settings};

#[tokio::test]
async fn the_whole_flow() {
    let browser = open();
    let callback =
        browser.authorize("openid profile email", &[("nonce", "n1"), ("login_hint", "1002")]).await;
    assert_eq!(callback.status, StatusCode::SEE_OTHER);
    assert!(callback.header("location").starts_with(REDIRECT_URI));
    assert_eq!(callback.redirect("state").as_deref(), Some("s1"));
    assert_eq!(callback.redirect("iss").as_deref(), Some(browser.simulator.url()));

    let tokens = browser.redeem(&callback.redirect("code").expect("a code")).await;
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(tokens.json()["token_type"], "Bearer");
    assert_eq!(tokens.json()["expires_in"], 3600);
    assert_eq!(tokens.json()["scope"], "openid profile email");

    let user = browser.userinfo(&tokens.token("access_token")).await;
    assert_eq!(user.json()["sub"], "1002");
    assert_eq!(user.json()["email"], "grace@example.test");

    let refreshed = browser.refresh(&tokens.token("refresh_token")).await;
    let revoked = browser.post("/revoke", &[("token", &refreshed.token("refresh_token"))]).await;
    assert_eq!((revoked.status, revoked.body.as_str()), (StatusCode::OK, ""));
    for token in [tokens.token("access_token"), refreshed.token("access_token")] {
        let refused = browser.userinfo(&token).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    assert!(!browser.simulator.stats().families["family-1"].alive);
}

#[tokio::test]
async fn the_id_token_verifies_with_what_is_published() {
    let browser = open();
    let code = browser.authorize("openid", &[("nonce", "n1")]).await.redirect("code").expect("a code");
    let id_token = browser.redeem(&code).await.token("id_token");

    let keys: JwkSet = serde_json::from_value(browser.get("/jwks").await.json()).expect("a key set");
    let kid = decode_header(&id_token).expect("a header").kid.expect("a key id");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[browser.simulator.url()]);
    validation.set_audience(&["client"]);
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("the key")).expect("a key");
    let claims = decode::<Value>(&id_token, &key, &validation).expect("valid").claims;
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("1001"), &json!("n1")));
}

#[tokio::test]
async fn metadata_name_every_endpoint() {
    let browser = open();
    let metadata = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["issuer"], browser.simulator.url());
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    let endpoints = metadata.as_object().expect("an object").iter();
    let endpoints = endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
    let mut found = 0;
    for (name, url) in endpoints {
        let path = url.as_str().and_then(|url| url.strip_prefix(browser.simulator.url())).expect("a path");
        assert_ne!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{name}");
        found += 1;
    }
    assert_eq!(found, 7);
    assert_eq!(browser.get("/.well-known/oauth-authorization-server").await.json(), metadata);

    browser.simulator.update_settings(|settings| settings.announce_iss = false);
    let metadata = browser.get("/.well-known/openid-configuration").await.json();
    assert!(metadata.get("authorization_response_iss_parameter_supported").is_none());
}

#[tokio::test]
async fn clients_authenticate_in_the_header_or_in_the_body() {
    let browser = open();
    let tokens = browser.sign_in("profile").await;
    let refresh_token = tokens.token("refresh_token");
    let mut params =
        vec![("grant_type", "refresh_token"), ("refresh_token", &refresh_token), ("client_id", "client")];
    for secret in [None, Some("wrong-secret")] {
        params.truncate(3);
        params.extend(secret.map(|secret| ("client_secret", secret)));
        let refused = browser.post_anonymously("/token", &params).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.json()["error"], "invalid_client");
        assert!(refused.header("www-authenticate").starts_with("Basic "));
    }
    params.truncate(3);
    params.push(("client_secret", "whatever"));
    assert_eq!(browser.post_anonymously("/token", &params).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let browser = open();
    let answer = browser.control("/token", json!({"grant_type": "refresh_token"})).await;
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (StatusCode::BAD_REQUEST, Some("invalid_request"))
    );
}

#[tokio::test]
async fn answers_can_look_like_those_of_github() {
    let browser = open_with_settings(Settings {
        token_format: TokenFormat::Form,
        errors_status: ErrorsStatus::Ok,
        scope_separator: ScopeSeparator::Comma,
        expires_in: ExpiresIn::Absent,
        ..Settings::default()
    });
    let tokens = browser.sign_in("repo user").await;
    assert_eq!(tokens.header("content-type"), "application/x-www-form-urlencoded");
    assert!(tokens.body.contains("&scope=repo%2Cuser") && tokens.body.starts_with("access_token=sim_at_"));
    assert!(!tokens.body.contains("expires_in"));
    let error = browser.refresh("unknown").await;
    assert_eq!(error.status, StatusCode::OK);
    assert!(error.body.starts_with("error=invalid_grant&"));
}

#[tokio::test]
async fn expires_in_can_be_a_string() {
    let browser = open_with_settings(Settings { expires_in: ExpiresIn::String, ..Settings::default() });
    assert_eq!(browser.sign_in("profile").await.json()["expires_in"], "3600");
}

#[tokio::test]
async fn userinfo_takes_a_token_in_the_body_and_asks_for_one() {
    let browser = open();
    let access_token = browser.sign_in("profile").await.token("access_token");
    let answer = browser.post_anonymously("/userinfo", &[("access_token", &access_token)]).await;
    assert_eq!(answer.json()["name"], "Ada Example");
    let refused = browser.get("/userinfo").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"provider-simulator\"");
}

#[tokio::test]
async fn secrets_of_a_whole_flow_are_known() {
    let browser = open();
    let callback = browser.authorize("openid", &[]).await;
    let code = callback.redirect("code").expect("a code");
    let tokens = browser.redeem(&code).await;
    let known = browser.get("/control/secrets").await.json();
    let known: Vec<&str> =
        known["secrets"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(known, browser.simulator.issued_secrets());
    let issued = ["access_token", "refresh_token", "id_token"].map(|name| tokens.token(name));
    for secret in issued.iter().map(String::as_str).chain([&code, VERIFIER, "client-secret"]) {
        assert!(known.contains(&secret), "{secret}");
    }
}
