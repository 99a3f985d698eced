//! Proof keys (RFC 7636): kept where they are supported, ignored where they are not.

use super::super::deployment::{CLIENT, Deployment};
use crate::browser::{Answer, REDIRECT_URI, VERIFIER};

const WRONG_VERIFIER: &str = "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let row = &deployment.facts.pkce;
    if row.methods.is_empty() {
        let code = deployment.code(deployment.visit()).await;
        assert!(gives_tokens(&redeem(&deployment, &code, Some(WRONG_VERIFIER)).await), "they are ignored");
    }
    for method in &row.methods {
        for (verifier, right) in [(Some(VERIFIER), true), (Some(WRONG_VERIFIER), false), (None, false)] {
            let answer = authorize(&deployment, method).await;
            let code = answer.redirect("code").unwrap_or_else(|| panic!("{method} is refused"));
            let answer = redeem(&deployment, &code, verifier).await;
            assert_eq!(
                gives_tokens(&answer),
                right,
                "{method} and {verifier:?}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
    for method in &row.refused {
        let answer = authorize(&deployment, method).await;
        let gave_a_code = answer.status.is_redirection() && answer.redirect("code").is_some();
        assert!(!gave_a_code, "{method} is taken");
    }
}

/// Asks with a challenge by this method.
async fn authorize(deployment: &Deployment, method: &str) -> Answer {
    let mut params = deployment.authorize_params(deployment.visit());
    for (name, value) in &mut params {
        match name.as_str() {
            "code_challenge" if method == "plain" => VERIFIER.clone_into(value),
            "code_challenge_method" => method.clone_into(value),
            _ => {}
        }
    }
    deployment.authorize(&params).await
}

async fn redeem(deployment: &Deployment, code: &str, verifier: Option<&str>) -> Answer {
    deployment.redeem_with(deployment.client(CLIENT), code, REDIRECT_URI, verifier).await
}

fn gives_tokens(answer: &Answer) -> bool {
    answer.body.contains("access_token")
}
