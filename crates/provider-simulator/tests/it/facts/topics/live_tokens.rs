//! How many tokens live at once.

use super::super::deployment::{Deployment, Tokens, Visit};
use super::super::rows::Token;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let row = deployment.facts.live_tokens.as_ref().expect("a row");
    let visit = match row.of {
        Token::AccessToken => deployment.visit(),
        Token::RefreshToken => deployment.visit_for_refresh(),
    };
    let first = deployment.sign_in(visit).await;
    let second = deployment.sign_in(visit).await;
    for _ in 2..row.most {
        deployment.sign_in(visit).await;
    }
    let other_scope = Visit { scope: "gist", ..visit };
    for visit in [Visit { user: "1002", ..visit }, Visit { client: "another-client", ..visit }] {
        deployment.sign_in(visit).await;
    }
    if row.by_scope {
        deployment.sign_in(other_scope).await;
    }
    assert!(is_alive(&deployment, &first, row.of).await, "as many as may live");
    deployment.sign_in(visit).await;
    assert!(!is_alive(&deployment, &first, row.of).await, "one too many lives");
    assert!(is_alive(&deployment, &second, row.of).await, "more than the oldest died");
}

async fn is_alive(deployment: &Deployment, tokens: &Tokens, token: Token) -> bool {
    match token {
        Token::AccessToken => deployment.is_alive(&tokens.access).await,
        Token::RefreshToken => deployment.refreshes(tokens.refresh()).await,
    }
}
