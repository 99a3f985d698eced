//! The pages for people.

use grantkeeper_provider_simulator::SimulatorOptions;
use reqwest::StatusCode;

use crate::browser::{REDIRECT_URI, open_with};

fn value_of<'a>(html: &'a str, name: &str) -> &'a str {
    let (_, after) = html.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    after.split_once('"').expect("its end").0
}

#[tokio::test]
async fn consent_is_asked_for_and_given() {
    let browser = open_with(SimulatorOptions::default());
    let page = browser.authorize("profile <b>", &[("login_hint", "\"eve\"")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(page.body.contains("<code>profile</code>") && page.body.contains("&lt;b&gt;"));
    assert!(page.body.contains("value=\"&quot;eve&quot;\" checked"));
    assert!(!page.body.contains("<b>") && !page.body.contains("\"eve\""));

    let ticket = value_of(&page.body, "ticket");
    let form = [("ticket", ticket), ("user", "1002"), ("decision", "approve")];
    let callback = browser.post_anonymously("/authorize", &form).await;
    assert_eq!(callback.status, StatusCode::SEE_OTHER);
    let tokens = browser.redeem(&callback.redirect("code").expect("a code")).await;
    assert_eq!(browser.userinfo(&tokens.token("access_token")).await.json()["name"], "Grace Example");
    assert_eq!(browser.post_anonymously("/authorize", &form).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn consent_can_be_refused() {
    let browser = open_with(SimulatorOptions::default());
    let page = browser.authorize("profile", &[]).await;
    let form = [("ticket", value_of(&page.body, "ticket")), ("decision", "deny")];
    let callback = browser.post_anonymously("/authorize", &form).await;
    assert_eq!(callback.redirect("error").as_deref(), Some("access_denied"));
    assert_eq!(callback.redirect("state").as_deref(), Some("s1"));
}

#[tokio::test]
async fn a_request_with_a_foreign_redirect_uri_gets_a_page() {
    let browser = open_with(SimulatorOptions { auto_consent: true, ..SimulatorOptions::default() });
    let foreign = "/authorize?response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fexample.com%2F";
    let page = browser.get(foreign).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""));
    let loopback = format!("/authorize?response_type=code&client_id=c&redirect_uri={REDIRECT_URI}");
    assert_eq!(browser.get(&loopback).await.status, StatusCode::SEE_OTHER);
}
