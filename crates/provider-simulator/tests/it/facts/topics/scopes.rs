//! The scopes that answers of the token endpoint tell.

use std::collections::BTreeSet;

use super::super::deployment::{Deployment, Visit};

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let separator = deployment.facts.token.scope_separator.as_deref().expect("a separator");
    for row in &deployment.facts.scopes {
        let visit = Visit { scope: &row.asked, ..deployment.visit() };
        let tokens = deployment.sign_in(visit).await;
        let told = tokens.answer["scope"].as_str().unwrap_or_else(|| panic!("no scope: {}", tokens.answer));
        let told: BTreeSet<_> = told.split(separator).filter(|scope| !scope.is_empty()).collect();
        let expected: BTreeSet<_> = row.granted.iter().map(String::as_str).collect();
        assert_eq!(told, expected, "asked for {}", row.asked);
    }
}
