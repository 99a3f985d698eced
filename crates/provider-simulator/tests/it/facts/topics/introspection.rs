//! Asking whether a token is alive.

use serde_json::json;

use super::super::deployment::{CLIENT, Deployment, Presented, SECRET};
use super::super::rows::Way;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let client = Presented { way: Way::None, id: CLIENT, secret: Some(SECRET) };
    for row in &deployment.facts.introspections {
        let case = format!("{} {}", row.call.method, row.call.path);
        let tokens = deployment.sign_in(deployment.visit()).await;
        let answer = deployment.carry(&row.call, client, &tokens.access).await;
        assert_eq!(answer.status, row.call.success, "{case}: {}", answer.body);
        let told = answer.json();
        for pointer in &row.members {
            assert!(told.pointer(pointer).is_some(), "{case}: no {pointer}: {told}");
        }
        let answer = deployment.carry(&row.call, client, "never-issued").await;
        assert_eq!(answer.status, row.dead, "{case}: {}", answer.body);
        if row.dead == row.call.success {
            assert_eq!(answer.json(), json!({ "active": false }), "{case}");
        }
    }
}
