//! The authorization endpoint and the way back from it.

use super::super::deployment::Deployment;
use super::super::rows::Iss;
use crate::browser::Answer;

const STATE: &str = "a b&c=d/ü";

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    the_way_back(&deployment).await;
    a_refusal(&deployment).await;
    no_way_back(&deployment).await;
    the_response_type(&deployment).await;
}

/// A good request with some parameters replaced; no value leaves one out.
async fn authorize(deployment: &Deployment, changes: &[(&str, Option<&str>)]) -> Answer {
    let mut params = deployment.authorize_params(deployment.visit());
    params.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let replaced =
        changes.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
    params.extend(replaced);
    deployment.authorize(&params).await
}

async fn the_way_back(deployment: &Deployment) {
    let answer = authorize(deployment, &[("state", Some(STATE))]).await;
    assert!(answer.status.is_redirection(), "{}: {}", answer.status, answer.body);
    assert!(answer.header("location").starts_with(crate::browser::REDIRECT_URI));
    assert_eq!(answer.redirect("state").as_deref(), Some(STATE));
    let code = answer.redirect("code").expect("a code");
    if let Some(most) = deployment.facts.authorize.code_at_most {
        assert!(code.len() <= most, "{} characters", code.len());
    }
    iss_is_as_told(deployment, &answer);
    for name in &deployment.facts.callback.also {
        assert!(answer.redirect(name).is_some(), "no {name}: {}", answer.header("location"));
    }
}

fn iss_is_as_told(deployment: &Deployment, answer: &Answer) {
    let iss = answer.redirect("iss");
    match &deployment.facts.callback.iss {
        Iss::Absent => assert_eq!(iss, None),
        Iss::Is(issuer) => assert_eq!(iss, Some(issuer.replace("{origin}", deployment.origin()))),
        Iss::Unknown => {}
    }
}

async fn a_refusal(deployment: &Deployment) {
    let answer = authorize(deployment, &[("login_hint", Some("deny"))]).await;
    assert_eq!(answer.redirect("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.redirect("state").as_deref(), Some("s1"));
    assert_eq!(answer.redirect("code"), None);
}

/// Nobody is sent anywhere by a request that does not say who asks, or that names a foreign place.
async fn no_way_back(deployment: &Deployment) {
    for change in [("client_id", None), ("redirect_uri", Some("https://attacker.example/callback"))] {
        let answer = authorize(deployment, &[change]).await;
        assert!(answer.status.is_client_error(), "{change:?}: {}", answer.status);
        assert_eq!(answer.header("location"), "", "{change:?}");
    }
}

async fn the_response_type(deployment: &Deployment) {
    let answer = authorize(deployment, &[("response_type", None)]).await;
    let gave_a_code = answer.status.is_redirection() && answer.redirect("code").is_some();
    assert_eq!(
        gave_a_code,
        deployment.facts.authorize.response_type_optional,
        "{}",
        answer.header("location")
    );
}
