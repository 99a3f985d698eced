//! The device grant, with the person played by the page and by the control plane.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use grantkeeper_provider_simulator::SimulatorOptions;
use reqwest::StatusCode;
use serde_json::json;

use crate::browser::{Answer, Browser, open_with};

/// A simulator that waits for people, and the seconds on its clock.
fn open_at_a_clock() -> (Browser, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(1_700_000_000));
    let wound = Arc::clone(&seconds);
    let clock = move || DateTime::from_timestamp(wound.load(Ordering::SeqCst), 0).expect("in range");
    let options = SimulatorOptions { clock: Arc::new(clock), ..SimulatorOptions::default() };
    (open_with(options), seconds)
}

async fn poll(browser: &Browser, device_code: &str) -> Answer {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    browser.post("/token", &[("grant_type", grant), ("device_code", device_code)]).await
}

async fn outcome(browser: &Browser, device_code: &str) -> String {
    let answer = poll(browser, device_code).await.json();
    answer["error"].as_str().unwrap_or("ok").to_owned()
}

#[tokio::test]
async fn a_device_polls_until_somebody_approves() {
    let (browser, seconds) = open_at_a_clock();
    let device = browser.post("/device_authorization", &[("scope", "profile")]).await.json();
    let (device_code, user_code) =
        (device["device_code"].as_str().expect("one"), device["user_code"].clone());
    assert_eq!(device["interval"], 5);
    assert_eq!(outcome(&browser, device_code).await, "authorization_pending");
    seconds.fetch_add(1, Ordering::SeqCst);
    assert_eq!(outcome(&browser, device_code).await, "slow_down");

    let decision = json!({"userCode": user_code, "decision": "approve", "sub": "1003"});
    assert_eq!(browser.control("/control/device", &decision).await.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.control("/control/device", &decision).await.status, StatusCode::NOT_FOUND);
    seconds.fetch_add(10, Ordering::SeqCst);
    let tokens = poll(&browser, device_code).await;
    assert_eq!(browser.userinfo(&tokens.token("access_token")).await.json()["sub"], "1003");
}

#[tokio::test]
async fn people_decide_on_a_page() {
    let (browser, _) = open_at_a_clock();
    let device = browser.post_anonymously("/device_authorization", &[("client_id", "tv")]).await.json();
    let page = device["verification_uri_complete"].as_str().expect("a URL");
    let path = page.strip_prefix(browser.simulator.url()).expect("ours");
    let user_code = device["user_code"].as_str().expect("a code");
    assert!(browser.get(path).await.body.contains(user_code));

    let decision = [("user_code", user_code), ("decision", "deny")];
    assert!(browser.post_anonymously("/device", &decision).await.body.contains("Device refused"));
    assert_eq!(browser.post_anonymously("/device", &decision).await.status, StatusCode::BAD_REQUEST);
    let device_code = device["device_code"].as_str().expect("one");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let params = [("grant_type", grant), ("device_code", device_code), ("client_id", "tv")];
    assert_eq!(browser.post_anonymously("/token", &params).await.json()["error"], "access_denied");
}
