//! Access tokens: their looks, their lifetime, and what a dead one is told.

use super::super::deployment::Deployment;
use super::super::rows::Looks;

/// A token that never expires is still good after this many seconds, which is some half a year.
const LONG: i64 = 15_000_000;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    a_dead_one_is_refused(&deployment).await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    looks_as_told(&tokens.access, &deployment.facts.access_token.looks);
    let told = tokens.answer.get("expires_in").map(|seconds| seconds.as_i64().expect("a number"));
    if let Some([least, most]) = deployment.facts.access_token.expires_in_between {
        let told = told.expect("expires_in is told");
        assert!((least..=most).contains(&told), "{told} seconds");
    } else {
        assert_eq!(told, deployment.facts.access_token.expires_in);
    }
    if let Some(seconds) = told {
        deployment.pass(seconds - 1);
        assert!(deployment.is_alive(&tokens.access).await, "it dies too early");
        deployment.pass(1);
        assert!(!deployment.is_alive(&tokens.access).await, "it lives too long");
    } else {
        deployment.pass(LONG);
        assert!(deployment.is_alive(&tokens.access).await, "it died");
    }
}

/// The answer to a token that is none.
async fn a_dead_one_is_refused(deployment: &Deployment) {
    let row = &deployment.facts.access_token;
    let answer = deployment.get(&row.probe, "never-issued").await;
    assert_eq!(answer.status, row.dead.status, "{}", answer.body);
    if let Some(message) = &row.dead.message {
        assert_eq!(answer.json()["message"], **message);
    }
    if let Some(challenge) = &row.dead.www_authenticate {
        assert!(answer.header("www-authenticate").starts_with(challenge.as_str()), "{:?}", answer.headers);
    }
}

pub(super) fn looks_as_told(token: &str, looks: &Looks) {
    assert!(token.starts_with(&looks.prefix), "it does not begin with {}", looks.prefix);
    let length = token.len();
    assert!(looks.length.is_none_or(|expected| length == expected), "{length} characters");
    assert!(looks.at_least.is_none_or(|least| length >= least), "{length} characters");
    assert!(looks.at_most.is_none_or(|most| length <= most), "{length} characters");
}
