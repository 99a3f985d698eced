//! Successful answers of the token endpoint: format and members.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use reqwest::header::ACCEPT;

use super::super::deployment::{CLIENT, Deployment};
use super::super::rows::Format;
use crate::browser::{Answer, REDIRECT_URI, VERIFIER};

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let row = &deployment.facts.token;
    for (accept, format) in [(None, row.format), (Some("application/json"), row.format_on_accept)] {
        let answer = redeem(&deployment, accept).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        the_members_are_as_told(&deployment, &members(&answer, format));
    }
    let answer = redeem(&deployment, Some("application/json")).await.json();
    if let Some(token_type) = &row.token_type {
        assert_eq!(answer["token_type"], **token_type);
    }
    for (name, value) in &row.values {
        assert_eq!(answer.get(name), Some(value), "{name}");
    }
}

async fn redeem(deployment: &Deployment, accept: Option<&str>) -> Answer {
    let code = deployment.code(deployment.visit()).await;
    let params = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let request = deployment.form(&deployment.facts.token.path, deployment.client(CLIENT), &params);
    let request = accept.into_iter().fold(request, |request, accept| request.header(ACCEPT, accept));
    deployment.send(request).await
}

/// The names of the members of an answer in this format.
fn members(answer: &Answer, format: Format) -> BTreeSet<String> {
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
    match format {
        Format::Json => {
            assert_eq!(media_type, "application/json");
            answer.json().as_object().expect("an object").keys().cloned().collect()
        }
        Format::Form => {
            assert_eq!(media_type, "application/x-www-form-urlencoded");
            form_urlencoded::parse(answer.body.as_bytes()).map(|(name, _)| name.into_owned()).collect()
        }
    }
}

fn the_members_are_as_told(deployment: &Deployment, members: &BTreeSet<String>) {
    let row = &deployment.facts.token;
    for name in &row.members {
        assert!(members.contains(name), "no {name} among {members:?}");
    }
    for name in &row.absent {
        assert!(!members.contains(name), "there is {name}");
    }
}
