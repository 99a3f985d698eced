//! Signing in by device code: a client shows a code, and waits.

use reqwest::StatusCode;
use serde_json::json;

use super::at_either_provider;
use super::client::{SignedIn, assert_refused};
use super::upstream::{REFUSER, Upstream};
use super::world::LoginWorld;
use crate::stores::StoreKind;

at_either_provider!(
    a_person_approves,
    a_person_refuses,
    a_device_that_is_told_to_slow_down_does_and_gets_its_token,
    two_who_wait_for_one_login_share_one_wait,
    a_client_that_leaves_can_come_again,
    a_session_that_was_never_given_out_is_refused,
);

async fn a_person_approves(world: LoginWorld) {
    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    let signed_in = SignedIn::read(&world.client.complete(&device.session).await);
    assert_eq!(signed_in.account, world.signed_in("alice").await.account);
    let again = SignedIn::read(&world.client.complete(&device.session).await);
    assert_ne!(again.secret, signed_in.secret, "a lost answer can be asked for again");
    assert_refused(&world.client.current(&signed_in.secret).await, StatusCode::UNAUTHORIZED);
}

async fn a_person_refuses(world: LoginWorld) {
    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, REFUSER).await);
    assert_refused(&world.client.complete(&device.session).await, StatusCode::UNAUTHORIZED);
    let polls = world.upstream.polls().await;
    assert_refused(&world.client.complete(&device.session).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.upstream.polls().await, polls, "the provider has said it");
}

/// The provider says so once; the interval is five seconds longer from then on (RFC 8628, 3.5).
async fn a_device_that_is_told_to_slow_down_does_and_gets_its_token(world: LoginWorld) {
    let device = world.client.start_device().await;
    world.upstream.slows_down().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    SignedIn::read(&world.client.complete(&device.session).await);
    assert_eq!(world.upstream.polls().await, 2, "one was told to slow down, one got the tokens");
}

async fn two_who_wait_for_one_login_share_one_wait(world: LoginWorld) {
    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    let (one, other) =
        tokio::join!(world.client.complete(&device.session), world.client.complete(&device.session));
    let (one, other) = (SignedIn::read(&one), SignedIn::read(&other));
    assert_eq!(one.account, other.account);
    assert_eq!(world.upstream.polls().await, 1);
    assert_eq!(one, other, "and both get a token that is good");
    assert_eq!(world.client.current(&one.secret).await.0, StatusCode::OK);
}

async fn a_client_that_leaves_can_come_again(world: LoginWorld) {
    let device = world.client.start_device().await;
    let request = world.client.request_to_complete(&device.session);
    let waiting = tokio::spawn(async move { request.send().await });
    crate::waiting::eventually("the provider to be asked", async || {
        (world.upstream.polls().await > 0).then_some(())
    })
    .await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    SignedIn::read(&world.client.complete(&device.session).await);
}

async fn a_session_that_was_never_given_out_is_refused(world: LoginWorld) {
    let device = world.client.start_device().await;
    let tampered = format!("{}x", device.session);
    for nonsense in [tampered.as_str(), "", "nonsense"] {
        assert_refused(&world.client.complete(nonsense).await, StatusCode::BAD_REQUEST);
    }
    for body in ["", "{}", "[]", "null", "\"not closed"] {
        let request = world.client.request_to_complete("").body(body);
        assert_refused(&crate::callers::answer(request).await, StatusCode::BAD_REQUEST);
    }
    assert_eq!(world.upstream.polls().await, 0);
}

/// How long the codes of these tests live, in seconds.
const SHORT: u32 = 2;

/// The codes end before anybody has decided.
async fn the_person_is_too_late(world: LoginWorld) {
    let device = world.client.start_device().await;
    assert_refused(&world.client.complete(&device.session).await, StatusCode::UNAUTHORIZED);
    assert!(!world.upstream.decides(&device.user_code, "alice").await, "to the person as well");
    assert_refused(&world.client.complete(&device.session).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_too_late_at_an_openid_provider() {
    let Some(upstream) = Upstream::real(SHORT).await else { return };
    the_person_is_too_late(LoginWorld::around(upstream, StoreKind::Postgres, &[]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_too_late_at_the_simulator() {
    let upstream = Upstream::simulated(SHORT);
    the_person_is_too_late(LoginWorld::around(upstream, StoreKind::Sqlite, &[]).await).await;
}

/// By our own clock there would be time left.
#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_too_late_for_a_provider_that_ends_codes_sooner_than_it_told() {
    let Some(upstream) = Upstream::real(SHORT).await else { return };
    let world = LoginWorld::around(upstream, StoreKind::Sqlite, &[]).await;
    if let Upstream::Real(provider) = &world.upstream {
        provider.control("faults", &json!({ "route": "device", "tell": { "expires_in": 600 } })).await;
    }
    the_person_is_too_late(world).await;
}
