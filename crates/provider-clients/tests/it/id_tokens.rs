//! Forged ID tokens, and keys that change.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::providers::{CodeExchange, UpstreamError};
use grantkeeper_domain::services::Clock as _;
use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, IdTokenForgery};
use serde_json::json;

use crate::person;
use crate::world::{World, refused, secret, trusted};

#[tokio::test(flavor = "multi_thread")]
async fn every_forgery_is_refused_with_its_own_reason() {
    let world = World::openid().await;
    for (forgery, reason) in [
        (IdTokenForgery::AlgNone, "id_token_unsigned"),
        (IdTokenForgery::Hs256WithPublicKey, "id_token_algorithm"),
        (IdTokenForgery::WrongIssuer, "id_token_issuer"),
        (IdTokenForgery::WrongAudience, "id_token_audience"),
        (IdTokenForgery::Expired, "id_token_expired"),
        (IdTokenForgery::WrongNonce, "id_token_nonce"),
        (IdTokenForgery::UnknownKid, "id_token_unknown_key"),
        (IdTokenForgery::TwoAudiencesWithoutAzp, "id_token_authorized_party"),
        (IdTokenForgery::BadSignature, "id_token_signature"),
        (IdTokenForgery::Missing, "id_token_missing"),
    ] {
        world.simulator.update_settings(|settings| settings.id_token = forgery);
        let error = refused(world.authorize("alice").await);
        assert_eq!(error, UpstreamError::Untrusted { reason }, "{forgery:?}");
    }
    world.simulator.update_settings(|settings| settings.id_token = IdTokenForgery::Ok);
    assert!(world.authorize("alice").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nonce_is_that_of_the_flow() {
    let world = World::openid().await;
    let exchange = CodeExchange { nonce: Some(secret("of another flow")), ..world.code("alice").await };
    let error = refused(trusted(world.client.exchange_code(&world.connection(), &exchange).await));
    assert_eq!(error, UpstreamError::Untrusted { reason: "id_token_nonce" });
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_with_a_forged_id_token_come_along_to_be_revoked() {
    let world = World::openid().await;
    world.simulator.update_settings(|settings| settings.id_token = IdTokenForgery::BadSignature);
    let exchange = world.code("alice").await;
    let tokens = world.client.exchange_code(&world.connection(), &exchange).await.ok().unwrap();
    assert_eq!(tokens.identity, None);
    assert_eq!(tokens.distrust, Some(UpstreamError::Untrusted { reason: "id_token_signature" }));
    assert!(tokens.refresh_token.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_holds_no_traces_of_the_flow() {
    let world = World::openid().await;
    let user = world.authorize("alice").await.ok().unwrap().identity.unwrap().user;
    assert_eq!(user.raw["id_token_claims"]["sub"], "alice");
    assert!(!user.raw.to_string().contains(person::NONCE), "{}", user.raw);
}

impl World {
    async fn rotate_keys(&self) {
        let url = format!("{}/control/keys/rotate", self.simulator.url());
        let body = json!({"dropOld": true}).to_string();
        let request = person::browser().post(url).header("content-type", "application/json").body(body);
        assert!(request.send().await.unwrap().status().is_success());
    }

    fn key_requests(&self) -> usize {
        self.simulator.stats().jwks_calls
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_again_when_the_provider_changed_them() {
    let world = World::openid().await;
    for _ in 0..3 {
        assert!(world.authorize("alice").await.is_ok());
    }
    assert_eq!(world.key_requests(), 1, "they are remembered");

    world.rotate_keys().await;
    let error = refused(world.authorize("alice").await);
    assert_eq!(error, UpstreamError::Untrusted { reason: "id_token_unknown_key" }, "they came only just now");
    assert_eq!(world.key_requests(), 1);

    world.clock.advance(Duration::from_secs(10));
    assert!(world.authorize("alice").await.is_ok());
    assert_eq!(world.key_requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_makes_no_flood_of_requests() {
    let world = World::openid().await;
    assert!(world.authorize("alice").await.is_ok());
    world.simulator.update_settings(|settings| settings.id_token = IdTokenForgery::UnknownKid);
    world.clock.advance(Duration::from_secs(60));
    for _ in 0..5 {
        assert_eq!(refused(world.authorize("alice").await).reason(), "id_token_unknown_key");
    }
    assert_eq!(world.key_requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_do_not_live_for_ever() {
    let world = World::openid().await;
    assert!(world.authorize("alice").await.is_ok());
    world.clock.advance(Duration::from_secs(3600));
    let four = NonZeroU32::new(4).unwrap();
    world.simulator.set_faults([Fault::status(FaultPlace::Discovery, 503).times(four)]);
    assert_eq!(
        refused(world.authorize("alice").await).reason(),
        "server_trouble",
        "old keys are not good enough"
    );
    assert!(world.authorize("alice").await.is_ok());
    assert_eq!(world.key_requests(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_had_just_now_are_asked_for_again() {
    let world = World::openid().await;
    let three = NonZeroU32::new(3).unwrap();
    let limited = FaultEffect::Status { status: 429, retry_after: Some(2), body: None };
    for (effect, waits) in [(FaultEffect::Drop, 3500), (limited, 6000)] {
        let (requests, before) = (world.key_requests(), world.clock.now());
        world.simulator.set_faults([Fault::once(FaultPlace::Discovery, effect.clone()).times(three)]);
        assert!(world.authorize("alice").await.is_ok(), "{effect:?}");
        assert_eq!(world.key_requests(), requests + 4, "{effect:?}");
        assert_eq!(world.clock.now() - before, TimeDelta::milliseconds(waits), "{effect:?}");
        world.clock.advance(Duration::from_secs(3600));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_long_for_keys() {
    let world = World::openid().await;
    let limited = FaultEffect::Status { status: 429, retry_after: Some(60), body: None };
    world.simulator.set_faults([Fault::once(FaultPlace::Discovery, limited)]);
    let error = refused(world.authorize("alice").await);
    assert_eq!(error, UpstreamError::RateLimited { retry_after: Some(Duration::from_secs(60)) });
    assert_eq!(world.key_requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_id_token_is_not_asked_about_twice() {
    let world = World::openid().await;
    world.simulator.update_settings(|settings| settings.id_token = IdTokenForgery::BadSignature);
    let before = world.clock.now();
    assert_eq!(refused(world.authorize("alice").await).reason(), "id_token_signature");
    assert_eq!((world.key_requests(), world.clock.now()), (1, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_exchanges_at_once_fetch_the_keys_once() {
    let world = Arc::new(World::openid().await);
    let exchanges: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.authorize("alice").await.is_ok() })
        })
        .collect();
    for exchange in exchanges {
        assert!(exchange.await.unwrap());
    }
    assert_eq!(world.key_requests(), 1);
}
