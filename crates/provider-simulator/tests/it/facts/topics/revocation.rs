//! Revocation: what it takes, what it answers, and what dies by it.

use super::super::deployment::{CLIENT, Deployment, Presented, SECRET, Tokens, Visit, WRONG_SECRET};
use super::super::rows::{Old, RevocationRow, Token, Way};
use super::mistakes::assert_error;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    for row in &deployment.facts.revocations {
        for token in &row.takes {
            a_revocation(&deployment, row, *token).await;
        }
        mistakes(&deployment, row).await;
    }
}

fn client(secret: &str) -> Presented<'_> {
    Presented { way: Way::None, id: CLIENT, secret: Some(secret) }
}

async fn sign_in(deployment: &Deployment, user: &str, client: &str) -> Tokens {
    deployment.sign_in(Visit { client, user, ..deployment.visit_for_refresh() }).await
}

/// Every revocation has a user of its own, so that nothing is left over from the one before.
async fn a_revocation(deployment: &Deployment, row: &RevocationRow, token: Token) {
    let user = format!("user-{}", deployment.now());
    deployment.pass(1);
    let tokens = sign_in(deployment, &user, CLIENT).await;
    let same_client = sign_in(deployment, &user, CLIENT).await;
    let other_client = sign_in(deployment, &user, "another-client").await;
    let other_user = sign_in(deployment, "1003", CLIENT).await;

    let answer = deployment.carry(&row.call, client(SECRET), tokens.token(token)).await;
    let case = format!("{} {} with {token:?}", row.call.method, row.call.path);
    assert_eq!(answer.status, row.call.success, "{case}: {}", answer.body);
    assert!(row.answer.as_ref().is_none_or(|body| answer.body.trim() == body), "{case}: {}", answer.body);
    for dead in &row.kills {
        assert!(!lives(deployment, &tokens, *dead).await, "{case}: {dead:?} lives");
    }
    for spared in &row.spares {
        assert!(lives(deployment, &tokens, *spared).await, "{case}: {spared:?} died");
    }
    let others =
        [(row.other_grants, same_client), (row.other_clients, other_client), (Old::Stays, other_user)];
    for (position, (fate, tokens)) in others.into_iter().enumerate() {
        if fate != Old::Unknown {
            let lives = deployment.is_alive(&tokens.access).await;
            assert_eq!(lives, fate == Old::Stays, "{case}: other grant {position}");
        }
    }
}

async fn lives(deployment: &Deployment, tokens: &Tokens, token: Token) -> bool {
    match token {
        Token::AccessToken => deployment.is_alive(&tokens.access).await,
        Token::RefreshToken => deployment.refreshes(tokens.refresh()).await,
    }
}

async fn mistakes(deployment: &Deployment, row: &RevocationRow) {
    let case = format!("{} {}", row.call.method, row.call.path);
    if let Some(status) = row.unknown {
        let answer = deployment.carry(&row.call, client(SECRET), "never-issued").await;
        assert_eq!(answer.status, status, "{case}: unknown: {}", answer.body);
    }
    if row.call.client_authentication == Way::None {
        return;
    }
    let tokens = sign_in(deployment, "1002", CLIENT).await;
    let answer = deployment.carry(&row.call, client(WRONG_SECRET), &tokens.access).await;
    assert!(answer.status.is_client_error(), "{case}: wrong secret: {}", answer.status);
    if let Some(expected) = &row.bad_client {
        assert_error(&answer, expected, &case);
    }
    assert!(deployment.is_alive(&tokens.access).await, "{case}: a stranger revoked it");
}
