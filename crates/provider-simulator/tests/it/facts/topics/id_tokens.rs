//! ID tokens: claims, and the keys that verify them.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::super::deployment::{CLIENT, Deployment, Visit};

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    let row = deployment.facts.id_token.as_ref().expect("a row");
    let claims = claims(&deployment, Visit { scope: &row.scope, ..deployment.visit() }).await;
    let iss = claims["iss"].as_str().expect("an issuer");
    assert!(row.iss.iter().any(|one| one.replace("{origin}", deployment.origin()) == iss), "{iss}");
    for name in &row.claims {
        assert!(claims.get(name).is_some(), "no {name}: {claims}");
    }
    assert_eq!((&claims["aud"], &claims["nonce"]), (&CLIENT.into(), &"n1".into()));
    assert_eq!(claims["iat"], deployment.now());
    assert!(claims["exp"].as_i64().is_some_and(|exp| exp > deployment.now()), "{claims}");
}

/// The claims of a sign-in, verified with the published keys.
pub(crate) async fn claims(deployment: &Deployment, visit: Visit<'_>) -> Value {
    let tokens = deployment.sign_in(visit).await;
    let id_token =
        tokens.answer["id_token"].as_str().unwrap_or_else(|| panic!("no ID token: {}", tokens.answer));
    let row = deployment.facts.id_token.as_ref().expect("a row");
    let keys: JwkSet =
        serde_json::from_value(deployment.get_anonymously(&row.jwks).await.json()).expect("a key set");
    let kid = decode_header(id_token).expect("a header").kid.expect("a key id");
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("the key")).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    // The time here is not that of the test's clock.
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode::<Value>(id_token, &key, &validation).expect("valid").claims
}
