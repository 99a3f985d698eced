//! The device flow against npm `oidc-provider`, which nobody here wrote: the person approves, refuses, or is too late.
//! It never tells a device to slow down; that one answer is put in front of it.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::device::Device;
use crate::openid_provider::OpenIdProvider;
use crate::stores::StoreKind;
use crate::world::{WEB, World};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A provider whose codes live that long in seconds; `None` where it is not installed.
async fn world(lifetime: &str) -> Option<World> {
    let upstream = OpenIdProvider::start(&[("DEVICE_TTL", lifetime)]).await?;
    let world = World::around(upstream, StoreKind::Sqlite, 1, WEB).await;
    let path = format!("/providers/{}/", world.provider);
    let (status, patched) = world.admin.patch_json(&path, &json!({ "deviceFlow": true })).await;
    assert_eq!((status, &patched["deviceFlow"]), (StatusCode::OK, &json!(true)), "{patched}");
    Some(world)
}

const LONG: &str = "600";
const SHORT: &str = "2";

impl World {
    async fn begin(&self) -> Device {
        Device::begin(&self.member, &self.provider).await
    }

    async fn person_decides(&self, device: &Device, decision: Value) {
        assert!(self.person_can_decide(device, decision).await);
    }

    async fn person_can_decide(&self, device: &Device, decision: Value) -> bool {
        let mut body = decision;
        body["user_code"] = json!(device.user_code);
        self.upstream.control("device", &body).await["ok"].as_bool().unwrap()
    }

    async fn next_poll_is_told_to_slow_down(&self) {
        let body = json!({ "error": "slow_down" }).to_string();
        let headers = json!({ "content-type": "application/json" });
        let fault = json!({ "route": "token", "grant": DEVICE_GRANT, "status": 400, "headers": headers, "body": body });
        self.upstream.control("faults", &fault).await;
    }

    async fn polls(&self) -> u64 {
        self.upstream.token_calls(DEVICE_GRANT).await.0
    }

    async fn links(&self) -> Value {
        self.member.get("/authorizedProviders/").await.1["data"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_approves_and_the_link_is_as_good_as_any() {
    let Some(world) = world(LONG).await else { return };
    let device = world.begin().await;
    assert!(device.verification_uri.starts_with(&world.upstream.issuer), "{}", device.verification_uri);
    world.person_decides(&device, json!({ "account": "alice" })).await;
    device.linked().await;
    let links = world.links().await;
    let id = links[0]["id"].as_str().unwrap();
    let token = world.member.lent(id, "?min_ttl=3600").await;
    assert!(world.upstream.is_active(&token).await, "and it can be refreshed");
    let (_, user) = world.member.get(&format!("/authorizedProviders/{id}/userinfo/")).await;
    assert_eq!(user["sub"], "alice");
    assert_eq!(device.poll().await.0, StatusCode::NO_CONTENT, "a poll whose answer was lost may be repeated");
    assert_eq!(world.links().await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_refuses() {
    let Some(world) = world(LONG).await else { return };
    let device = world.begin().await;
    world.person_decides(&device, json!({ "deny": true })).await;
    assert_eq!(device.ended().await, "access_denied");
    assert_eq!(world.links().await, json!([]));
}

/// The codes end when the provider says so, and that is sooner than it told: by our own clock there is time left.
#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_too_late_for_the_provider() {
    let Some(world) = world(SHORT).await else { return };
    world.upstream.control("faults", &json!({ "route": "device", "tell": { "expires_in": 600 } })).await;
    let device = world.begin().await;
    assert_eq!(device.expires_in, 600);
    assert_eq!(device.ended().await, "expired_token");
    let polls = world.polls().await;
    assert_eq!(polls, 1, "the provider has said it");
    assert!(!world.person_can_decide(&device, json!({ "account": "alice" })).await, "to the person as well");
    assert_eq!(device.ended().await, "expired_token", "it stays so");
    assert_eq!(world.polls().await, polls, "and the provider is not asked again");
    assert_eq!(world.links().await, json!([]));
}

/// The codes end before the first poll is due: what the provider told is enough to know it.
#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_too_late_by_what_the_provider_told() {
    let Some(world) = world(SHORT).await else { return };
    let device = world.begin().await;
    assert!(device.expires_in <= 2, "{}", device.expires_in);
    assert_eq!(device.ended().await, "expired_token");
    assert_eq!(world.polls().await, 0, "the provider is not asked");
    assert!(
        !world.person_can_decide(&device, json!({ "account": "alice" })).await,
        "it would have said so too"
    );
}

/// `oidc-provider` leaves the pace to its clients: it tells no interval (then it is five seconds) and sends no
/// `slow_down`. The first three are our own, the fourth is put in front of it.
#[tokio::test(flavor = "multi_thread")]
async fn two_devices_that_hurry_cause_one_poll_and_slow_down_when_they_are_told() {
    let Some(world) = world(LONG).await else { return };
    let device = world.begin().await;
    for _ in 0..3 {
        let (status, body) = device.poll().await;
        assert_eq!((status, &body["detail"]), (StatusCode::BAD_REQUEST, &json!("slow_down")), "{body}");
    }
    assert_eq!(world.polls().await, 0, "before the interval is over the provider is not asked");
    world.next_poll_is_told_to_slow_down().await;
    world.person_decides(&device, json!({ "account": "alice" })).await;
    let both = (device.linked(), device.linked());
    tokio::join!(both.0, both.1);
    assert_eq!(world.polls().await, 2, "one was told to slow down, one got the tokens");
}
