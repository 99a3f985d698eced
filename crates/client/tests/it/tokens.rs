//! Access tokens, for machines.

use grantkeeper_client::tokens::{LinkToken, Patience, Wanted};
use grantkeeper_client::{AskAgain, Secret};
use serde_json::json;

use crate::scripted::{Scripted, json};

#[tokio::test]
async fn a_link_is_good_for_a_token() {
    let linked = json!({
        "access_token": "gho_1", "token_extra": { "scope": "repo user", "token_type": "bearer" }, "url": "",
        "type": "github", "username": "gho_1", "password": "",
    });
    let scripted = Scripted::answering([json(200, &linked)]).await;
    let wanted = Wanted::Remote("https://github.com/acme/app.git");
    let LinkToken::Linked(token) = scripted.service().link_token(wanted, Patience::Ask).await.unwrap() else {
        panic!("it is linked");
    };
    let secrets = [&token.access_token, &token.username, &token.password].map(Secret::expose);
    assert_eq!((secrets, token.kind.as_str()), (["gho_1", "gho_1", ""], "github"));
    assert_eq!(token.extra_at("scope"), Some(&json!("repo user")));
    assert_eq!(
        scripted.only().line,
        "GET /api/v2/workspaceagents/me/external-auth?id=&match=https%3A%2F%2Fgithub.com%2Facme%2Fapp.git"
    );
}

#[tokio::test]
async fn without_a_link_there_is_an_address() {
    let url = "https://auth.example/external-auth/github";
    let scripted = Scripted::answering([json(200, &json!({ "url": url }))]).await;
    let wanted = Wanted::Provider("github");
    let LinkToken::NotLinked { url: told } =
        scripted.service().link_token(wanted, Patience::Listen).await.unwrap()
    else {
        panic!("it is not linked");
    };
    assert_eq!(told.as_str(), url);
    let line = "GET /api/v2/workspaceagents/me/external-auth?id=github&match=&listen=true";
    assert_eq!(scripted.only().line, line);
}

#[tokio::test]
async fn a_wait_that_was_too_short_is_made_again() {
    let too_long =
        json!({ "message": "Nothing was linked in time; ask again.", "detail": "", "validations": [] });
    let scripted = Scripted::answering([json(504, &too_long)]).await;
    let failed = scripted.service().link_token(Wanted::Provider("github"), Patience::Listen).await;
    assert!(matches!(failed.err().unwrap().ask_again(), AskAgain::After(_)));
}

#[tokio::test]
async fn neither_token_nor_address_is_no_answer() {
    let scripted = Scripted::answering([json(200, &json!({}))]).await;
    let failed = scripted.service().link_token(Wanted::Provider("github"), Patience::Ask).await;
    assert!(failed.err().unwrap().to_string().contains("neither a token"));
}
