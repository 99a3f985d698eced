//! Signing in with an access token that a client has already: only with one that was issued to us.

use reqwest::{Method, StatusCode};

use super::at_either_provider;
use super::client::{SignedIn, assert_refused};
use super::world::{LoginWorld, OTHER_CLIENT};
use crate::callers::answer;

at_either_provider!(
    a_token_that_was_issued_to_us_signs_its_person_in,
    a_token_of_another_client_is_refused,
    what_is_no_token_is_refused,
);

async fn a_token_that_was_issued_to_us_signs_its_person_in(world: LoginWorld) {
    let token = world.access_token("alice").await;
    let one = SignedIn::read(&world.client.exchange("github", &token).await);
    let other = SignedIn::read(&world.client.exchange("github", &token).await);
    assert_eq!(one.account, other.account);
    assert_ne!((one.token, one.secret), (other.token, other.secret));
}

/// Any program that holds a token of somebody could sign in as them (RFC 9700, 4.9.3).
async fn a_token_of_another_client_is_refused(world: LoginWorld) {
    let foreign = world.upstream.access_token(OTHER_CLIENT, "alice").await;
    assert_refused(&world.client.exchange("github", &foreign).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.installation.store.count("login_identities"), 0, "nobody was let in");
}

async fn what_is_no_token_is_refused(world: LoginWorld) {
    assert_refused(&world.client.exchange("github", "nonsense").await, StatusCode::UNAUTHORIZED);
    assert_refused(&world.client.exchange("gitlab", "nonsense").await, StatusCode::BAD_REQUEST);
    for query in ["", "?provider=github", "?access-token=x", "?provider=github&access-token="] {
        let request = world.client.request(Method::POST, &format!("/v1/oauth2{query}"));
        assert_refused(&answer(request).await, StatusCode::BAD_REQUEST);
    }
}
