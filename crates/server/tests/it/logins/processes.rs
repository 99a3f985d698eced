//! Signing in where several processes serve: a login belongs to none of them.

use reqwest::StatusCode;

use super::client::{LoginClient, SignedIn, assert_refused};
use super::world::LoginWorld;
use crate::installation::Running;
use crate::waiting::eventually;

impl LoginWorld {
    /// Another process over the same store, and a client of it.
    async fn another_process(&self) -> (Running, LoginClient) {
        let running = self.installation.serve_with(&["--listen", "127.0.0.1:0"]).await;
        let client = LoginClient::at(&running.base_url);
        (running, client)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_has_started_another_ends() {
    let world = LoginWorld::at_the_simulator().await;
    let (_running, there) = world.another_process().await;
    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    let by_device = SignedIn::read(&there.complete(&device.session).await);
    let on_the_web = SignedIn::read(&there.poll(&world.web_login("alice").await).await);
    assert_eq!(by_device.account, on_the_web.account);
    assert_eq!(world.client.current(&by_device.secret).await.0, StatusCode::OK);
}

/// Whoever waits hears that at once; the login goes on at the processes that are left.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_does_not_wait_for_people() {
    let world = LoginWorld::at_the_simulator().await;
    let (stopping, there) = world.another_process().await;
    let device = world.client.start_device().await;
    let call = there.request_to_complete(&device.session);
    let waiting = tokio::spawn(async move { call.send().await.map(|answer| answer.status()) });
    eventually("the provider to be asked", async || (world.upstream.polls().await > 0).then_some(())).await;
    assert_eq!(stopping.terminate().await, Some(0));
    // It had an answer, and was not cut off when the time for stopping was over.
    assert_eq!(waiting.await.unwrap().unwrap(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!world.installation.log().contains("not every request ended"));
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    SignedIn::read(&world.client.complete(&device.session).await);
}

/// The provider is asked no more often than it wants, however many wait in however many processes.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_wait_for_one_login_ask_in_turn() {
    let world = LoginWorld::at_the_simulator().await;
    let (_running, there) = world.another_process().await;
    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    let (one, other) = tokio::join!(world.client.complete(&device.session), there.complete(&device.session));
    assert_eq!(SignedIn::read(&one).account, SignedIn::read(&other).account);
    assert_eq!(world.upstream.polls().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_hears_of_a_suspension() {
    let world = LoginWorld::at_the_simulator().await;
    let (_running, there) = world.another_process().await;
    let alice = world.signed_in("alice").await;
    assert_eq!(there.current(&alice.secret).await.0, StatusCode::OK);
    world.installation.run(&["account", "suspend", &alice.account]);
    eventually("both to hear of it", async || {
        let here = world.client.current(&alice.secret).await.0;
        let there = there.current(&alice.secret).await.0;
        ([here, there] == [StatusCode::UNAUTHORIZED; 2]).then_some(())
    })
    .await;
    assert_refused(&there.current(&alice.secret).await, StatusCode::UNAUTHORIZED);
}
