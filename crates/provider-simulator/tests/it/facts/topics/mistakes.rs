//! What the token endpoint says to clients that get something wrong.

use super::super::deployment::{CLIENT, Deployment, Presented, WRONG_SECRET};
use super::super::rows::{ExpectedError, Mistake};
use crate::browser::{Answer, REDIRECT_URI, VERIFIER};

/// No lifetime of a code or of a refresh token is longer than this, in seconds.
const FOR_EVER: i64 = 100 * 365 * 86_400;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    for (row_name, row) in &deployment.facts.errors {
        for mistake in &row.cases {
            let answer = make(*mistake, &deployment).await;
            assert_error(&answer, &row.answer, &format!("{row_name}: {mistake:?}"));
        }
    }
}

/// Compares an error with what is known of it.
pub(super) fn assert_error(answer: &Answer, expected: &ExpectedError, case: &str) {
    let ExpectedError { status, error, members, descriptions, interval } = expected;
    assert!(
        status.is_empty() || status.contains(&answer.status.as_u16()),
        "{case}: {} {}",
        answer.status,
        answer.body
    );
    if error.is_empty() && members.is_empty() && descriptions.is_empty() && interval.is_none() {
        assert!(!answer.body.contains("access_token"), "{case}: {}", answer.body);
        return;
    }
    let told = answer.json();
    let is_one_of = |member: &str, listed: &[String]| {
        listed.is_empty() || told[member].as_str().is_some_and(|value| listed.iter().any(|one| one == value))
    };
    assert!(is_one_of("error", error), "{case}: {told}");
    assert!(is_one_of("error_description", descriptions), "{case}: {told}");
    for name in members {
        assert!(told.get(name).is_some(), "{case}: no {name}: {told}");
    }
    if let Some(seconds) = interval {
        assert_eq!(told["interval"], *seconds, "{case}");
    }
}

async fn make(mistake: Mistake, deployment: &Deployment) -> Answer {
    match mistake {
        Mistake::RefreshTokenUnknown
        | Mistake::RefreshTokenUsed
        | Mistake::RefreshTokenExpired
        | Mistake::RefreshTokenOfAnother => with_refresh_token(mistake, deployment).await,
        Mistake::CodeUnknown | Mistake::CodeUsed | Mistake::CodeExpired | Mistake::CodeOfAnother => {
            with_code(mistake, deployment).await
        }
        Mistake::RedirectUriOther => redeem(deployment, &format!("{REDIRECT_URI}/x"), Some(VERIFIER)).await,
        Mistake::VerifierWrong => redeem(deployment, REDIRECT_URI, Some(&"x".repeat(43))).await,
        Mistake::VerifierMissing => redeem(deployment, REDIRECT_URI, None).await,
        Mistake::ClientSecretWrong => with_secret(deployment, Some(WRONG_SECRET)).await,
        Mistake::ClientSecretMissing => with_secret(deployment, None).await,
        Mistake::GrantTypeUnknown => {
            deployment.token(deployment.client(CLIENT), &[("grant_type", "telepathy")]).await
        }
    }
}

async fn with_refresh_token(mistake: Mistake, deployment: &Deployment) -> Answer {
    if mistake == Mistake::RefreshTokenUnknown {
        return deployment.refresh("never-issued").await;
    }
    let tokens = deployment.sign_in(deployment.visit_for_refresh()).await;
    match mistake {
        Mistake::RefreshTokenOfAnother => {
            return deployment.refresh_as(deployment.client("another-client"), tokens.refresh()).await;
        }
        Mistake::RefreshTokenUsed => assert!(deployment.refreshes(tokens.refresh()).await),
        _ => deployment.pass(FOR_EVER / 2),
    }
    deployment.refresh(tokens.refresh()).await
}

async fn with_code(mistake: Mistake, deployment: &Deployment) -> Answer {
    let client = deployment.client(CLIENT);
    if mistake == Mistake::CodeUnknown {
        return deployment.redeem(client, "never-issued").await;
    }
    let code = deployment.code(deployment.visit()).await;
    match mistake {
        Mistake::CodeOfAnother => return deployment.redeem(deployment.client("another-client"), &code).await,
        Mistake::CodeUsed => drop(deployment.redeem(client, &code).await),
        _ => deployment.pass(FOR_EVER / 2),
    }
    deployment.redeem(client, &code).await
}

async fn redeem(deployment: &Deployment, redirect_uri: &str, verifier: Option<&str>) -> Answer {
    let code = deployment.code(deployment.visit()).await;
    deployment.redeem_with(deployment.client(CLIENT), &code, redirect_uri, verifier).await
}

async fn with_secret(deployment: &Deployment, secret: Option<&str>) -> Answer {
    let code = deployment.code(deployment.visit()).await;
    deployment.redeem(Presented { secret, ..deployment.client(CLIENT) }, &code).await
}
