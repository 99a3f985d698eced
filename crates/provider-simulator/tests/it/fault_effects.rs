//! What clients see of faults, and what remains of their calls.

use std::num::NonZeroU32;
use std::time::Duration;

use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, Rotation};
use reqwest::StatusCode;
use serde_json::json;

use crate::browser::open;

#[tokio::test]
async fn a_status_is_an_html_page_and_nothing_is_handled() {
    let browser = open();
    let tokens = browser.sign_in("profile").await;
    let refresh_token = tokens.token("refresh_token");
    browser.control("/control/faults", json!({"where": "token", "status": 503, "retryAfter": 7})).await;
    let page = browser.refresh(&refresh_token).await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "7"));
    assert!(
        page.header("content-type").starts_with("text/html") && page.body.contains("503 Service Unavailable")
    );
    assert_eq!(browser.refresh(&refresh_token).await.status, StatusCode::OK);
    let outcomes: Vec<_> =
        browser.simulator.stats().token_calls.into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["ok", "fault", "ok"]);
}

#[tokio::test]
async fn a_body_can_be_given() {
    let browser = open();
    let fault = json!({"where": "userinfo", "status": 429, "body": "{\"message\":\"slow down\"}"});
    browser.control("/control/faults", fault).await;
    let answer = browser.userinfo("any").await;
    assert_eq!(answer.json()["message"], "slow down");
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_dropped_connection_answers_nothing_and_changes_nothing() {
    let browser = open();
    let refresh_token = browser.sign_in("profile").await.token("refresh_token");
    browser.simulator.set_faults([Fault::once(FaultPlace::Token, FaultEffect::Drop)]);
    let error = browser.try_refresh(&refresh_token).await.expect_err("no answer");
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(browser.refresh(&refresh_token).await.status, StatusCode::OK);
    assert_eq!(browser.simulator.stats().answers_lost, 0);
}

#[tokio::test]
async fn a_lost_answer_was_handled_in_full() {
    let browser = open();
    let refresh_token = browser.sign_in("profile").await.token("refresh_token");
    browser.control("/control/faults", json!({"where": "token", "loseAnswer": true})).await;
    let error = browser.try_refresh(&refresh_token).await.expect_err("no answer");
    assert!(error.is_request() && error.status().is_none(), "{error:?}");

    let stats = browser.simulator.stats();
    assert_eq!(stats.answers_lost, 1);
    assert_eq!(stats.token_calls.last().map(|call| call.outcome.as_str()), Some("ok"));
    // The token was replaced, so trying again looks like theft.
    assert_eq!(browser.refresh(&refresh_token).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn in_grace_a_lost_answer_can_be_asked_for_again() {
    let browser = open();
    browser.simulator.update_settings(|settings| settings.rotation = Rotation::Grace);
    let refresh_token = browser.sign_in("profile").await.token("refresh_token");
    browser.simulator.set_faults([Fault::once(FaultPlace::Token, FaultEffect::LoseAnswer)]);
    browser.try_refresh(&refresh_token).await.expect_err("no answer");
    let again = browser.refresh(&refresh_token).await;
    assert_eq!(browser.refresh(&again.token("refresh_token")).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_calls_are_in_flight_together() {
    let browser = open();
    let late = Fault::slow(FaultPlace::Token, Duration::from_millis(500));
    browser.simulator.set_faults([late.times(NonZeroU32::new(3).expect("not zero"))]);
    let unknown = || browser.refresh("unknown");
    let (first, second, third) = tokio::join!(unknown(), unknown(), unknown());
    for answer in [first, second, third] {
        assert_eq!(answer.json()["error"], "invalid_grant");
    }
    assert_eq!(browser.simulator.stats().max_in_flight, 3);
    browser.simulator.reset();
    browser.refresh("unknown").await;
    assert_eq!(browser.simulator.stats().max_in_flight, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_handled_though_its_client_gave_up_waiting() {
    let browser = open();
    let refresh_token = browser.sign_in("profile").await.token("refresh_token");
    browser.simulator.reset();
    browser.simulator.set_faults([Fault::slow(FaultPlace::Token, Duration::from_millis(100))]);
    tokio::select! {
        answer = browser.try_refresh(&refresh_token) => panic!("too early: {answer:?}"),
        () = async { while browser.simulator.stats().max_in_flight == 0 { tokio::task::yield_now().await } } => {}
    }
    // A call that takes longer and begins later ends later.
    browser.simulator.set_faults([Fault::slow(FaultPlace::Token, Duration::from_millis(400))]);
    browser.refresh("unknown").await;
    let calls = browser.simulator.stats().token_calls;
    let first = calls.first().map(|call| (call.family.as_deref(), call.outcome.as_str()));
    assert_eq!(first, Some((Some("family-1"), "ok")));
}

#[tokio::test]
async fn every_place_can_fail() {
    let browser = open();
    browser.simulator.set_faults([Fault::status(FaultPlace::All, 502).until_cleared()]);
    for path in ["/.well-known/openid-configuration", "/jwks", "/userinfo"] {
        assert_eq!(browser.get(path).await.status, StatusCode::BAD_GATEWAY, "{path}");
    }
    for path in ["/token", "/revoke", "/device_authorization"] {
        assert_eq!(browser.post(path, &[]).await.status, StatusCode::BAD_GATEWAY, "{path}");
    }
    browser.control("/control/faults", "{}").await;
    assert_eq!(browser.get("/jwks").await.status, StatusCode::OK);
}
