//! A code is good until the last second of its lifetime.

use super::super::deployment::{CLIENT, Deployment};

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let seconds = deployment.facts.authorize.code_lifetime.expect("a lifetime");
    let client = deployment.client(CLIENT);
    for (passed, good) in [(seconds - 1, true), (seconds, false)] {
        let code = deployment.code(deployment.visit()).await;
        deployment.pass(passed);
        let answer = deployment.redeem(client, &code).await;
        assert_eq!(answer.body.contains("access_token"), good, "after {passed} s: {}", answer.body);
    }
}
