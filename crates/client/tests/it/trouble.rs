//! What goes wrong is told so that a person knows what to do, and without anything secret.

use std::time::Duration;

use grantkeeper_client::credentials::{Credentials, TokenSource};
use grantkeeper_client::{AskAgain, ClientError, Secret, Service};
use serde_json::json;
use tokio::net::TcpListener;

use crate::scripted::{Scripted, json};

#[tokio::test]
async fn a_service_that_is_not_there_is_named_and_no_secret_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let service = Service::with_token(url.parse().unwrap(), Secret::new("the-token".to_owned())).unwrap();
    let error = service.start_web_login("a-name").await.err().unwrap();
    let told = error.to_string();
    assert!(told.contains(&url) && told.contains("refused"), "{told}");
    assert!(!told.contains("a-name") && !told.contains("the-token"), "the query stays out of it: {told}");
    assert!(matches!(error.ask_again(), AskAgain::Patiently(_)));
}

#[tokio::test]
async fn a_token_that_is_not_good_any_more_is_told_so() {
    let scripted = Scripted::answering([json(401, &json!({ "error": "this token is not known" }))]).await;
    let error = scripted.service().own_token().await.unwrap_err();
    assert_eq!((error.status(), error.to_string().as_str()), (Some(401), "this token is not known"));
}

#[tokio::test]
async fn who_is_refused_is_told_what_to_do_about_the_token_in_use() {
    let sources = [
        (TokenSource::Login, "`grantkeeper login` gets another"),
        (TokenSource::Environment, "the token in GRANTKEEPER_TOKEN is not good"),
    ];
    for (source, hint) in sources {
        let scripted = Scripted::answering([json(401, &json!({ "error": "not known" }))]).await;
        let url = scripted.anonymous().url().clone();
        let credentials = Credentials { url, token: Secret::new("the-token".to_owned()), source };
        let error = Service::with(credentials).unwrap().links().await.unwrap_err();
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[tokio::test]
async fn nobody_is_followed_elsewhere_with_a_token() {
    let scripted = Scripted::answering([(302, "location: http://127.0.0.1:1/\r\n", String::new())]).await;
    let error = scripted.service().links().await.unwrap_err();
    assert!(error.to_string().contains("elsewhere"), "{error}");
}

#[tokio::test]
async fn what_does_not_speak_as_the_service_does_is_not_quoted() {
    for status in [200, 404] {
        let scripted = Scripted::answering([(status, "", "<html>\u{1b}[2J".to_owned())]).await;
        let error = scripted.service().links().await.unwrap_err();
        assert!(matches!(error, ClientError::NotUnderstood { .. }), "{error:?}");
        assert!(!error.to_string().contains("html"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_before_a_service_that_is_away_is_asked_again_but_not_for_ever() {
    let bodies = ["<html>", r#"{"message":"Endpoint request timed out"}"#];
    for (status, body) in
        [(408, bodies[0]), (429, bodies[0]), (502, bodies[0]), (504, bodies[0]), (504, bodies[1])]
    {
        let scripted = Scripted::answering([(status, "", body.to_owned())]).await;
        let error = scripted.service().links().await.unwrap_err();
        assert!(matches!(error, ClientError::OnTheWay { .. }), "{error:?}");
        assert_eq!(error.status(), Some(status));
        assert!(matches!(error.ask_again(), AskAgain::Patiently(_)), "{status} {body}");
    }
}

#[tokio::test]
async fn nobody_is_made_to_wait_for_ever() {
    let scripted = Scripted::answering([(429, "retry-after: 18446744073709551615\r\n", String::new())]).await;
    let error = scripted.service().links().await.unwrap_err();
    assert_eq!(error.ask_again(), AskAgain::Patiently(Duration::from_secs(300)));
}

#[tokio::test]
async fn an_answer_that_steers_the_terminal_does_not() {
    let told = json!({ "message": "No.\u{1b}]0;x\u{7}", "detail": "a\r\nb", "validations": [] });
    let scripted = Scripted::answering([json(409, &told)]).await;
    let error = scripted.service().links().await.unwrap_err();
    assert_eq!(error.to_string(), "No.?]0;x? (a??b)");
}
