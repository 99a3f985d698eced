//! The ways of client authentication that the token endpoint takes.

use super::super::deployment::{CLIENT, Deployment, Presented};
use super::super::rows::Way;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let row = &deployment.facts.token;
    for way in [Way::Body, Way::Basic] {
        let listed = row.client_authentication.contains(&way);
        if !listed && !row.others_refused {
            continue;
        }
        let code = deployment.code(deployment.visit()).await;
        let client = Presented { way, ..deployment.client(CLIENT) };
        let answer = deployment.redeem(client, &code).await;
        let tokens = answer.body.contains("access_token");
        assert_eq!(tokens, listed, "{way:?}: {}", answer.body);
    }
}
