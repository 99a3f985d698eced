//! What becomes of the old tokens when a refresh token is used.

use super::super::deployment::{Deployment, Tokens};
use super::super::rows::Old;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let old = deployment.sign_in(deployment.visit_for_refresh()).await;
    let answer = deployment.refresh(old.refresh()).await;
    let new = Tokens::of(&answer);
    let row = &deployment.facts.refresh_token;
    assert_ne!(new.access, old.access);
    assert_eq!(new.refresh.is_some(), row.rotates, "{}", answer.body);
    assert_ne!(new.refresh, old.refresh);
    assert!(deployment.is_alive(&new.access).await, "the new one lives");
    the_old_access_token(&deployment, &old).await;
    the_old_refresh_token(&deployment, &old).await;
}

async fn the_old_access_token(deployment: &Deployment, old: &Tokens) {
    match deployment.facts.refresh_token.old_access_token {
        Old::Dies => assert!(!deployment.is_alive(&old.access).await, "the old access token lives"),
        Old::Stays | Old::DiesAfterGrace => {
            assert!(deployment.is_alive(&old.access).await, "the old access token died");
        }
        Old::Unknown => {}
    }
}

async fn the_old_refresh_token(deployment: &Deployment, old: &Tokens) {
    let row = &deployment.facts.refresh_token;
    match row.old_refresh_token {
        Old::Dies => assert!(!deployment.refreshes(old.refresh()).await, "the old refresh token works"),
        Old::Stays => {
            for _ in 0..2 {
                assert!(deployment.refreshes(old.refresh()).await, "the old refresh token stopped to work");
            }
        }
        Old::DiesAfterGrace => {
            let grace = row.grace.expect("a grace has its seconds");
            deployment.pass(grace - 1);
            assert!(deployment.refreshes(old.refresh()).await, "grace is too short");
            // No documentation says what the very last second is good for.
            deployment.pass(2);
            assert!(!deployment.refreshes(old.refresh()).await, "grace is too long");
            assert!(!deployment.is_alive(&old.access).await, "the old access token outlived the grace");
        }
        Old::Unknown => {}
    }
}
