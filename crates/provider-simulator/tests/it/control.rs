//! The control plane.

use chrono::DateTime;
use grantkeeper_provider_simulator::{IdTokenForgery, Rotation, Settings};
use reqwest::StatusCode;
use serde_json::json;

use crate::browser::{open, open_with_settings};

#[tokio::test]
async fn stats_have_their_shape() {
    let browser = open();
    let tokens = browser.sign_in("profile").await;
    browser.refresh(&tokens.token("refresh_token")).await;
    let mut stats = browser.get("/control/stats").await.json();
    for call in stats["tokenCalls"].as_array_mut().expect("a list") {
        let at = call.as_object_mut().and_then(|call| call.remove("at")).expect("a time");
        DateTime::parse_from_rfc3339(at.as_str().expect("text")).expect("RFC 3339");
    }
    let calls = json!([
        {"grant": "authorization_code", "family": "family-1", "generation": 0, "outcome": "ok"},
        {"grant": "refresh_token", "family": "family-1", "generation": 1, "outcome": "ok"},
    ]);
    assert_eq!(stats["tokenCalls"], calls);
    assert_eq!(stats["maxInFlight"], 1);
    assert_eq!(stats["families"], json!({"family-1": {"alive": true}}));
    assert_eq!(stats["authorizeCalls"][0]["params"]["scope"], "profile");
    assert!(stats["authorizeCalls"][0]["params"].get("state").is_none());
}

#[tokio::test]
async fn settings_change_in_part_and_return_with_a_reset() {
    let start = Settings { rotation: Rotation::None, ..Settings::default() };
    let browser = open_with_settings(start.clone());
    let changes = json!({"accessTokenLifetime": 5, "idToken": "alg_none"});
    let answer = browser.control("/control/settings", changes).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), browser.get("/control/settings").await.json());
    let expected = Settings { access_token_lifetime: 5, id_token: IdTokenForgery::AlgNone, ..start.clone() };
    assert_eq!(browser.simulator.settings(), expected);
    assert_eq!(browser.sign_in("openid").await.json()["expires_in"], 5);

    browser.control("/control/faults", json!({"where": "token", "times": -1})).await;
    assert_eq!(browser.control("/control/reset", "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.simulator.settings(), start);
    assert!(browser.simulator.stats().token_calls.is_empty());
    assert_eq!(browser.sign_in("openid").await.json()["expires_in"], 3600);
}

#[tokio::test]
async fn nonsense_is_refused_with_a_message() {
    let browser = open();
    for (path, body, reason) in [
        ("/control/faults", "", "EOF"),
        ("/control/faults", r#"{"where":"moon"}"#, "moon"),
        ("/control/faults", r#"{"status":500}"#, "where"),
        ("/control/grants", r#"{"clientId":"client"}"#, "scope"),
        ("/control/grants", r#"{"clientId":"client","scope":"profile","count":0}"#, "count"),
        ("/control/personal-tokens", r#"{"scope":"profile"}"#, "by hand"),
        ("/control/sites/github/personal-tokens", r#"{"sub":"1002"}"#, "scope"),
        ("/control/settings", r#"{"rotation":"often"}"#, "often"),
        ("/control/settings", "[]", "map"),
        ("/control/device", r#"{"userCode":"a"}"#, "decision"),
        ("/control/keys/rotate", r#"{"drop":true}"#, "drop"),
    ] {
        let answer = browser.control(path, body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {body}");
        let message = answer.json()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(reason), "{path} {body}: {message}");
    }
}

#[tokio::test]
async fn grants_can_be_had_without_their_flows() {
    let browser = open();
    let order = json!({"clientId": "client", "scope": "profile", "count": 3, "sub": "1002"});
    let given = browser.control("/control/grants", order).await.json();
    let given = given["grants"].as_array().expect("a list").clone();
    assert_eq!(given.len(), 3);
    for tokens in &given {
        let token = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        assert_eq!(browser.userinfo(&token("accessToken")).await.json()["sub"], "1002");
        assert_eq!(browser.refresh(&token("refreshToken")).await.status, StatusCode::OK);
    }
    let stats = browser.simulator.stats();
    assert_eq!((stats.families.len(), stats.token_calls.len()), (3, 3), "nobody called for the grants");
}

#[tokio::test]
async fn keys_rotate() {
    let browser = open();
    let old = browser.get("/jwks").await.json()["keys"][0].clone();
    let keys = browser.control("/control/keys/rotate", "").await.json();
    assert_eq!((&keys["keys"][0], keys["keys"].as_array().map(Vec::len)), (&old, Some(2)));
    browser.control("/control/keys/rotate", json!({"dropOld": true})).await;
    let keys = browser.get("/jwks").await.json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1));
    assert_ne!(keys["keys"][0], old);
    assert_eq!(browser.simulator.stats().jwks_calls, 2);
}
