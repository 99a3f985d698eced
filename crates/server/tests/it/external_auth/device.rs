//! The device flow, whose caller may leave.

use grantkeeper_provider_simulator::{Stats, TokenCall};
use reqwest::StatusCode;
use serde_json::json;

use super::world::{LinkWorld, PROVIDER};
use crate::device::Device;
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::eventually;

on_either_store!(an_approved_code_is_not_lost_with_the_terminal_that_showed_it);

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The polls of devices that the provider has seen.
fn polls(stats: &Stats) -> Vec<&TokenCall> {
    stats.token_calls.iter().filter(|call| call.grant.as_deref() == Some(DEVICE_GRANT)).collect()
}

async fn an_approved_code_is_not_lost_with_the_terminal_that_showed_it(store: StoreKind) {
    let world = LinkWorld::with_devices(store).await;
    let device = Device::begin(&world.member, PROVIDER).await;
    device.decide(world.upstream.url(), "approve").await;
    // Nobody polls.
    let view = eventually("the link", async || {
        let view = world.links.view(PROVIDER).await;
        (view["authenticated"] == true).then_some(view)
    })
    .await;
    assert!(view["user"].is_object(), "{view}");
    assert_eq!(polls(&world.upstream.stats()).len(), 1);
    let (status, told) = device.poll().await;
    assert_eq!(status, StatusCode::NO_CONTENT, "a terminal that is still there hears of it: {told}");
    assert_eq!(polls(&world.upstream.stats()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pollers_cause_one_upstream_poll() {
    let world = LinkWorld::with_devices(StoreKind::Sqlite).await;
    let device = Device::begin(&world.member, PROVIDER).await;
    device.decide(world.upstream.url(), "approve").await;
    tokio::join!(device.linked(), device.linked());
    let stats = world.upstream.stats();
    let polls = polls(&stats);
    assert_eq!(polls.len(), 1, "{polls:?}");
    assert_eq!(world.authorizations().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_comes_too_early_is_told_to_slow_down_and_asks_nobody() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    world.upstream.update_settings(|settings| settings.device_interval = Some(60));
    let device = Device::begin(&world.member, PROVIDER).await;
    let (status, told) = device.poll().await;
    assert_eq!((status, &told["detail"]), (StatusCode::BAD_REQUEST, &json!("slow_down")), "{told}");
    assert!(polls(&world.upstream.stats()).is_empty());
}
