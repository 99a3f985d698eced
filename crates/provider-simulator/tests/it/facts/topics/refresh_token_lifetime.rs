//! How long a refresh token lives that is not used.

use super::super::deployment::{Deployment, Tokens, Visit};

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let row = &deployment.facts.refresh_token;
    let exact = row.lifetime.map(|seconds| [seconds - 1, seconds]);
    let [alive, dead] = exact.or(row.lifetime_between).expect("a lifetime");
    let [used, unused] = [deployment.sign_in(deployment.visit_for_refresh()).await, other(&deployment).await];
    deployment.pass(alive);
    assert!(deployment.refreshes(used.refresh()).await, "it dies too early");
    deployment.pass(dead - alive);
    assert!(!deployment.refreshes(unused.refresh()).await, "it lives too long");
}

/// Another user's tokens, which have nothing to do with those of the first.
async fn other(deployment: &Deployment) -> Tokens {
    deployment.sign_in(Visit { user: "1002", ..deployment.visit_for_refresh() }).await
}
