//! What a provider does not have.

use reqwest::{Method, StatusCode};

use super::super::deployment::Deployment;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    for path in &deployment.facts.nothing.as_ref().expect("a row").paths {
        for method in [Method::GET, Method::POST] {
            let answer = deployment.send(deployment.to(method, path).header("user-agent", "facts")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
