//! What an API token is good for that somebody got by signing in, and how it ends.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::at_either_provider;
use super::client::{assert_refused, assert_token};
use super::world::LoginWorld;
use crate::callers::answer;

at_either_provider!(
    a_token_opens_the_other_apis_until_its_person_signs_out,
    a_person_can_end_their_other_tokens
);

async fn a_token_opens_the_other_apis_until_its_person_signs_out(world: LoginWorld) {
    let alice = world.signed_in("alice").await;
    let (status, told) = world.client.current(&alice.secret).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_token(&told);
    assert_eq!(
        (&told["id"], &told["accountId"]),
        (&Value::from(alice.token.clone()), &Value::from(alice.account.clone()))
    );
    assert_eq!(world.apis(&alice.secret).await, [StatusCode::OK; 2]);
    let request = world.client.request(Method::DELETE, "/v1/login/token").bearer_auth(&alice.secret);
    assert_eq!(answer(request).await, (StatusCode::NO_CONTENT, Value::Null));
    assert_refused(&world.client.current(&alice.secret).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.apis(&alice.secret).await, [StatusCode::UNAUTHORIZED; 2]);
}

async fn a_person_can_end_their_other_tokens(world: LoginWorld) {
    let (laptop, phone) = (world.signed_in("alice").await, world.signed_in("alice").await);
    let bob = world.signed_in("bob").await;
    let list = world.client.request(Method::GET, "/v1/me/tokens").bearer_auth(&laptop.secret);
    let (_, list) = answer(list).await;
    for token in [&laptop.token, &phone.token] {
        assert!(list.to_string().contains(token), "{list}");
    }
    assert!(!list.to_string().contains(&bob.token) && !list.to_string().contains(&phone.secret), "{list}");
    let end = async |token: &str| {
        let request = world.client.request(Method::DELETE, &format!("/v1/me/tokens/{token}"));
        answer(request.bearer_auth(&laptop.secret)).await
    };
    assert_eq!(end(&phone.token).await.0, StatusCode::NO_CONTENT);
    assert_refused(&world.client.current(&phone.secret).await, StatusCode::UNAUTHORIZED);
    assert_refused(&end(&bob.token).await, StatusCode::NOT_FOUND);
    assert_eq!(world.client.current(&bob.secret).await.0, StatusCode::OK);
    assert_eq!(world.client.current(&laptop.secret).await.0, StatusCode::OK);
}

impl LoginWorld {
    /// What the two other APIs say to an API token.
    pub(super) async fn apis(&self, secret: &str) -> [StatusCode; 2] {
        let oauth = self.client.request(Method::GET, "/api/v2/externalOAuth/providers/").bearer_auth(secret);
        let path = format!("/api/v2/external-auth/{}/device", self.provider);
        let auth = self.client.request(Method::GET, &path).header("coder-session-token", secret);
        [answer(oauth).await.0, answer(auth).await.0]
    }
}
